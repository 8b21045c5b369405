//! The published look-up from a model's name to who serves it. Immutable; a change makes a new one.

use std::{collections::HashMap, sync::Arc};

use super::{
    candidates::{Candidates, Explanation, ResolvedBy},
    config::RouteConfig,
    route::{Ranked, Route},
};
use crate::{
    affinity::Affinity,
    credentials::Readiness,
    providers::{model::Model, provider::Provider},
};

/// Who serves a model, and what it is called there.
#[derive(Debug, Clone)]
pub struct Target {
    pub provider: Arc<Provider>,
    /// The full id, `provider/model`.
    pub id: Arc<str>,
    /// What the upstream calls it.
    pub upstream: Arc<str>,
}

impl Target {
    /// Whether it could serve now, as far as its provider's pool has published. Costs no hop.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.provider.pool.readiness(&self.upstream)
    }
}

/// A model in a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The full id, `provider/model`, or a route's name.
    pub id: Arc<str>,
    /// The provider's name; [`ROUTE_OWNER`] for a route.
    pub provider: Arc<str>,
    pub kind: Option<String>,
}

/// Who is said to own the models that are routes.
pub const ROUTE_OWNER: &str = "troupe";

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
    /// As configured, for the next directory.
    configured: Arc<[RouteConfig]>,
    routes: HashMap<Arc<str>, Route>,
}

/// What a name leads to.
enum Found<'a> {
    Route(&'a Route),
    Model(Target, ResolvedBy),
}

impl Directory {
    /// One with these routes, in which nobody offers anything yet.
    #[must_use]
    pub fn new(routes: &[RouteConfig]) -> Self {
        Self {
            configured: routes.into(),
            ..Self::default()
        }
    }

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
        let mut next = Self {
            offers,
            names,
            configured: Arc::clone(&self.configured),
            routes: HashMap::new(),
        };
        next.routes = next.routes();
        next
    }

    /// Who may serve `name`, best first. `affinity` is the conversation, where the request names one and
    /// [`sticks`](Self::sticks) says that it matters; without one `draw` decides, which should be random.
    #[must_use]
    pub fn candidates(
        &self,
        name: &str,
        affinity: Option<Affinity>,
        draw: u64,
    ) -> Option<Candidates> {
        let route = match self.find(name)? {
            Found::Route(route) => route,
            Found::Model(target, _) => {
                return Some(Candidates {
                    targets: vec![target],
                    ready: 1,
                    policy: None,
                });
            }
        };
        let policy = &route.policy;
        let affinity = affinity.filter(|_| policy.sticky);
        let mut ranked = route.ranked(Some(affinity.map_or(draw, Affinity::seed)));
        ranked.truncate(policy.max_attempts);
        let ready = ranked.iter().filter(|one| one.readiness.is_ready());
        Some(Candidates {
            ready: ready.count(),
            targets: ranked.into_iter().map(|one| one.target).collect(),
            policy: Some(Arc::clone(policy)),
        })
    }

    /// Whether the choice of target or token depends on the conversation that a request belongs to.
    #[must_use]
    pub fn sticks(&self, name: &str) -> bool {
        match self.find(name) {
            None => false,
            Some(Found::Route(route)) => route.sticks(),
            Some(Found::Model(target, _)) => target.provider.pool.sticks(),
        }
    }

    /// Who would serve `name`, and why. Without a conversation the heavier targets of a route come first.
    #[must_use]
    pub fn explain(&self, name: &str, affinity: Option<Affinity>) -> Option<Explanation> {
        let route = match self.find(name)? {
            Found::Route(route) => route,
            Found::Model(target, resolved_by) => {
                let ranked = Ranked {
                    readiness: target.readiness(),
                    target,
                    share: None,
                };
                return Some(Explanation {
                    resolved_by,
                    ranked: vec![ranked],
                    absent: Vec::new(),
                    policy: None,
                });
            }
        };
        let affinity = affinity.filter(|_| route.policy.sticky);
        Some(Explanation {
            resolved_by: ResolvedBy::Route,
            ranked: route.ranked(affinity.map(Affinity::seed)),
            absent: route.absent().to_vec(),
            policy: Some(Arc::clone(&route.policy)),
        })
    }

    /// Under which id `name` is listed and by whom it is owned, where it is served. Its kind is left out.
    #[must_use]
    pub fn listed(&self, name: &str) -> Option<Listed> {
        Some(match self.find(name)? {
            Found::Route(route) => listed_route(route),
            Found::Model(target, _) => Listed {
                id: target.id,
                provider: target.provider.name.clone(),
                kind: None,
            },
        })
    }

    /// Full ids before routes, those before bare names, and those before names that nobody lists.
    fn find(&self, name: &str) -> Option<Found<'_>> {
        let named = self.names.get(name);
        if let Some(target) = named.filter(|target| &*target.id == name) {
            return Some(Found::Model(target.clone(), ResolvedBy::FullId));
        }
        if let Some(route) = self.routes.get(name).filter(|route| route.serves()) {
            return Some(Found::Route(route));
        }
        if let Some(target) = named {
            return Some(Found::Model(target.clone(), ResolvedBy::BareName));
        }
        let target = self.open_by_id(name).or_else(|| self.open_default(name))?;
        Some(Found::Model(target, ResolvedBy::OpenProvider))
    }

    /// The model with this full id, listed or of a provider whose models are unknown.
    fn by_id(&self, id: &str) -> Option<Target> {
        let listed = self.names.get(id).filter(|target| &*target.id == id);
        listed.cloned().or_else(|| self.open_by_id(id))
    }

    fn open_by_id(&self, id: &str) -> Option<Target> {
        let (prefix, rest) = id.split_once('/')?;
        let mut open = self.offers.iter().filter(|offered| offered.is_open());
        let offered = open.find(|offered| &*offered.provider.name == prefix)?;
        Some(target_of(offered, rest))
    }

    /// Any name at the default provider, or the only one, if its models are unknown.
    fn open_default(&self, name: &str) -> Option<Target> {
        let offered = self
            .offers
            .iter()
            .find(|offered| offered.provider.is_default);
        let only = || match &self.offers[..] {
            [only] => Some(only),
            _ => None,
        };
        let offered = offered.or_else(only).filter(|one| one.is_open())?;
        Some(target_of(offered, name))
    }

    fn routes(&self) -> HashMap<Arc<str>, Route> {
        let routes = self.configured.iter().map(|config| {
            let route = Route::new(config, |id| self.by_id(id));
            (Arc::clone(&route.policy.model), route)
        });
        routes.collect()
    }

    /// All models that are known, in the order of the configuration, and the routes that are served.
    pub fn list(&self) -> impl Iterator<Item = Listed> {
        let routes = self.configured.iter();
        let routes = routes.filter_map(|config| self.routes.get(&*config.model));
        let routes = routes.filter(|route| route.serves()).map(listed_route);
        let models = self.offers.iter().flat_map(|offered| {
            let models = offered.models.as_deref().unwrap_or_default();
            models.iter().map(|model| Listed {
                id: full_id(&offered.provider, &model.id),
                provider: offered.provider.name.clone(),
                kind: model.kind.clone(),
            })
        });
        models.chain(routes)
    }

    /// The providers, in the order of the configuration.
    pub fn providers(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.offers.iter().map(|offered| &offered.provider)
    }
}

impl Offered {
    /// Whether its models are unknown, so that it takes any name.
    fn is_open(&self) -> bool {
        self.models.is_none()
    }
}

fn listed_route(route: &Route) -> Listed {
    Listed {
        id: Arc::clone(&route.policy.model),
        provider: ROUTE_OWNER.into(),
        kind: None,
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
