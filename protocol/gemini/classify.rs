//! The classifier of Google's failed answers.
//!
//! They are `{"error": {code, message, status, details}}`, or a list of one such. The reason in
//! `details` is trusted before the status, the status before words; and words only where no request
//! can put them into Google's mouth.

use std::time::Duration;

use serde_json::Value;

use crate::{
    failure::{FailureKind, QuotaScope},
    openai::{classify::retry_delay, upstream_error::Said},
};

/// A used-up day is told with the wait of a minute; what is shorter than this is not believed then.
const SHORTEST_DAY: Duration = Duration::from_secs(600);

/// Of `403`s: texts that are about the key itself.
const BAD_KEY: &[&str] = &[
    "api key",
    "api_key",
    "leaked",
    "suspended",
    "unregistered callers",
];

const NO_MONEY: &[&str] = &["billing", "prepayment credits", "credits are depleted"];

/// The kind of a failed answer.
///
/// `retry_after` is what the headers say; where they say nothing, `retryDelay` in the body stands in.
/// `body` may be cut off or anything but JSON.
#[must_use]
pub fn classify(status: u16, retry_after: Option<Duration>, body: &[u8]) -> FailureKind {
    let said = Said::read(body);
    let retry_after = retry_after.or_else(|| retry_delay(&said));
    if status < 500
        && let Some(kind) = by_reason(&said)
    {
        return kind;
    }
    by_status(status, retry_after, &said)
}

/// The kind of an error in a stream that began with 200.
#[must_use]
pub fn classify_event(data: &[u8]) -> FailureKind {
    let code = Said::read(data).code.parse().ok();
    let status = code.filter(|code| (400..600).contains(code));
    status.map_or(FailureKind::Upstream, |status| classify(status, None, data))
}

/// Whether a request was refused for the thought signatures in it, or for those that lack.
#[must_use]
pub fn is_signature_error(status: u16, body: &[u8]) -> bool {
    let message = Said::read(body).message.to_lowercase();
    let words = ["thought signature", "thought_signature", "thoughtsignature"];
    status == 400 && words.iter().any(|word| message.contains(word))
}

/// `details[].reason` of `google.rpc.ErrorInfo`.
fn by_reason(said: &Said) -> Option<FailureKind> {
    let mut reasons = details(said).filter_map(|detail| detail.get("reason")?.as_str());
    reasons.find_map(|reason| {
        Some(match reason {
            "API_KEY_INVALID" | "API_KEY_EXPIRED" | "CONSUMER_SUSPENDED" | "CONSUMER_INVALID" => {
                FailureKind::AuthInvalid
            }
            "API_KEY_SERVICE_BLOCKED" | "SERVICE_DISABLED" => FailureKind::NotEntitled,
            "BILLING_DISABLED" => no_money(),
            _ => return None,
        })
    })
}

/// By the status word, and by the number where there is none.
fn by_status(status: u16, retry_after: Option<Duration>, said: &Said) -> FailureKind {
    let message = said.message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let word = match &*said.kind {
        "" => word_of(status),
        word => word,
    };
    match word {
        "invalid_argument" if says_bad_key(&message) => FailureKind::AuthInvalid,
        "failed_precondition" if message.contains("location is not supported") => {
            FailureKind::NotEntitled
        }
        "failed_precondition" if has(NO_MONEY) => no_money(),
        "unauthenticated" => FailureKind::AuthInvalid,
        "permission_denied" if has(BAD_KEY) => FailureKind::AuthInvalid,
        "permission_denied" => FailureKind::NotEntitled,
        "resource_exhausted" => exhausted(retry_after, said),
        "cancelled" => FailureKind::Cancelled,
        "unavailable" => FailureKind::Overloaded { retry_after },
        "deadline_exceeded" => FailureKind::Timeout,
        "internal" | "unknown" | "data_loss" | "aborted" => FailureKind::Upstream,
        _ if (400..500).contains(&status) => FailureKind::InvalidRequest,
        _ => FailureKind::Upstream,
    }
}

/// Google's own table of numbers and words.
fn word_of(status: u16) -> &'static str {
    match status {
        400 => "invalid_argument",
        401 => "unauthenticated",
        403 => "permission_denied",
        408 | 504 => "deadline_exceeded",
        429 => "resource_exhausted",
        499 => "cancelled",
        503 => "unavailable",
        _ => "",
    }
}

/// At the beginning only: such an error may quote the request.
fn says_bad_key(message: &str) -> bool {
    ["api key not valid", "api key expired", "api_key_invalid"]
        .iter()
        .any(|words| message.starts_with(words))
}

/// A day's quota is one of a model; of several that are violated, the longest counts.
fn exhausted(retry_after: Option<Duration>, said: &Said) -> FailureKind {
    let message = said.message.to_lowercase();
    if message.contains("prepayment credits") || message.contains("credits are depleted") {
        return no_money();
    }
    let per_day = details(said)
        .filter_map(|detail| detail.get("violations")?.as_array())
        .flatten()
        .filter_map(|violation| violation.get("quotaId")?.as_str())
        .any(|id| id.contains("PerDay"));
    match per_day {
        true => FailureKind::QuotaExhausted {
            scope: QuotaScope::CredentialModel,
            retry_after: retry_after.filter(|wait| *wait >= SHORTEST_DAY),
        },
        false => FailureKind::RateLimited { retry_after },
    }
}

fn no_money() -> FailureKind {
    FailureKind::QuotaExhausted {
        scope: QuotaScope::Credential,
        retry_after: None,
    }
}

fn details(said: &Said) -> impl Iterator<Item = &Value> {
    let details = said.error.get("details").and_then(Value::as_array);
    details.into_iter().flatten()
}
