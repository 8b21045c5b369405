//! `[jobs]` of the configuration.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How many jobs are run and kept, and how often each is tried.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobsConfig {
    /// At a time, in all.
    pub max_running: usize,
    /// At a time, of one provider.
    pub max_running_per_provider: usize,
    /// At a time, of one app.
    pub max_running_per_app: usize,
    /// Not begun or between two attempts, in all.
    pub max_queued: usize,
    /// The same of one app.
    pub max_queued_per_app: usize,
    /// Streams of events that one app has open.
    pub streams_per_app: usize,
    /// How often one is begun, rests of credentials aside.
    pub max_attempts: u32,
    /// The wait after a first attempt that failed; doubles.
    pub retry_ms: u64,
    /// The longest of these waits.
    pub max_retry_ms: u64,
    /// From submission to end.
    pub max_hours: u32,
    /// Whether one that may have been drawn when the process ended is begun once more.
    pub retry_interrupted: bool,
    /// How long a client waits for its answer in silence; then the answer begins, and is kept alive.
    pub patience_ms: u64,
    /// How often such an answer gets a sign of life.
    pub keep_alive_ms: u64,
    /// The highest priority that clients may give, and the lowest, below zero.
    pub max_priority: i32,
    /// How long a node that shares its database with others is taken to live after it was last heard of.
    pub lease_ms: u64,
    /// How long finished ones are kept.
    pub retention_hours: u32,
}

impl Default for JobsConfig {
    fn default() -> Self {
        Self {
            max_running: 32,
            max_running_per_provider: 16,
            max_running_per_app: 16,
            max_queued: 10_000,
            max_queued_per_app: 2_000,
            streams_per_app: 256,
            max_attempts: 3,
            retry_ms: 2_000,
            max_retry_ms: 60_000,
            max_hours: 24,
            retry_interrupted: true,
            patience_ms: 20_000,
            keep_alive_ms: 10_000,
            max_priority: 10,
            lease_ms: 30_000,
            retention_hours: 720,
        }
    }
}

impl JobsConfig {
    /// The wait before the attempt that follows `attempts` failed ones.
    #[must_use]
    pub fn backoff(&self, attempts: u32) -> Duration {
        let doubled = Duration::from_millis(self.retry_ms)
            .saturating_mul(1 << attempts.saturating_sub(1).min(16));
        doubled.min(Duration::from_millis(self.max_retry_ms))
    }
}
