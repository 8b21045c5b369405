//! A model that a provider offers.

use std::sync::Arc;

use super::config::{ModelConfig, ModelEntry};

/// One model, and what it is called on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// What clients call it, without the provider's prefix.
    pub id: Arc<str>,
    /// What the upstream calls it.
    pub upstream: Arc<str>,
    /// A hint such as `chat` or `text2image`.
    pub kind: Option<String>,
}

impl From<&ModelEntry> for Model {
    fn from(entry: &ModelEntry) -> Self {
        match entry {
            ModelEntry::Id(id) => Self::named(id),
            ModelEntry::Full(config) => {
                let ModelConfig {
                    id, upstream, kind, ..
                } = &**config;
                Self {
                    id: id.as_str().into(),
                    upstream: upstream.as_deref().unwrap_or(id).into(),
                    kind: kind.clone(),
                }
            }
        }
    }
}

impl Model {
    /// A model whose id is also its name at the upstream.
    #[must_use]
    pub fn named(id: &str) -> Self {
        Self {
            id: id.into(),
            upstream: id.into(),
            kind: None,
        }
    }
}
