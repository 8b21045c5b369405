//! The provider actor: it knows which models its upstream has, and tells the catalog.
//!
//! | | |
//! |---|---|
//! | owns | the list of models of one provider, and when it was asked for last |
//! | durable | nothing; the list is configured or asked for again |
//! | derivable | the list |
//! | ephemeral | whether a question to the upstream is under way |
//! | mailbox | an admin's questions, its own timer |
//! | restart | asks the upstream again; the catalog keeps the list it has meanwhile |

use std::{sync::Arc, time::Duration};

use actix::{AsyncContext as _, Message, MessageResult};
use bytes::Bytes;
use troupe_protocol::openai::model::parse_list;

use super::{
    config::{ModelConfig, ModelEntry},
    exchange::{Watch, exchange},
    provider::Provider,
    upstream::{Endpoint, Outgoing},
};
use crate::{
    catalog::{Catalog, Offer},
    supervision::{Behaviour, Cell, Ctx, Deliver, Handle, Receive, StartError},
};

/// A model that a provider offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// What clients call it, without the provider's prefix.
    pub id: Arc<str>,
    /// What the upstream calls it.
    pub upstream: Arc<str>,
    /// A hint such as `chat` or `text2image`.
    pub kind: Option<String>,
}

impl From<&ModelEntry> for Model {
    fn from(entry: &ModelEntry) -> Self {
        match entry {
            ModelEntry::Id(id) => Self::named(id),
            ModelEntry::Full(ModelConfig { id, upstream, kind }) => Self {
                id: id.as_str().into(),
                upstream: upstream.as_deref().unwrap_or(id).into(),
                kind: kind.clone(),
            },
        }
    }
}

impl Model {
    /// A model whose id is also its name at the upstream.
    #[must_use]
    pub fn named(id: &str) -> Self {
        Self {
            id: id.into(),
            upstream: id.into(),
            kind: None,
        }
    }
}

/// See the module's head.
pub struct ProviderActor {
    provider: Arc<Provider>,
    catalog: Handle<Catalog>,
    /// As configured; none = asked of the upstream.
    configured: Option<Arc<[Model]>>,
    models: Arc<[Model]>,
    asking: bool,
    failures: u32,
}

/// How often an upstream is asked for its models.
const REFRESH: Duration = Duration::from_secs(600);
/// The first wait after a question that failed; doubles up to [`REFRESH`].
const RETRY: Duration = Duration::from_secs(5);
/// The most bytes of a list of models.
const LIST_LIMIT: usize = 8 << 20;

impl ProviderActor {
    #[must_use]
    pub fn new(
        provider: Arc<Provider>,
        catalog: Handle<Catalog>,
        configured: Option<Arc<[Model]>>,
    ) -> Self {
        Self {
            provider,
            catalog,
            models: configured.clone().unwrap_or_default(),
            configured,
            asking: false,
            failures: 0,
        }
    }

    fn ask_upstream(&mut self, ctx: &mut Ctx<Self>) {
        if self.asking {
            return;
        }
        self.asking = true;
        let provider = self.provider.clone();
        let listed = async move { list_models(&provider).await };
        ctx.spawn(actix::fut::ActorFutureExt::map(
            actix::fut::wrap_future::<_, Cell<Self>>(listed),
            |listed, cell, ctx| cell.heard(listed, ctx),
        ));
    }

    fn heard(&mut self, listed: Result<Vec<String>, String>, ctx: &mut Ctx<Self>) {
        self.asking = false;
        let next = match listed {
            Ok(ids) => {
                self.failures = 0;
                self.models = ids.iter().map(|id| Model::named(id)).collect();
                self.offer(Some(self.models.clone()));
                REFRESH
            }
            Err(error) => {
                let name = &self.provider.name;
                if self.failures == 0 {
                    log::warn!("provider {name} did not list its models: {error}");
                }
                self.failures += 1;
                RETRY.saturating_mul(1 << self.failures.min(8)).min(REFRESH)
            }
        };
        ctx.run_later(next, |cell, ctx| cell.ask_upstream(ctx));
    }

    fn offer(&self, models: Option<Arc<[Model]>>) {
        let provider = self.provider.clone();
        if let Err(error) = self.catalog.tell(Offer { provider, models }) {
            log::warn!("the catalog did not take the models: {error}");
        }
    }
}

impl Behaviour for ProviderActor {
    fn started(&mut self, ctx: &mut Ctx<Self>) -> Result<(), StartError> {
        self.offer(self.configured.clone());
        if self.configured.is_none() && self.provider.upstream.lists_models() {
            self.ask_upstream(ctx);
        }
        Ok(())
    }
}

struct Unwatched;

impl Watch for Unwatched {
    fn attempt(&mut self, _: &Arc<str>) {}

    fn upstream_took(&mut self, _: Duration) {}
}

async fn list_models(provider: &Provider) -> Result<Vec<String>, String> {
    let outgoing = Outgoing {
        endpoint: Endpoint::Models,
        body: Bytes::new(),
        stream: false,
    };
    let no_model: Arc<str> = "".into();
    let answer = exchange(provider, &no_model, &outgoing, &mut Unwatched)
        .await
        .map_err(|error| error.to_string())?;
    let collected = answer.body.collect(LIST_LIMIT).await;
    answer.lease.report(match &collected {
        Ok(_) => crate::credentials::Outcome::Success,
        Err(fault) => crate::credentials::Outcome::Failure(fault.kind()),
    });
    let body = collected.map_err(|fault| fault.to_string())?;
    parse_list(&body).map_err(|error| error.to_string())
}

/// Which models the provider has, as far as it knows.
#[derive(Message)]
#[rtype(result = "Arc<[Model]>")]
pub struct GetModels;

impl Receive<GetModels> for ProviderActor {
    type Reply = MessageResult<Deliver<GetModels>>;

    fn receive(&mut self, _: GetModels, _: &mut Ctx<Self>) -> Self::Reply {
        MessageResult(self.models.clone())
    }
}
