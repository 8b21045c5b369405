//! `[housekeeping]` of the configuration. What is kept for how long is said in `[jobs]` and `[storage]`.

use serde::{Deserialize, Serialize};

/// How often it is done, and how carefully.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HousekeepingConfig {
    /// Whether it is done by itself; an admin may have it done all the same.
    pub automatic: bool,
    /// How often it is done by itself.
    pub every_seconds: u64,
    /// How often files and their rows are compared then.
    pub compare_hours: u64,
    /// What is younger may still be on its way, and is no orphan.
    pub grace_seconds: u64,
    /// The most rows or files that are looked at, or removed, in one step.
    pub batch: usize,
}

impl Default for HousekeepingConfig {
    fn default() -> Self {
        Self {
            automatic: true,
            every_seconds: 600,
            compare_hours: 24,
            grace_seconds: 3_600,
            batch: 200,
        }
    }
}
