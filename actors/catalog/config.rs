//! `[[route]]` of the configuration: names for clients, and who serves them.

use std::fmt;

use derive_more::Display;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use troupe_protocol::failure::FailureKind;

/// One `[[route]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// The name that clients use. It goes before the bare names of providers' models, never before full
    /// ids.
    pub model: String,
    pub targets: Vec<TargetEntry>,
    /// The failures after which the next target is asked.
    #[serde(default = "FallbackOn::usual")]
    pub on: Vec<FallbackOn>,
    /// The most targets that one request is sent to.
    #[serde(default = "max_attempts")]
    pub max_attempts: usize,
    /// No further target is asked once a request has taken so long.
    #[serde(default = "budget_ms")]
    pub budget_ms: u64,
    /// Whether a conversation gets the same target each time, while that can serve.
    #[serde(default = "yes")]
    pub sticky: bool,
}

fn max_attempts() -> usize {
    3
}

fn budget_ms() -> u64 {
    120_000
}

fn yes() -> bool {
    true
}

impl RouteConfig {
    /// The targets with their weights and priorities. Plain names are a list to go along: each has its
    /// place in it as its priority.
    pub fn targets(&self) -> impl Iterator<Item = TargetConfig> {
        (0..)
            .zip(&self.targets)
            .map(|(place, target)| match target {
                TargetEntry::Name(model) => TargetConfig {
                    model: model.clone(),
                    weight: 1,
                    priority: place,
                },
                TargetEntry::Full(target) => target.clone(),
            })
    }
}

/// A target of a route: a full id alone, or a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetEntry {
    Name(String),
    Full(TargetConfig),
}

// by hand, since `untagged` would answer a misspelt key with "no variant matches"
impl<'de> Deserialize<'de> for TargetEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = TargetEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`provider/model`, or a table with `model`")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<TargetEntry, E> {
                Ok(TargetEntry::Name(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TargetEntry, A::Error> {
                TargetConfig::deserialize(MapAccessDeserializer::new(map)).map(TargetEntry::Full)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// A target with more to say than its name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// The full id, `provider/model`.
    pub model: String,
    /// Its share among the targets of its priority, 1 or more.
    #[serde(default = "one")]
    pub weight: u32,
    /// Lower ones are asked first.
    #[serde(default)]
    pub priority: u32,
}

fn one() -> u32 {
    1
}

/// The failures that may lead to the next target; the words are those of [`FailureKind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[display(rename_all = "snake_case")]
pub enum FallbackOn {
    RateLimited,
    QuotaExhausted,
    Overloaded,
    Timeout,
    Network,
    Upstream,
    AuthInvalid,
    NotEntitled,
    InvalidRequest,
    ContentPolicy,
}

impl FallbackOn {
    /// All that say something of the target rather than of the request.
    fn usual() -> Vec<Self> {
        vec![
            Self::RateLimited,
            Self::QuotaExhausted,
            Self::Overloaded,
            Self::Timeout,
            Self::Network,
            Self::Upstream,
            Self::AuthInvalid,
            Self::NotEntitled,
        ]
    }

    /// The word for a failure; none for a client that left.
    #[must_use]
    pub fn of(kind: FailureKind) -> Option<Self> {
        Some(match kind {
            FailureKind::RateLimited { .. } => Self::RateLimited,
            FailureKind::QuotaExhausted { .. } => Self::QuotaExhausted,
            FailureKind::Overloaded { .. } => Self::Overloaded,
            FailureKind::Timeout => Self::Timeout,
            FailureKind::Network => Self::Network,
            FailureKind::Upstream => Self::Upstream,
            FailureKind::AuthInvalid => Self::AuthInvalid,
            FailureKind::NotEntitled => Self::NotEntitled,
            FailureKind::InvalidRequest => Self::InvalidRequest,
            FailureKind::ContentPolicy => Self::ContentPolicy,
            FailureKind::Cancelled => return None,
        })
    }
}
