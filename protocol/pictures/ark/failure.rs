//! Why Ark failed: by `error.code`, since its 429 means haste as well as an empty account.

use std::time::Duration;

use serde_json::Value;

use super::super::{Answer, Failure};
use crate::failure::{FailureKind, QuotaScope};

/// What an answer means that is no success.
pub(super) fn classify(answer: &Answer<'_>) -> Failure {
    let body = answer.json();
    let known = body["error"]["code"].as_str();
    let kind = known.and_then(|code| by_code(code, answer.retry_after()));
    let failure = match kind {
        Some(kind) => said(kind, &body["error"]),
        None => said(Failure::of(answer).kind, &body["error"]),
    };
    Failure {
        status: Some(answer.status),
        ..failure
    }
}

/// What the error object of a single picture, an event or a task means.
pub(super) fn of_error(error: &Value) -> Failure {
    let kind = by_code(error["code"].as_str().unwrap_or_default(), None);
    said(kind.unwrap_or(FailureKind::Upstream), error)
}

fn said(kind: FailureKind, error: &Value) -> Failure {
    let failure = Failure::new(kind, error["message"].as_str().unwrap_or_default());
    match error["code"].as_str() {
        Some(code) if !code.is_empty() => failure.with_code(code),
        _ => failure,
    }
}

/// A code is a word, or words with points between, of which the first says most.
fn by_code(code: &str, retry_after: Option<Duration>) -> Option<FailureKind> {
    // of texts, pictures and videos, given and made, for several reasons
    if code.contains("SensitiveContentDetected") {
        return Some(FailureKind::ContentPolicy);
    }
    let rest = code.split_once('.').map_or("", |(_, rest)| rest);
    Some(match code.split('.').next()? {
        "MissingParameter" | "InvalidParameter" => FailureKind::InvalidRequest,
        "AuthenticationError" => FailureKind::AuthInvalid,
        "AccountOverdueError" => empty(QuotaScope::Credential),
        "OperationDenied" if rest == "ServiceOverdue" => empty(QuotaScope::Credential),
        "OperationDenied" | "AccessDenied" | "ModelNotOpen" | "InvalidEndpointOrModel" => {
            FailureKind::NotEntitled
        }
        // the free trial of a model, and the operator's own cap of it: neither comes back by itself
        "QuotaExceeded" | "SetLimitExceeded" => empty(QuotaScope::CredentialModel),
        "ServerOverloaded" => FailureKind::Overloaded { retry_after },
        "RateLimitExceeded"
        | "ModelAccountRpmRateLimitExceeded"
        | "ModelAccountTpmRateLimitExceeded"
        | "ModelAccountIpmRateLimitExceeded"
        | "APIAccountRpmRateLimitExceeded"
        | "AccountRateLimitExceeded"
        | "RequestBurstTooFast"
        | "InflightBatchsizeExceeded" => FailureKind::RateLimited { retry_after },
        "InternalServiceError" => FailureKind::Upstream,
        _ => return None,
    })
}

const fn empty(scope: QuotaScope) -> FailureKind {
    FailureKind::QuotaExhausted {
        scope,
        retry_after: None,
    }
}
