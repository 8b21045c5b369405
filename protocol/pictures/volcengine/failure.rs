//! Why the Visual service failed, from its gateway's words, its own codes, and the status, in that order.

use std::time::Duration;

use serde_json::Value;

use super::super::{Answer, Failure};
use crate::failure::FailureKind;

/// The code of what went well.
pub(super) const SUCCESS: i64 = 10_000;

/// How long to stay away where the service does not say: its limits are those of a second, and of requests
/// under way.
const TOO_FAST: Duration = Duration::from_secs(1);
const TOO_MANY: Duration = Duration::from_secs(3);
const LONGEST: Duration = Duration::from_secs(60);

/// What an answer means that is not [`SUCCESS`].
pub(super) fn classify(answer: &Answer<'_>) -> Failure {
    let body = answer.json();
    let gateway = &body["ResponseMetadata"]["Error"];
    let failure = match (gateway, body["code"].as_i64()) {
        (Value::Object(_), _) => by_gateway(gateway, answer),
        (_, Some(code)) => {
            let kind = by_code(code, answer.retry_after());
            let kind = kind.unwrap_or_else(|| Failure::of(answer).kind);
            said(kind, &body["message"]).with_code(code)
        }
        _ => Failure::of(answer),
    };
    Failure {
        status: Some(answer.status),
        ..failure
    }
}

/// Of the service itself ("common return fields and error codes").
fn by_code(code: i64, retry_after: Option<Duration>) -> Option<FailureKind> {
    let wait = |otherwise| Some(retry_after.unwrap_or(otherwise).min(LONGEST));
    Some(match code {
        // pictures and words, before and after; banned words; copyright
        50411 | 50412 | 50413 | 50511 | 50512 | 50518 | 50519 => FailureKind::ContentPolicy,
        50429 => FailureKind::RateLimited {
            retry_after: wait(TOO_FAST),
        },
        50430 => FailureKind::RateLimited {
            retry_after: wait(TOO_MANY),
        },
        // "Access Denied": the service was not opened, or it was closed for arrears
        50400 => FailureKind::NotEntitled,
        // its algorithms, and the checks of risk, of filth and of copyright themselves
        50500 | 50501 | 50520 | 50521 | 50522 => FailureKind::Upstream,
        _ => return None,
    })
}

/// Of the gateway before it, which judges signatures and permissions.
fn by_gateway(error: &Value, answer: &Answer<'_>) -> Failure {
    let number = error["CodeN"].as_i64().unwrap_or_default();
    let kind = match (number, error["Code"].as_str().unwrap_or_default()) {
        (100_003, _)
        | (_, "MissingAuthenticationToken")
        | (100_005, _)
        | (_, "MissingSignature")
        | (100_009, _)
        | (_, "InvalidAccessKey")
        | (100_010, _)
        | (_, "SignatureDoesNotMatch") => FailureKind::AuthInvalid,
        (100_012, _) | (_, "LackPolicy") | (100_013, _) | (_, "AccessDenied") => {
            FailureKind::NotEntitled
        }
        (100_002, _) | (_, "MissingParameter") => FailureKind::InvalidRequest,
        // neither the client's fault nor the credential's: the gateway's clock, its base URL
        (100_004, _)
        | (_, "MissingRequestInfo")
        | (100_006, _)
        | (_, "InvalidTimestamp")
        | (100_007, _)
        | (_, "ServiceNotFound")
        | (100_008, _)
        | (_, "InvalidActionOrVersion") => FailureKind::Upstream,
        _ => Failure::of(answer).kind,
    };
    let failure = said(kind, &error["Message"]);
    match error["Code"].as_str() {
        Some(code) => failure.with_code(code),
        None => failure.with_code(number),
    }
}

fn said(kind: FailureKind, message: &Value) -> Failure {
    Failure::new(kind, message.as_str().unwrap_or_default())
}
