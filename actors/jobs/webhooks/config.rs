//! `[webhooks]` of the configuration.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How often and how long the ends of jobs are told to receivers, and how many of these there may be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhooksConfig {
    /// The most endpoints of one app.
    pub max_endpoints: usize,
    /// Deliveries under way at a time, in all.
    pub max_running: usize,
    /// Of them, of one app.
    pub max_running_per_app: usize,
    /// Of them, to one receiver: scheme, host and port.
    pub max_running_per_receiver: usize,
    /// One attempt, from the first connection to the last byte of the answer.
    pub timeout_ms: u64,
    /// So much of an answer is read, and thrown away.
    pub max_answer_bytes: usize,
    /// How often one is tried.
    pub max_attempts: u32,
    /// The wait after a first attempt that failed; doubles.
    pub retry_ms: u64,
    /// The longest of these waits, unless the receiver asks for a longer one.
    pub max_retry_ms: u64,
    /// How long one is tried; then it is a dead letter.
    pub max_age_hours: u32,
    /// How long a secret signs on after it was replaced.
    pub secret_grace_hours: u32,
    /// How long delivered ones are kept.
    pub retention_hours: u32,
    /// How long dead letters are kept.
    pub dead_retention_hours: u32,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self {
            max_endpoints: 10,
            max_running: 64,
            max_running_per_app: 32,
            max_running_per_receiver: 4,
            timeout_ms: 15_000,
            max_answer_bytes: 64 << 10,
            max_attempts: 500,
            retry_ms: 5_000,
            max_retry_ms: 1_800_000,
            max_age_hours: 72,
            secret_grace_hours: 24,
            retention_hours: 168,
            dead_retention_hours: 720,
        }
    }
}

impl WebhooksConfig {
    /// The wait before the attempt that follows `attempts` failed ones, at its longest.
    #[must_use]
    pub fn backoff(&self, attempts: u32) -> Duration {
        let doubled = Duration::from_millis(self.retry_ms)
            .saturating_mul(1 << attempts.saturating_sub(1).min(24));
        doubled.min(Duration::from_millis(self.max_retry_ms))
    }
}
