//! `[keys]`, `[calls]` and `[limits]` of the configuration.

use serde::{Deserialize, Serialize};

/// How API keys are kept in memory.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeysConfig {
    /// How often they are read again, so that what another process changed takes effect.
    pub refresh_ms: u64,
    /// The most active keys; no more are made beyond it.
    pub max_keys: usize,
}

impl Default for KeysConfig {
    fn default() -> Self {
        Self {
            refresh_ms: 2_000,
            max_keys: 100_000,
        }
    }
}

/// How call records reach the database.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallsConfig {
    /// Where records wait until the database has them.
    pub spool_dir: String,
    /// The most the spool may hold, in bytes; when it is full, new requests are refused with 503.
    pub spool_max_bytes: u64,
    /// How often the spool is emptied into the database.
    pub flush_ms: u64,
    /// The most records of one transaction.
    pub batch: usize,
    /// Records older than this are removed; 0 = kept for good.
    pub retention_days: u32,
}

impl Default for CallsConfig {
    fn default() -> Self {
        Self {
            spool_dir: "data/spool".to_owned(),
            spool_max_bytes: 256 << 20,
            flush_ms: 200,
            batch: 250,
            retention_days: 90,
        }
    }
}

/// What may be under way at a time.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Requests under way in the whole gateway; 0 = no limit. As many again may wait.
    pub max_in_flight: usize,
    /// Requests under way of one app that has no limit of its own; 0 = no limit. As many again may wait.
    pub max_in_flight_per_app: usize,
    /// How long a request waits for its turn before it is refused with 429 or 503.
    pub max_wait_ms: u64,
    /// Requests of one API key in each minute of the clock, over all nodes that share a key-value store; 0 = no limit.
    pub requests_per_minute: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            max_in_flight: 10_000,
            max_in_flight_per_app: 2_000,
            max_wait_ms: 1_000,
            requests_per_minute: 0,
        }
    }
}
