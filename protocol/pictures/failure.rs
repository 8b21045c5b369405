//! Why an order failed.

use std::time::Duration;

use serde::Serialize;

use super::errand::Answer;
use crate::{
    failure::{FailureKind, QuotaScope},
    openai::{classify::classify, upstream_error::clean},
};

/// One failed order, or one failed picture of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    pub kind: FailureKind,
    /// The upstream's own words, cleaned of secrets and cut to a line.
    pub message: Option<String>,
    /// The upstream's own code: `50413`, `OutputImageSensitiveContentDetected`.
    pub code: Option<String>,
    /// The upstream's status, where it answered.
    pub status: Option<u16>,
}

impl Failure {
    #[must_use]
    pub fn new(kind: FailureKind, message: &str) -> Self {
        Self {
            kind,
            message: clean(message),
            code: None,
            status: None,
        }
    }

    #[must_use]
    pub fn with_code(mut self, code: impl ToString) -> Self {
        self.code = Some(code.to_string());
        self
    }

    /// What an answer means that its own service has no special words for: as with OpenAI-compatible upstreams.
    #[must_use]
    pub fn of(answer: &Answer<'_>) -> Self {
        let kind = classify(answer.status, answer.retry_after(), answer.body);
        Self {
            status: Some(answer.status),
            ..Self::new(kind, &said(answer.body))
        }
    }

    /// The upstream's answer is not what its protocol says.
    #[must_use]
    pub fn malformed(what: &str) -> Self {
        Self::new(
            FailureKind::Upstream,
            &format!("the upstream's answer has no {what}"),
        )
    }

    /// The quota of the credential is used up for so long.
    #[must_use]
    pub fn quota(scope: QuotaScope, until: Duration, message: &str) -> Self {
        let kind = FailureKind::QuotaExhausted {
            scope,
            retry_after: Some(until),
        };
        Self::new(kind, message)
    }
}

/// The message of a failed answer in any of the usual shapes; its beginning where it is none of them.
#[must_use]
pub fn said(body: &[u8]) -> String {
    crate::openai::upstream_error::upstream_message(body).unwrap_or_default()
}
