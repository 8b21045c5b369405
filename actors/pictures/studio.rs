//! What a provider can draw: its service, and its models as they are known and configured.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use troupe_protocol::pictures::{ModelSpec, Service, Settings, service};

use super::quotas::LastTold;
use crate::{
    egress::Exempt,
    providers::{
        config::{ModelConfig, ModelEntry, ProviderConfig},
        model::Model,
        price::Price,
    },
};

/// Shared, and immutable but for what the upstream tells of quotas.
pub struct Studio {
    /// The provider's kind, as in `kind = "…"`.
    pub kind: &'static str,
    pub service: Box<dyn Service>,
    /// Hosts and ports that the operator configured: links of answers may lead there, and the credential.
    pub trusted: Vec<Exempt>,
    pub told: LastTold,
    /// By the id without the provider's prefix.
    specs: HashMap<Arc<str>, Arc<ModelSpec>>,
    /// The ids in the order in which they are listed.
    order: Vec<Arc<str>>,
    /// What the kind's own models are called upstream.
    known: HashSet<String>,
    /// By the id; all others cost nothing.
    prices: HashMap<String, Price>,
}

impl Studio {
    /// The studio of a configured provider; none if its kind draws nothing.
    #[must_use]
    pub fn of(config: &ProviderConfig, base_url: &str) -> Option<Self> {
        let kind = service::find(&config.kind)?;
        let name = kind.name;
        let service = (kind.make)(Settings {
            base_url: base_url.trim_end_matches('/').to_owned(),
            options: config.options.clone(),
        });
        let hosts = service.hosts();
        let hosts = hosts.iter().map(String::as_str).chain([base_url]);
        let trusted = hosts.filter_map(Exempt::of_url).collect();
        let known = service.models();
        let upstreams = known.iter().map(|spec| spec.upstream.clone()).collect();
        let specs: Vec<ModelSpec> = match &config.models {
            None => known,
            Some(entries) => entries
                .iter()
                .map(|entry| described(entry, &known, &*service))
                .collect(),
        };
        let order: Vec<Arc<str>> = specs.iter().map(|spec| spec.id.as_str().into()).collect();
        let specs = order.iter().cloned().zip(specs.into_iter().map(Arc::new));
        Some(Self {
            kind: name,
            service,
            trusted,
            told: LastTold::default(),
            specs: specs.collect(),
            order,
            known: upstreams,
            prices: prices(config),
        })
    }

    /// Whether a URL leads to a host of the operator's.
    #[must_use]
    pub fn owns(&self, url: &str) -> bool {
        Exempt::of_url(url).is_some_and(|host| self.trusted.contains(&host))
    }

    /// The model of that id, described as well as can be.
    #[must_use]
    pub fn spec(&self, id: &str) -> Arc<ModelSpec> {
        let known = self.specs.get(id).cloned();
        known.unwrap_or_else(|| Arc::new(self.service.unknown_model(id)))
    }

    /// Whether its kind of upstream is known to have the model of that id.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        self.known.contains(&self.spec(id).upstream)
    }

    /// What a picture of the model of that id costs.
    #[must_use]
    pub fn price(&self, id: &str) -> Price {
        self.prices.get(id).copied().unwrap_or_default()
    }

    /// All that are described.
    pub fn specs(&self) -> impl Iterator<Item = &Arc<ModelSpec>> {
        self.order.iter().filter_map(|id| self.specs.get(id))
    }

    /// The same as the catalog lists them.
    #[must_use]
    pub fn models(&self) -> Arc<[Model]> {
        let model = |spec: &Arc<ModelSpec>| Model {
            id: spec.id.as_str().into(),
            upstream: spec.upstream.as_str().into(),
            kind: spec.types.first().cloned(),
        };
        self.specs().map(model).collect()
    }
}

fn prices(config: &ProviderConfig) -> HashMap<String, Price> {
    let entries = config.models.iter().flatten();
    let priced = entries.filter_map(|entry| match entry {
        ModelEntry::Full(model) => Some((model.id.clone(), model.price?)),
        ModelEntry::Id(_) => None,
    });
    priced.collect()
}

/// A configured model: what is known of it by its id or its name at the upstream, changed as configured.
fn described(entry: &ModelEntry, known: &[ModelSpec], service: &dyn Service) -> ModelSpec {
    let (id, config) = match entry {
        ModelEntry::Id(id) => (id.as_str(), None),
        ModelEntry::Full(config) => (config.id.as_str(), Some(config)),
    };
    let upstream = config.and_then(|config| config.upstream.as_deref());
    let by_upstream = |spec: &&ModelSpec| Some(spec.upstream.as_str()) == upstream;
    let same = known.iter().find(|spec| spec.id == id);
    let same = same.or_else(|| known.iter().find(by_upstream)).cloned();
    let mut spec = same.unwrap_or_else(|| service.unknown_model(upstream.unwrap_or(id)));
    id.clone_into(&mut spec.id);
    if let Some(config) = config {
        apply(config, &mut spec);
    }
    spec
}

fn apply(config: &ModelConfig, spec: &mut ModelSpec) {
    if let Some(upstream) = &config.upstream {
        upstream.clone_into(&mut spec.upstream);
    }
    if let Some(kind) = &config.kind {
        spec.types = vec![kind.clone()];
    }
    if let Some(name) = &config.name {
        name.clone_into(&mut spec.name);
    }
    if let Some(sizes) = &config.sizes {
        spec.sizes = troupe_protocol::pictures::Sizes::Listed(sizes.clone());
    }
    spec.steps = config.steps.or(spec.steps);
    spec.guidance = config.guidance.or(spec.guidance);
    spec.per_order = config.per_order.unwrap_or(spec.per_order).max(1);
    spec.is_task = config.is_task.unwrap_or(spec.is_task);
    spec.options.extend(config.options());
}
