//! Why an attempt at an upstream failed, in the few kinds that decide what happens next.

use std::time::Duration;

use derive_more::Display;
use serde::Serialize;

/// The kind of a failed attempt. Each upstream protocol has one classifier that yields it; pools,
/// breakers, fallback and the error renderers only ever look at this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum FailureKind {
    /// The caller's request is at fault: no other credential would help.
    #[display("invalid_request")]
    InvalidRequest,
    /// The upstream refused the content.
    #[display("content_policy")]
    ContentPolicy,
    /// The credential is not, or no longer, valid.
    #[display("auth_invalid")]
    AuthInvalid,
    /// The credential is valid but may not use this model or feature.
    #[display("not_entitled")]
    NotEntitled,
    /// Too fast; `retry_after` is the upstream's own word where it gave one.
    #[display("rate_limited")]
    RateLimited { retry_after: Option<Duration> },
    /// The quota is used up for longer than a rate limit lasts.
    #[display("quota_exhausted")]
    QuotaExhausted {
        scope: QuotaScope,
        retry_after: Option<Duration>,
    },
    /// The upstream is too busy (503, 529, "overloaded").
    #[display("overloaded")]
    Overloaded { retry_after: Option<Duration> },
    /// One of our time-outs passed: connect, first byte, idle or total.
    #[display("timeout")]
    Timeout,
    /// No connection, or it broke.
    #[display("network")]
    Network,
    /// The upstream failed in its own way (5xx, malformed answer).
    #[display("upstream")]
    Upstream,
    /// The client left; nobody's fault.
    #[display("cancelled")]
    Cancelled,
}

/// What an exhausted quota covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaScope {
    Credential,
    CredentialModel,
    /// The credential, for a day that began with its first use: when that was, only its pool knows. To be
    /// told where the upstream names no time itself.
    CredentialDay,
}

impl FailureKind {
    /// What happened, in plain words for a client.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::InvalidRequest => "the upstream refused the request",
            Self::ContentPolicy => "the upstream refused the content",
            Self::AuthInvalid => {
                "the upstream refused the gateway's credential; the operator must check it"
            }
            Self::NotEntitled => "the gateway's credential may not use this model",
            Self::RateLimited { .. } => "the upstream limits the rate of requests",
            Self::QuotaExhausted { .. } => "the quota of the gateway's credentials is used up",
            Self::Overloaded { .. } => "the upstream is overloaded",
            Self::Timeout => "the upstream did not answer in time",
            Self::Network => "the upstream could not be reached",
            Self::Upstream => "the upstream failed",
            Self::Cancelled => "the request was cancelled",
        }
    }

    /// Whether it is about the operator's account: what the upstream said of that is not the client's affair.
    #[must_use]
    pub fn is_of_the_account(self) -> bool {
        matches!(self, Self::AuthInvalid | Self::QuotaExhausted { .. })
    }

    /// Whether another credential of the same provider may succeed where this attempt failed.
    #[must_use]
    pub fn worth_another_credential(self) -> bool {
        !matches!(
            self,
            Self::InvalidRequest | Self::ContentPolicy | Self::Cancelled
        )
    }

    /// Whether this credential, and perhaps each of them, serves again when time has passed.
    #[must_use]
    pub fn passes_with_time(self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::QuotaExhausted { .. })
    }

    /// The same, where it [passes with time](Self::passes_with_time), to be asked again after `time`.
    #[must_use]
    pub fn again_in(self, time: Duration) -> Self {
        let retry_after = Some(time);
        match self {
            Self::RateLimited { .. } => Self::RateLimited { retry_after },
            Self::QuotaExhausted { scope, .. } => Self::QuotaExhausted { scope, retry_after },
            other => other,
        }
    }

    /// How long the upstream asked us to stay away, where it did.
    #[must_use]
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after }
            | Self::QuotaExhausted { retry_after, .. }
            | Self::Overloaded { retry_after } => retry_after,
            _ => None,
        }
    }
}
