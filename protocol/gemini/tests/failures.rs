//! What a failed answer means.

use std::time::Duration;

use crate::{
    failure::{FailureKind, QuotaScope},
    gemini::classify::{classify, classify_event, is_signature_error},
};

fn body(code: u16, status: &str, message: &str, details: &str) -> String {
    format!(
        r#"{{"error":{{"code":{code},"message":"{message}","status":"{status}","details":[{details}]}}}}"#
    )
}

#[test]
fn each_word_has_its_kind() {
    use FailureKind::*;
    let no_money = QuotaExhausted {
        scope: QuotaScope::Credential,
        retry_after: None,
    };
    let limited = RateLimited { retry_after: None };
    let info = |reason: &str| {
        format!(
            r#"{{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"{reason}","domain":"googleapis.com"}}"#
        )
    };
    let cases = [
        (
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            info("API_KEY_INVALID"),
            AuthInvalid,
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            String::new(),
            AuthInvalid,
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "API key expired. Please renew the API key.",
            String::new(),
            AuthInvalid,
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "Invalid value at 'contents': api key not valid",
            String::new(),
            InvalidRequest,
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "Unsupported MIME type: image/jpg",
            String::new(),
            InvalidRequest,
        ),
        (
            400,
            "FAILED_PRECONDITION",
            "User location is not supported for the API use.",
            String::new(),
            NotEntitled,
        ),
        (
            400,
            "FAILED_PRECONDITION",
            "Gemini API free tier is not available in your country. Please enable billing on your project.",
            String::new(),
            no_money,
        ),
        (
            400,
            "FAILED_PRECONDITION",
            "The file is not in an ACTIVE state.",
            String::new(),
            InvalidRequest,
        ),
        (
            401,
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials.",
            String::new(),
            AuthInvalid,
        ),
        (
            403,
            "PERMISSION_DENIED",
            "Your API key was reported as leaked. Please use another API key.",
            String::new(),
            AuthInvalid,
        ),
        (
            403,
            "PERMISSION_DENIED",
            "Permission denied: Consumer 'projects/1' has been suspended.",
            info("CONSUMER_SUSPENDED"),
            AuthInvalid,
        ),
        (
            403,
            "PERMISSION_DENIED",
            "Requests to this API are blocked.",
            info("API_KEY_SERVICE_BLOCKED"),
            NotEntitled,
        ),
        (
            403,
            "PERMISSION_DENIED",
            "You do not have permission to access tuned model x.",
            String::new(),
            NotEntitled,
        ),
        (
            404,
            "NOT_FOUND",
            "models/gemini-9 is not found for API version v1beta.",
            String::new(),
            InvalidRequest,
        ),
        (
            429,
            "RESOURCE_EXHAUSTED",
            "Resource has been exhausted (e.g. check quota).",
            String::new(),
            limited,
        ),
        (
            429,
            "RESOURCE_EXHAUSTED",
            "Your prepayment credits are depleted.",
            String::new(),
            no_money,
        ),
        (
            499,
            "CANCELLED",
            "The operation was cancelled.",
            String::new(),
            Cancelled,
        ),
        (
            500,
            "INTERNAL",
            "An internal error has occurred.",
            String::new(),
            Upstream,
        ),
        (
            503,
            "UNAVAILABLE",
            "The model is overloaded. Please try again later.",
            String::new(),
            Overloaded { retry_after: None },
        ),
        (
            504,
            "DEADLINE_EXCEEDED",
            "The request timed out.",
            String::new(),
            Timeout,
        ),
    ];
    for (code, status, message, details, expected) in cases {
        let one = body(code, status, message, &details);
        assert_eq!(classify(code, None, one.as_bytes()), expected, "{one}");
        let list = format!("[{one}]");
        assert_eq!(classify(code, None, list.as_bytes()), expected, "{list}");
        assert_eq!(classify_event(one.as_bytes()), expected, "{one}");
    }
}

#[test]
fn a_body_that_says_nothing_leaves_the_number() {
    use FailureKind::*;
    let cases = [
        (400, InvalidRequest),
        (401, AuthInvalid),
        (403, NotEntitled),
        (404, InvalidRequest),
        (408, Timeout),
        (429, RateLimited { retry_after: None }),
        (500, Upstream),
        (502, Upstream),
        (503, Overloaded { retry_after: None }),
        (504, Timeout),
    ];
    for (status, expected) in cases {
        for body in ["", "<html>", "{}", "[]", r#"{"error":null}"#] {
            assert_eq!(
                classify(status, None, body.as_bytes()),
                expected,
                "{status} {body}"
            );
        }
    }
    assert_eq!(classify_event(b"{}"), Upstream);
    let info = r#"{"reason":"API_KEY_INVALID"}"#;
    let failing = body(500, "INTERNAL", "x", info);
    assert_eq!(classify(500, None, failing.as_bytes()), Upstream);
}

#[test]
fn a_minutes_quota_is_a_rate_and_a_days_is_the_models() {
    let quota = |ids: &[&str], delay: &str| {
        let violations: Vec<String> = ids
            .iter()
            .map(|id| format!(r#"{{"quotaId":"{id}"}}"#))
            .collect();
        let details = format!(
            r#"{{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{}]}},{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{delay}"}}"#,
            violations.join(",")
        );
        body(
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota, please check your plan and billing details.",
            &details,
        )
    };
    let kind = |body: String| classify(429, None, body.as_bytes());
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let day = |retry_after| FailureKind::QuotaExhausted {
        scope: QuotaScope::CredentialModel,
        retry_after,
    };
    let minute = "GenerateContentInputTokensPerModelPerMinute-FreeTier";
    let daily = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";
    let limited = FailureKind::RateLimited {
        retry_after: seconds(26),
    };
    assert_eq!(kind(quota(&[minute], "26s")), limited);
    assert_eq!(kind(quota(&[minute, daily], "26s")), day(None));
    assert_eq!(kind(quota(&[daily], "7200s")), day(seconds(7200)));
    let told = classify(429, seconds(5), quota(&[minute], "26s").as_bytes());
    assert_eq!(
        told,
        FailureKind::RateLimited {
            retry_after: seconds(5)
        }
    );
}

#[test]
fn signature_errors() {
    let cases = [
        (
            400,
            "Function call is missing a thought_signature in functionCall parts.",
            true,
        ),
        (400, "Thought signature is not valid.", true),
        (400, "Corrupted thought signature.", true),
        (
            400,
            "Unable to submit request because function call `f` in the 2. content block is missing a `thought_signature`.",
            true,
        ),
        (
            400,
            "Please ensure that the number of function response parts is equal to the number of function call parts.",
            false,
        ),
        (500, "Thought signature is not valid.", false),
    ];
    for (status, message, expected) in cases {
        let body = body(status, "INVALID_ARGUMENT", message, "");
        assert_eq!(
            is_signature_error(status, body.as_bytes()),
            expected,
            "{message}"
        );
    }
}
