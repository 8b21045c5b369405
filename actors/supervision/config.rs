//! `[supervision]` of the configuration.

use serde::{Deserialize, Serialize};

/// How actors are restarted, watched and called.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SupervisionConfig {
    /// First wait before a restart; doubles with each restart inside `period_seconds`.
    pub backoff_min_ms: u64,
    /// The longest wait before a restart.
    pub backoff_max_ms: u64,
    /// Restarts of one actor inside `period_seconds` before its group is restarted as a whole.
    pub intensity: u32,
    /// The window in which restarts of an actor are counted.
    pub period_seconds: u64,
    /// Restarts of one group inside `group_period_seconds` before the group above it is restarted, or,
    /// above all of them, the process ends.
    pub group_intensity: u32,
    /// The window in which restarts of a group are counted.
    pub group_period_seconds: u64,
    /// An actor that has not answered the watchdog for this long is reported as frozen and replaced.
    pub freeze_seconds: u64,
    /// The longest wait of a call to an actor.
    pub ask_timeout_ms: u64,
    /// Messages waiting in one mailbox before further calls are refused.
    pub mailbox_limit: u64,
    /// Lets an admin make an actor panic, stop or freeze through the API. For tests and game days.
    pub fault_injection: bool,
}

impl Default for SupervisionConfig {
    fn default() -> Self {
        Self {
            backoff_min_ms: 10,
            backoff_max_ms: 10_000,
            intensity: 10,
            period_seconds: 120,
            group_intensity: 3,
            group_period_seconds: 600,
            freeze_seconds: 20,
            ask_timeout_ms: 2_000,
            mailbox_limit: 10_000,
            fault_injection: false,
        }
    }
}
