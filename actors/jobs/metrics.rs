//! What is counted of jobs, on this node.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// Clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct JobsMetrics {
    queued: Gauge,
    running: Gauge,
    ended: Family<StateLabel, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StateLabel {
    state: String,
}

impl JobsMetrics {
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "troupe_jobs_queued",
            "Jobs that wait for their turn or for their next attempt",
            self.queued.clone(),
        );
        registry.register(
            "troupe_jobs_running",
            "Jobs that are being drawn",
            self.running.clone(),
        );
        registry.register(
            "troupe_jobs_ended",
            "Jobs that came to an end, by their last state",
            self.ended.clone(),
        );
    }

    /// So many wait, and so many run.
    pub fn stand(&self, queued: usize, running: usize) {
        let gauge = |count| i64::try_from(count).unwrap_or(i64::MAX);
        self.queued.set(gauge(queued));
        self.running.set(gauge(running));
    }

    /// A job has reached its last state.
    pub fn ended(&self, state: &str) {
        let state = state.to_owned();
        self.ended.get_or_create(&StateLabel { state }).inc();
    }
}
