//! What Google's errors mean, in its own words.

use std::time::Duration;

use serde_json::{Value, json};

use super::{FLASH, made};
use crate::{
    failure::{FailureKind, QuotaScope},
    pictures::{Action, testing::says},
};

fn failed(status: u16, word: &str, message: &str, details: &Value) -> FailureKind {
    let error = json!({"code": status, "message": message, "status": word, "details": details});
    let line = says(status, &json!({"error": error}));
    let played = made(FLASH, Action::Generate, |_| {}, &[line]);
    assert_eq!(played.failure().status, Some(status));
    assert_eq!(played.failure().code.as_deref(), Some(word));
    played.failure().kind
}

#[test]
fn quotas_are_those_of_a_day_or_of_a_minute() {
    let quota = |id: &str, delay: &str| {
        json!([
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": id, "quotaValue": "100"}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
        ])
    };
    let message = "You exceeded your current quota, please check your plan and billing details.";
    let kind = |details: &Value, message: &str| failed(429, "RESOURCE_EXHAUSTED", message, details);
    let minute = quota(
        "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
        "34.4s",
    );
    let limited = FailureKind::RateLimited {
        retry_after: Some(Duration::from_millis(34_400)),
    };
    assert_eq!(kind(&minute, message), limited);
    // ten in the morning in UTC is two in the morning on the Pacific coast
    let day = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "26s");
    let midnight = FailureKind::QuotaExhausted {
        scope: QuotaScope::CredentialModel,
        retry_after: Some(Duration::from_secs(22 * 3600)),
    };
    assert_eq!(kind(&day, message), midnight);
    let none = format!(
        "{message} * Quota exceeded for metric: \
         generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0, model: {FLASH}"
    );
    assert_eq!(kind(&day, &none), FailureKind::NotEntitled);
    let money = FailureKind::QuotaExhausted {
        scope: QuotaScope::Credential,
        retry_after: None,
    };
    let prepaid =
        "Your prepayment credits are depleted. Please go to AI Studio to manage your billing.";
    assert_eq!(kind(&json!([]), prepaid), money);
}

#[test]
fn failed_answers_mean_what_they_say() {
    let bad_key =
        json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]);
    let blocked = "Image generation failed with the following error: The prompt could not be submitted. \
                   Your current safety filter threshold prohibited one or more words in this prompt.";
    let response = "Image generation failed with the following error: The response is blocked, as it may \
                    violate our policies.";
    for (status, word, message, details, kind) in [
        (
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            bad_key,
            FailureKind::AuthInvalid,
        ),
        (
            403,
            "PERMISSION_DENIED",
            "Your API key was reported as leaked. Please use another API key.",
            json!([]),
            FailureKind::AuthInvalid,
        ),
        (
            403,
            "PERMISSION_DENIED",
            "The caller does not have permission",
            json!([]),
            FailureKind::NotEntitled,
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "Imagen API is only accessible to billed users at this time.",
            json!([]),
            FailureKind::NotEntitled,
        ),
        (
            400,
            "FAILED_PRECONDITION",
            "User location is not supported for the API use.",
            json!([]),
            FailureKind::NotEntitled,
        ),
        (
            400,
            "INVALID_ARGUMENT",
            blocked,
            json!([]),
            FailureKind::ContentPolicy,
        ),
        (
            400,
            "INVALID_ARGUMENT",
            response,
            json!([]),
            FailureKind::ContentPolicy,
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "Aspect ratio is not enabled for this model",
            json!([]),
            FailureKind::InvalidRequest,
        ),
        (
            404,
            "NOT_FOUND",
            "models/x is not found for API version v1beta",
            json!([]),
            FailureKind::InvalidRequest,
        ),
        (
            500,
            "INTERNAL",
            "An internal error has occurred.",
            json!([]),
            FailureKind::Upstream,
        ),
        (
            503,
            "UNAVAILABLE",
            "The model is overloaded. Please try again later.",
            json!([]),
            FailureKind::Overloaded { retry_after: None },
        ),
    ] {
        assert_eq!(failed(status, word, message, &details), kind, "{message}");
    }
}
