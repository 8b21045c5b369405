//! `[tokens]` of the configuration.

use serde::{Deserialize, Serialize};

/// How token counts are estimated.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokensConfig {
    /// Texts whose counts are remembered, under their hashes; some 100 bytes each. 0 = none.
    pub cache_entries: usize,
}

impl Default for TokensConfig {
    fn default() -> Self {
        Self {
            cache_entries: 10_000,
        }
    }
}
