//! Starts each configured provider: its token pool, then its actor.

use std::{io, sync::Arc, time::Duration};

use troupe_actors::{
    accounts::limits::Gate,
    catalog::{Catalog, Offer, Settle},
    credentials::{Pool, PoolSetup, config::PoolConfig},
    egress::Exempt,
    pictures::Studio,
    providers::{
        actor::{Announce, ProviderActor},
        anthropic::Anthropic,
        base_url::BadBaseUrl,
        config::ProviderConfig,
        demo::Demo,
        gemini::Gemini,
        model::Model,
        openai::{Mode, OpenAi},
        presets,
        provider::Provider,
        speechless::Speechless,
        upstream::Upstream,
    },
    secrets::KeyedHash,
    storage::Database,
    supervision::{ChildSpec, Clock, Handle, Tree},
};

use troupe_protocol::pictures::{Kind, service};

use crate::{config::Config, secret_key};

/// The thread that the provider actors share: they decide, they do not carry.
const ARBITER: &str = "providers";

/// How long the catalog may take to learn what the providers offer.
const SETTLED: Duration = Duration::from_secs(30);

/// Starts all providers, in the order of the configuration. When this returns the catalog knows their models:
/// who asks at once is not told that there are none.
///
/// # Errors
/// When one cannot be built, which the check of the configuration should have found.
pub async fn start(
    config: &Config,
    key: &[u8; 32],
    tree: &Tree,
    clock: &Clock,
    database: &Database,
    catalog: &Handle<Catalog>,
) -> io::Result<()> {
    let hasher = KeyedHash::new(key, secret_key::TOKENS);
    for (rank, provider) in config.providers.iter().enumerate() {
        let studio = Studio::of(provider, base_url(provider));
        let own_limit = studio
            .as_ref()
            .map_or(0, |studio| studio.service.per_token());
        let setup = PoolSetup {
            provider: provider.name.as_str().into(),
            tokens: provider.tokens.clone(),
            config: pool_config(provider, config, own_limit),
            hasher: hasher.clone(),
            clock: clock.clone(),
            store: Arc::new(database.clone()),
        };
        let pool = Pool::start(tree, setup).await.map_err(io::Error::other)?;
        let provider_handle = Arc::new(Provider {
            name: provider.name.as_str().into(),
            rank,
            is_default: provider.default,
            upstream: upstream(provider)?,
            studio,
            passes_pictures: ["openai", "openai_responses"].contains(&&*provider.kind),
            pool,
            gate: Gate::new(provider.max_in_flight),
            gate_wait: Duration::from_millis(config.limits.max_wait_ms),
            timeouts: provider.timeouts.unwrap_or(config.timeouts),
            max_attempts: provider.pool.as_ref().unwrap_or(&config.pool).max_attempts,
            ask_stream_usage: provider.ask_stream_usage,
            default_max_tokens: provider.default_max_tokens,
            openai_fields: provider.openai_fields,
        });
        start_actor(provider, provider_handle, tree, catalog).await?;
    }
    let settled = catalog.ask_within(SETTLED, Settle).await;
    settled.map_err(io::Error::other)
}

/// How tokens are lent: as configured, and no more of one at a time than the upstream bears.
fn pool_config(provider: &ProviderConfig, config: &Config, own_limit: usize) -> PoolConfig {
    let pool = provider.pool.as_ref().unwrap_or(&config.pool);
    let mut pool = pool.clone();
    if pool.per_token_concurrency == 0 {
        pool.per_token_concurrency = u32::try_from(own_limit).unwrap_or(u32::MAX);
    }
    pool
}

async fn start_actor(
    config: &ProviderConfig,
    provider: Arc<Provider>,
    tree: &Tree,
    catalog: &Handle<Catalog>,
) -> io::Result<()> {
    let configured: Option<Arc<[Model]>> = match &config.models {
        Some(models) => Some(models.iter().map(Model::from).collect()),
        None => own_models(config, &provider),
    };
    let path = format!("providers/{}/actor", config.name);
    let announce = announce(&provider, catalog);
    let spec = ChildSpec::new(path, ARBITER, move || {
        Ok(ProviderActor::new(
            provider.clone(),
            announce.clone(),
            configured.clone(),
        ))
    })
    .contained();
    tree.start(spec).await.map_err(io::Error::other)?;
    Ok(())
}

/// The models of a provider that is known to have no others; none where the upstream is asked.
fn own_models(config: &ProviderConfig, provider: &Provider) -> Option<Arc<[Model]>> {
    let is_asked = ["openai", "gemini"].contains(&&*config.kind);
    let studio = provider.studio.as_ref().filter(|_| !is_asked);
    provider
        .upstream
        .own_models()
        .or(studio.map(Studio::models))
}

/// What a provider announces goes to the catalog.
fn announce(provider: &Arc<Provider>, catalog: &Handle<Catalog>) -> Announce {
    let (provider, catalog) = (provider.clone(), catalog.clone());
    Arc::new(move |models| {
        let provider = provider.clone();
        if let Err(error) = catalog.tell(Offer { provider, models }) {
            log::warn!("the catalog did not take the models: {error}");
        }
    })
}

/// The protocol of a provider. A new kind is one line here.
pub fn upstream(config: &ProviderConfig) -> io::Result<Box<dyn Upstream>> {
    let name = &config.name;
    let base_url = base_url(config);
    let bad = |error: BadBaseUrl| io::Error::other(format!("provider {name}: {error}"));
    Ok(match config.kind.as_str() {
        "demo" => Box::new(Demo),
        "openai" => Box::new(OpenAi::new(base_url, Mode::Both(config.responses)).map_err(bad)?),
        "openai_responses" => Box::new(OpenAi::new(base_url, Mode::OnlyResponses).map_err(bad)?),
        "anthropic" => Box::new(Anthropic::new(base_url).map_err(bad)?),
        "gemini" => Box::new(Gemini::new(base_url).map_err(bad)?),
        other => match service::find(other) {
            Some(kind) => drawing(kind, config, base_url).map_err(bad)?,
            None => {
                let message = format!("provider {name}: there is no kind `{other}`");
                return Err(io::Error::other(message));
            }
        },
    })
}

/// The hosts and ports of all base URLs.
pub fn hosts(config: &Config) -> impl Iterator<Item = Exempt> + '_ {
    let urls = config.providers.iter().map(base_url);
    urls.filter_map(Exempt::of_url)
}

/// An upstream that draws, and may talk besides as OpenAI's do.
fn drawing(
    kind: &Kind,
    config: &ProviderConfig,
    base_url: &str,
) -> Result<Box<dyn Upstream>, BadBaseUrl> {
    let path = kind
        .chat
        .and_then(|path| path.strip_suffix("/chat/completions"));
    Ok(match path {
        Some(path) => {
            let base_url = format!("{}{path}", base_url.trim_end_matches('/'));
            Box::new(OpenAi::new(&base_url, Mode::Both(config.responses))?)
        }
        None => Box::new(Speechless),
    })
}

/// As configured, or as the preset has it.
fn base_url(config: &ProviderConfig) -> &str {
    let preset = config.preset.as_deref().and_then(presets::find);
    let preset_url = preset.map(|preset| preset.base_url);
    config
        .base_url
        .as_deref()
        .or(preset_url)
        .or(service::find(&config.kind).map(|kind| kind.base_url))
        .unwrap_or_default()
}
