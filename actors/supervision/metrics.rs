//! `troupe_actor_restarts_total{actor}`.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// Counts the falls of each actor. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct RestartMetrics {
    restarts: Family<ActorLabel, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ActorLabel {
    actor: String,
}

impl RestartMetrics {
    /// Makes the counters part of what `registry` exposes.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "troupe_actor_restarts",
            "Falls of an actor since the process started",
            self.restarts.clone(),
        );
    }

    /// Shows the actor with a zero, so that a first fall is a step and not a new series.
    pub(super) fn introduce(&self, path: &str) {
        self.of(path);
    }

    pub(super) fn count(&self, path: &str) {
        self.of(path).inc();
    }

    fn of(&self, path: &str) -> Counter {
        let actor = path.to_owned();
        self.restarts.get_or_create(&ActorLabel { actor }).clone()
    }
}
