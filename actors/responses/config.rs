//! `[responses]` of the configuration.

use serde::{Deserialize, Serialize};

/// How stored responses are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResponsesConfig {
    /// How long each is kept.
    pub retention_hours: u32,
    /// The most turns of one conversation.
    pub max_chain: usize,
    /// The most that one turn may take, its input and its answer together.
    pub max_bytes: usize,
    /// The most that all turns of one conversation may take, since they are in memory together.
    pub max_chain_bytes: usize,
    /// How often those that have expired are removed.
    pub sweep_ms: u64,
}

impl Default for ResponsesConfig {
    fn default() -> Self {
        Self {
            retention_hours: 720,
            max_chain: 100,
            max_bytes: 8 << 20,
            max_chain_bytes: 32 << 20,
            sweep_ms: 60_000,
        }
    }
}
