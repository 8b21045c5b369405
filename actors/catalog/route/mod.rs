//! Routes: a name that clients use, and an ordered choice of targets behind it.
//!
//! | file | what it holds |
//! |---|---|
//! | [`order`] | which target comes first: readiness, priority, weight |
//! | [`policy`] | after which failures, how often and for how long the next one is asked |
//!
//! All of it is pure, but for a look at what each target's token pool has published of itself.

pub mod order;
pub mod policy;

use std::sync::Arc;

use self::{
    order::{Standing, order},
    policy::RoutePolicy,
};
use super::{config::RouteConfig, directory::Target};
use crate::{affinity::Lot, credentials::Readiness};

/// A configured route, with the targets that are offered now.
#[derive(Debug)]
pub struct Route {
    pub policy: Arc<RoutePolicy>,
    targets: Vec<RouteTarget>,
    /// Targets whose provider does not have the model, or has not said so yet.
    absent: Vec<Arc<str>>,
}

#[derive(Debug)]
struct RouteTarget {
    target: Target,
    share: Share,
    lot: Lot,
}

/// A target's part in its route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub priority: u32,
    pub weight: u32,
}

/// A target in its place.
#[derive(Debug, Clone)]
pub struct Ranked {
    pub target: Target,
    /// None for a model that is asked for without a route.
    pub share: Option<Share>,
    pub readiness: Readiness,
}

impl Route {
    /// The route as configured, its targets looked up by their full ids.
    #[must_use]
    pub fn new(config: &RouteConfig, look_up: impl Fn(&str) -> Option<Target>) -> Self {
        let mut route = Self {
            policy: Arc::new(RoutePolicy::from(config)),
            targets: Vec::new(),
            absent: Vec::new(),
        };
        for target in config.targets() {
            let share = Share {
                priority: target.priority,
                weight: target.weight,
            };
            match look_up(&target.model) {
                Some(found) => route.targets.push(RouteTarget {
                    lot: Lot::of(&found.id),
                    target: found,
                    share,
                }),
                None => route.absent.push(target.model.into()),
            }
        }
        route
    }

    /// Whether any target is offered.
    #[must_use]
    pub fn serves(&self) -> bool {
        !self.targets.is_empty()
    }

    /// Targets that are configured and not offered.
    #[must_use]
    pub fn absent(&self) -> &[Arc<str>] {
        &self.absent
    }

    /// Whether it matters which conversation a request belongs to.
    #[must_use]
    pub fn sticks(&self) -> bool {
        let several = self.policy.sticky && self.targets.len() > 1;
        let in_pool = |target: &RouteTarget| target.target.provider.pool.sticks();
        several || self.targets.iter().any(in_pool)
    }

    /// All targets that are offered, best first; see [`order`] for the seed.
    #[must_use]
    pub fn ranked(&self, seed: Option<u64>) -> Vec<Ranked> {
        let readiness = self.targets.iter().map(|one| one.target.readiness());
        let readiness: Vec<_> = readiness.collect();
        let standings = self.targets.iter().zip(&readiness);
        let standings: Vec<_> = standings
            .map(|(one, readiness)| Standing {
                ready: readiness.is_ready(),
                priority: one.share.priority,
                weight: one.share.weight,
                lot: one.lot,
            })
            .collect();
        let ranked = order(&standings, seed).into_iter().map(|place| Ranked {
            target: self.targets[place].target.clone(),
            share: Some(self.targets[place].share),
            readiness: readiness[place],
        });
        ranked.collect()
    }
}
