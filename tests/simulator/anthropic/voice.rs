//! Error answers in Anthropic's words.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    behaviour::{Reason, Refusal},
    voice::{Problem, Voice},
};

/// The id of all requests, in the header and in errors.
const REQUEST: &str = "req_sim";

/// How Anthropic refuses.
pub(crate) struct Anthropic;

impl Voice for Anthropic {
    fn no_credential(&self) -> Problem {
        let text = "x-api-key header is required";
        Problem::new(401, error("authentication_error", text))
    }

    fn bad_request(&self, message: &str) -> Problem {
        invalid(message)
    }

    fn no_model(&self) -> Problem {
        invalid("model: Field required")
    }

    fn refusal(&self, refusal: &Refusal, token: &str, model: &str) -> Problem {
        let (status, kind, text) = match refusal.reason {
            // this service refuses with 400 who has no credit left
            Reason::Quota => (
                400,
                "invalid_request_error",
                "Your credit balance is too low to access the Anthropic API. Please go to Plans & \
                 Billing to upgrade or purchase credits."
                    .to_owned(),
            ),
            Reason::Policy => (
                400,
                "invalid_request_error",
                "Output blocked by content filtering policy".to_owned(),
            ),
            Reason::LeaksCredential => (
                401,
                "authentication_error",
                format!("invalid x-api-key: {token}"),
            ),
            Reason::WrongCredential => usual(401, model),
            Reason::Usual | Reason::Body(_) => usual(refusal.status, model),
        };
        Problem {
            retry_after: refusal.retry_after.clone(),
            ..Problem::new(status, error(kind, &text))
        }
    }

    fn headers(&self, spent: bool) -> Vec<(&'static str, String)> {
        let reset = in_a_minute();
        let left = if spent { 0 } else { 3999 };
        vec![
            ("request-id", REQUEST.to_owned()),
            ("anthropic-organization-id", "org-sim".to_owned()),
            ("anthropic-ratelimit-requests-limit", 4000.to_string()),
            ("anthropic-ratelimit-requests-remaining", left.to_string()),
            ("anthropic-ratelimit-requests-reset", reset.clone()),
            ("anthropic-ratelimit-tokens-limit", 480_000.to_string()),
            ("anthropic-ratelimit-tokens-remaining", 479_000.to_string()),
            ("anthropic-ratelimit-tokens-reset", reset.clone()),
            (
                "anthropic-ratelimit-input-tokens-limit",
                400_000.to_string(),
            ),
            (
                "anthropic-ratelimit-input-tokens-remaining",
                399_000.to_string(),
            ),
            ("anthropic-ratelimit-input-tokens-reset", reset.clone()),
            (
                "anthropic-ratelimit-output-tokens-limit",
                80_000.to_string(),
            ),
            (
                "anthropic-ratelimit-output-tokens-remaining",
                80_000.to_string(),
            ),
            ("anthropic-ratelimit-output-tokens-reset", reset),
        ]
    }
}

/// 400 in this service's shape.
pub(super) fn invalid(message: &str) -> Problem {
    Problem::new(400, error("invalid_request_error", message))
}

/// The event that ends a stream in mid-way.
pub(super) fn stream_error() -> Value {
    error("overloaded_error", "Overloaded")
}

fn error(kind: &str, message: &str) -> Value {
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": REQUEST})
}

fn usual(status: u16, model: &str) -> (u16, &'static str, String) {
    let (kind, text) = match status {
        401 => ("authentication_error", "invalid x-api-key"),
        402 => ("billing_error", "Your account has a billing problem."),
        403 => (
            "permission_error",
            "Your API key does not have permission to use the specified resource.",
        ),
        404 => return (404, "not_found_error", format!("model: {model}")),
        413 => ("request_too_large", "Request exceeds the maximum size"),
        429 => (
            "rate_limit_error",
            "This request would exceed your organization's rate limit of 50 requests per minute. \
             Please try again later.",
        ),
        504 => ("timeout_error", "Request timed out."),
        529 => ("overloaded_error", "Overloaded"),
        500.. => ("api_error", "Internal server error"),
        _ => (
            "invalid_request_error",
            "prompt is too long: 208310 tokens > 200000 maximum",
        ),
    };
    (status, kind, text.to_owned())
}

/// When a rate limit is whole again: RFC 3339 to the second.
fn in_a_minute() -> String {
    let reset: DateTime<Utc> = Utc::now() + TimeDelta::seconds(60);
    reset.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
