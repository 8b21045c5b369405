//! `[answers]` of the configuration.

use serde::{Deserialize, Serialize};

/// How answers are kept to be given again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnswersConfig {
    /// The largest answer that is kept or shared, in bytes.
    pub max_bytes: usize,
    /// The most memory that all of them may take while they are made or wait, in bytes.
    pub max_total_bytes: usize,
    /// How long the answer to an `Idempotency-Key` is kept.
    pub retention_hours: u32,
    /// How long after its start, or its end, a request counts as repeated by one with the same body; for keys with
    /// dedupe.
    pub dedupe_window_ms: u64,
}

impl Default for AnswersConfig {
    fn default() -> Self {
        Self {
            max_bytes: 1 << 20,
            max_total_bytes: 64 << 20,
            retention_hours: 24,
            dedupe_window_ms: 2_000,
        }
    }
}
