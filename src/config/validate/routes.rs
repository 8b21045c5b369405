//! What each `[[route]]` must be: a name of its own, and targets that exist.

use std::collections::HashMap;

use troupe_actors::{
    catalog::config::{RouteConfig, TargetEntry},
    providers::config::{ModelEntry, ProviderConfig},
};

use super::{Check, live_indices, sections::A_DAY_MS};
use crate::config::{
    Config, keys,
    tree::{Node, Value},
};

impl Check<'_> {
    pub(super) fn routes(&mut self, config: &Config) {
        let indices = live_indices(self.tree, "route");
        let mut names = HashMap::new();
        self.within("route", |check| {
            for (route, index) in config.routes.iter().zip(indices) {
                check.within(&index.to_string(), |check| {
                    check.route(route, config);
                    if names.insert(&route.model, ()).is_some() {
                        check.error("model", "another route has this name");
                    }
                });
            }
        });
    }

    fn route(&mut self, route: &RouteConfig, config: &Config) {
        let name = &route.model;
        if name.trim().is_empty() || name.trim() != name {
            self.error("model", "must not be empty or have spaces around it");
        } else if let Some(provider) = provider_of(name, &config.providers) {
            let message = format!(
                "is a full id of provider `{}`, which goes before routes; choose another name",
                provider.name
            );
            self.error("model", message);
        }
        self.range("max_attempts", route.max_attempts, 1..=100);
        self.range("budget_ms", route.budget_ms, 1..=A_DAY_MS);
        let all_names = |targets: &[TargetEntry]| targets.iter().all(is_name);
        if route.targets.is_empty() {
            self.error(
                "targets",
                "empty; name one for an alias, several to fall back along",
            );
        } else if !all_names(&route.targets) && route.targets.iter().any(is_name) {
            let message = "names and tables are mixed; give all as names, in their order, \
                           or all as tables with a priority";
            self.error("targets", message);
        }
        let mut seen = HashMap::new();
        self.within("targets", |check| {
            for (index, target) in route.targets.iter().enumerate() {
                check.target(&index.to_string(), target, config);
                if let Some(first) = seen.insert(id_of(target), index) {
                    let message = format!("the same as targets[{first}]");
                    check.warning(&index.to_string(), message);
                }
            }
        });
    }

    fn target(&mut self, index: &str, target: &TargetEntry, config: &Config) {
        let wrong = unserved(id_of(target), config).filter(|_| self.all_providers_are_known());
        match target {
            TargetEntry::Name(_) => {
                if let Some(wrong) = wrong {
                    self.error(index, wrong);
                }
            }
            TargetEntry::Full(full) => self.within(index, |check| {
                if let Some(wrong) = wrong {
                    check.error("model", wrong);
                }
                check.range("weight", full.weight, 1..=1_000_000);
            }),
        }
    }

    /// Whether none was so faulty that it cannot be told which it is.
    fn all_providers_are_known(&self) -> bool {
        match self.tree.child("provider").map(|list| &list.value) {
            Some(Value::List(items)) => !items.iter().any(Node::is_faulty),
            Some(Value::Faulty) => false,
            _ => true,
        }
    }
}

fn is_name(target: &TargetEntry) -> bool {
    matches!(target, TargetEntry::Name(_))
}

fn id_of(target: &TargetEntry) -> &str {
    match target {
        TargetEntry::Name(id) => id,
        TargetEntry::Full(target) => &target.model,
    }
}

fn provider_of<'a>(id: &str, providers: &'a [ProviderConfig]) -> Option<&'a ProviderConfig> {
    let (prefix, _) = id.split_once('/')?;
    providers.iter().find(|provider| provider.name == prefix)
}

/// Why no provider can serve the target `id`; none where one may.
fn unserved(id: &str, config: &Config) -> Option<String> {
    if let Some(provider) = provider_of(id, &config.providers) {
        return not_listed(id, provider);
    }
    if config.routes.iter().any(|route| route.model == id) {
        let message = format!("`{id}` is a route; a target is a `provider/model`");
        return Some(message);
    }
    let names = config.providers.iter().map(|provider| &*provider.name);
    let names: Vec<&str> = names.collect();
    Some(match id.split_once('/') {
        Some((prefix, _)) => {
            let nearest = keys::nearest(prefix, &names).unwrap_or_default();
            format!("there is no provider `{prefix}`; the nearest is `{nearest}`")
        }
        None => format!("`{id}` names no provider; a target is a `provider/model`"),
    })
}

/// What is said of a model that its provider is configured without.
fn not_listed(id: &str, provider: &ProviderConfig) -> Option<String> {
    let (name, model) = (&provider.name, id.strip_prefix(&provider.name)?);
    let model = model.trim_start_matches('/');
    let listed = provider.models.as_ref()?.iter().map(|entry| match entry {
        ModelEntry::Id(id) => &**id,
        ModelEntry::Full(config) => &*config.id,
    });
    let listed: Vec<&str> = listed.collect();
    if listed.contains(&model) {
        return None;
    }
    let nearest = match keys::nearest(model, &listed) {
        Some(nearest) => format!("the nearest is `{nearest}`"),
        None => "it lists none".to_owned(),
    };
    Some(format!(
        "provider `{name}` lists no model `{model}`; {nearest}"
    ))
}
