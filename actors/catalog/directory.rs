//! The published look-up from a model's name to its provider. Immutable; a change makes a new one.

use std::{collections::HashMap, sync::Arc};

use crate::providers::{model::Model, provider::Provider};

/// Who serves a model, and what it is called there.
#[derive(Debug, Clone)]
pub struct Target {
    pub provider: Arc<Provider>,
    /// The full id, `provider/model`.
    pub id: Arc<str>,
    /// What the upstream calls it.
    pub upstream: Arc<str>,
}

/// A model in a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The full id, `provider/model`.
    pub id: Arc<str>,
    pub provider: Arc<str>,
    pub kind: Option<String>,
}

#[derive(Debug, Clone)]
struct Offered {
    provider: Arc<Provider>,
    models: Option<Arc<[Model]>>,
}

/// Every name that clients may use.
#[derive(Debug, Default)]
pub struct Directory {
    /// In the order of the configuration.
    offers: Vec<Offered>,
    names: HashMap<Arc<str>, Target>,
}

impl Directory {
    /// The same with one provider's models replaced.
    #[must_use]
    pub fn with(&self, provider: Arc<Provider>, models: Option<Arc<[Model]>>) -> Self {
        let mut offers = self.offers.clone();
        let offered = Offered { provider, models };
        match offers
            .iter_mut()
            .find(|known| known.provider.name == offered.provider.name)
        {
            Some(known) => *known = offered,
            None => offers.push(offered),
        }
        offers.sort_by_key(|offered| offered.provider.rank);
        let names = names_of(&offers);
        Self { offers, names }
    }

    /// Who serves `name`: a full id, a bare one, or any name of a provider whose models are unknown.
    #[must_use]
    pub fn resolve(&self, name: &str) -> Option<Target> {
        if let Some(target) = self.names.get(name) {
            return Some(target.clone());
        }
        let open = |offered: &&Offered| offered.models.is_none();
        if let Some((prefix, rest)) = name.split_once('/') {
            let named = self
                .offers
                .iter()
                .filter(open)
                .find(|offered| &*offered.provider.name == prefix);
            if let Some(offered) = named {
                return Some(target_of(offered, rest));
            }
        }
        let offered = self
            .offers
            .iter()
            .find(|offered| offered.provider.is_default);
        let only = || match &self.offers[..] {
            [only] => Some(only),
            _ => None,
        };
        let offered = offered.or_else(only).filter(open)?;
        Some(target_of(offered, name))
    }

    /// All models that are known, in the order of the configuration.
    pub fn list(&self) -> impl Iterator<Item = Listed> {
        self.offers.iter().flat_map(|offered| {
            let models = offered.models.as_deref().unwrap_or_default();
            models.iter().map(|model| Listed {
                id: full_id(&offered.provider, &model.id),
                provider: offered.provider.name.clone(),
                kind: model.kind.clone(),
            })
        })
    }

    /// The providers, in the order of the configuration.
    pub fn providers(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.offers.iter().map(|offered| &offered.provider)
    }
}

/// Full ids first, then bare ones: a default provider's before others', earlier ones before later.
fn names_of(offers: &[Offered]) -> HashMap<Arc<str>, Target> {
    let mut names = HashMap::new();
    let mut by_preference: Vec<_> = offers.iter().collect();
    by_preference.sort_by_key(|offered| !offered.provider.is_default);
    for offered in &by_preference {
        for model in offered.models.as_deref().unwrap_or_default() {
            let target = target_for(offered, model);
            names.insert(target.id.clone(), target);
        }
    }
    for offered in by_preference {
        for model in offered.models.as_deref().unwrap_or_default() {
            let bare = names.entry(model.id.clone());
            bare.or_insert_with(|| target_for(offered, model));
        }
    }
    names
}

fn target_for(offered: &Offered, model: &Model) -> Target {
    Target {
        provider: offered.provider.clone(),
        id: full_id(&offered.provider, &model.id),
        upstream: model.upstream.clone(),
    }
}

fn target_of(offered: &Offered, upstream: &str) -> Target {
    Target {
        provider: offered.provider.clone(),
        id: full_id(&offered.provider, upstream),
        upstream: upstream.into(),
    }
}

fn full_id(provider: &Provider, model: &str) -> Arc<str> {
    format!("{}/{model}", provider.name).into()
}
