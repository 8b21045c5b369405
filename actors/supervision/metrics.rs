//! `troupe_actor_restarts_total{actor}` and `troupe_frozen_threads`.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// Counts the falls of each actor, and the threads that frozen ones hold. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct RestartMetrics {
    restarts: Family<ActorLabel, Counter>,
    frozen_threads: Gauge,
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
        registry.register(
            "troupe_frozen_threads",
            "Threads that were left behind because an actor on them froze, and that have not ended since",
            self.frozen_threads.clone(),
        );
    }

    /// Shows the actor with a zero, so that a first fall is a step and not a new series.
    pub(super) fn introduce(&self, path: &str) {
        self.of(path);
    }

    pub(super) fn count(&self, path: &str) {
        self.of(path).inc();
    }

    pub(super) fn frozen_threads(&self) -> &Gauge {
        &self.frozen_threads
    }

    fn of(&self, path: &str) -> Counter {
        let actor = path.to_owned();
        self.restarts.get_or_create(&ActorLabel { actor }).clone()
    }
}
