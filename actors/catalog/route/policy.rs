//! When a route goes on to its next target.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use troupe_protocol::failure::FailureKind;

use crate::catalog::config::{FallbackOn, RouteConfig};

/// The rules of one route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoutePolicy {
    /// The route's name.
    #[serde(skip)]
    pub model: Arc<str>,
    pub on: Vec<FallbackOn>,
    pub max_attempts: usize,
    pub budget_ms: u64,
    pub sticky: bool,
}

impl From<&RouteConfig> for RoutePolicy {
    fn from(config: &RouteConfig) -> Self {
        Self {
            model: config.model.as_str().into(),
            on: config.on.clone(),
            max_attempts: config.max_attempts.max(1),
            budget_ms: config.budget_ms,
            sticky: config.sticky,
        }
    }
}

impl RoutePolicy {
    /// Whether another target is asked after one failed with `kind`, with `tried` targets asked so far
    /// and `elapsed` since the first.
    #[must_use]
    pub fn continues(&self, kind: FailureKind, tried: usize, elapsed: Duration) -> bool {
        self.falls_back_on(kind)
            && tried < self.max_attempts
            && elapsed < Duration::from_millis(self.budget_ms)
    }

    /// Whether a failure of that kind is one after which the next target may help.
    #[must_use]
    pub fn falls_back_on(&self, kind: FailureKind) -> bool {
        FallbackOn::of(kind).is_some_and(|kind| self.on.contains(&kind))
    }
}

#[cfg(test)]
mod tests {
    use troupe_protocol::failure::QuotaScope;

    use super::*;

    const ALL: [FailureKind; 11] = [
        FailureKind::RateLimited { retry_after: None },
        FailureKind::QuotaExhausted {
            scope: QuotaScope::Credential,
            retry_after: None,
        },
        FailureKind::Overloaded { retry_after: None },
        FailureKind::Timeout,
        FailureKind::Network,
        FailureKind::Upstream,
        FailureKind::AuthInvalid,
        FailureKind::NotEntitled,
        FailureKind::InvalidRequest,
        FailureKind::ContentPolicy,
        FailureKind::Cancelled,
    ];

    fn policy(more: &str) -> RoutePolicy {
        let json = format!(r#"{{"model": "smart", "targets": ["a/x"]{more}}}"#);
        let config: RouteConfig = serde_json::from_str(&json).unwrap();
        RoutePolicy::from(&config)
    }

    #[test]
    fn it_goes_on_after_what_is_the_targets_fault() {
        let policy = policy("");
        let goes_on = ALL.map(|kind| policy.continues(kind, 1, Duration::ZERO));
        let wanted: Vec<bool> = (0..ALL.len()).map(|place| place < 8).collect();
        assert_eq!(goes_on[..], wanted);
    }

    #[test]
    fn an_operator_names_failures_as_the_protocol_does() {
        for kind in ALL {
            let policy =
                policy(&format!(r#", "on": ["{kind}"]"#).replace(r#"["cancelled"]"#, "[]"));
            let goes_on = ALL.map(|kind| policy.continues(kind, 1, Duration::ZERO));
            let count = goes_on.iter().filter(|goes_on| **goes_on).count();
            assert_eq!(count, usize::from(kind != FailureKind::Cancelled), "{kind}");
            assert_eq!(policy.continues(kind, 1, Duration::ZERO), count == 1);
            if let Some(word) = FallbackOn::of(kind) {
                assert_eq!(word.to_string(), kind.to_string());
            }
        }
    }

    #[test]
    fn targets_and_time_are_bounded() {
        let policy = policy(r#", "max_attempts": 2, "budget_ms": 1000"#);
        let fault = FailureKind::Upstream;
        let just = Duration::from_millis(999);
        assert!(policy.continues(fault, 1, just));
        assert!(!policy.continues(fault, 2, just));
        assert!(!policy.continues(fault, 1, Duration::from_secs(1)));
    }
}
