//! The classifier of failed answers of Anthropic and of services that speak its dialect.
//!
//! Most of it is the one for OpenAI-compatible upstreams, which knows Anthropic's types and the codes
//! of services that offer both dialects. Here stands what Anthropic says with a status that misleads.

use std::time::Duration;

use crate::{
    failure::{FailureKind, QuotaScope},
    openai::{classify as openai, upstream_error::Said},
};

/// Beginnings of what Anthropic says, with 400 of all things, of an account that has run dry.
const SPENT: &[&str] = &[
    "your credit balance is too low",
    "you have reached your specified api usage limits",
    "you have reached your specified workspace api usage limits",
];

/// Words of limits that outlast a minute, in the message of a 429 or 403.
const LONG_LIMITS: &[&str] = &["usage limit", "spend limit", "spending limit"];

/// Beginnings by which a token that no longer counts is refused with 403.
const REVOKED: &[&str] = &["oauth token has been revoked", "oauth token has expired"];

/// The kind of a failed answer. `retry_after` is what the headers say; `body` may be cut off or
/// anything but JSON.
#[must_use]
pub fn classify(status: u16, retry_after: Option<Duration>, body: &[u8]) -> FailureKind {
    let said = Said::read(body);
    by_words(status, retry_after, &said)
        .unwrap_or_else(|| openai::classify(status, retry_after, body))
}

/// The kind of an `error` event in a stream that began with 200.
#[must_use]
pub fn classify_event(data: &[u8]) -> FailureKind {
    let said = Said::read(data);
    let status = match &*said.kind {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        "api_error" => 500,
        // a compatible service's own words
        _ => return openai::classify_event(data),
    };
    classify(status, None, data)
}

fn by_words(status: u16, retry_after: Option<Duration>, said: &Said) -> Option<FailureKind> {
    let message = said.message.to_lowercase();
    let begins = |words: &[&str]| words.iter().any(|word| message.starts_with(word));
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let spent = begins(SPENT) && (400..500).contains(&status);
    if spent || (matches!(status, 403 | 429) && has(LONG_LIMITS)) {
        let scope = QuotaScope::Credential;
        return Some(FailureKind::QuotaExhausted { scope, retry_after });
    }
    match status {
        400 if message.starts_with("output blocked by content filtering policy") => {
            Some(FailureKind::ContentPolicy)
        }
        403 if begins(REVOKED) => Some(FailureKind::AuthInvalid),
        500 if message == "overloaded" => Some(FailureKind::Overloaded { retry_after }),
        _ => None,
    }
}

/// Whether a request was refused for thoughts that this upstream or account cannot trust, so that the
/// same request without them may go through.
///
/// Not so "expected `thinking` or `redacted_thinking`, but found …": there thoughts are missing, and
/// leaving out more of them does not help.
#[must_use]
pub fn is_signature_error(status: u16, body: &[u8]) -> bool {
    if status != 400 {
        return false;
    }
    // some services wrap Anthropic's error as a text in their own, so all of the body is searched
    let text = String::from_utf8_lossy(body).to_lowercase();
    let about = |words: &[&str]| words.iter().all(|word| text.contains(word));
    about(&["invalid", "signature", "thinking"])
        || about(&["invalid", "`data`", "redacted_thinking"])
        || about(&["thinking", "blocks", "cannot be modified"])
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: FailureKind = FailureKind::QuotaExhausted {
        scope: QuotaScope::Credential,
        retry_after: None,
    };
    const LIMITED: FailureKind = FailureKind::RateLimited { retry_after: None };
    const OVERLOADED: FailureKind = FailureKind::Overloaded { retry_after: None };

    fn body(kind: &str, message: &str) -> Vec<u8> {
        let error = serde_json::json!({"type": kind, "message": message});
        let body = serde_json::json!({"type": "error", "error": error, "request_id": "req_1"});
        body.to_string().into_bytes()
    }

    #[test]
    fn what_anthropic_says() {
        use FailureKind::*;
        #[rustfmt::skip]
        let cases = [
            (400, "invalid_request_error", "messages.0.content: Input should be a valid string", InvalidRequest),
            (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", InvalidRequest),
            (400, "invalid_request_error", "max_tokens: 99999 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-4-5", InvalidRequest),
            (400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.", QUOTA),
            (400, "invalid_request_error", "You have reached your specified API usage limits. You will regain access on 2026-04-01 at 00:00 UTC.", QUOTA),
            (400, "invalid_request_error", "tools.0.name: 'your credit balance is too low' should match pattern", InvalidRequest),
            (400, "invalid_request_error", "Output blocked by content filtering policy", ContentPolicy),
            (401, "authentication_error", "invalid x-api-key", AuthInvalid),
            (402, "billing_error", "Your account has a billing problem", QUOTA),
            (403, "permission_error", "OAuth token has been revoked. Please obtain a new token.", AuthInvalid),
            (403, "permission_error", "OAuth token does not meet scope requirement user:inference", NotEntitled),
            (404, "not_found_error", "model: claude-9", InvalidRequest),
            (413, "request_too_large", "Request exceeds the maximum size", InvalidRequest),
            (429, "rate_limit_error", "This request would exceed your organization's rate limit of 50,000 input tokens per minute", LIMITED),
            (429, "rate_limit_error", "This request would exceed your account's rate limit. Please try again later.", LIMITED),
            (429, "rate_limit_error", "Your workspace has reached its monthly spend limit", QUOTA),
            (429, "rate_limit_error", "You have reached your usage limit", QUOTA),
            (500, "api_error", "Internal server error", Upstream),
            (500, "api_error", "Overloaded", OVERLOADED),
            (504, "timeout_error", "Request timed out", Timeout),
            (529, "overloaded_error", "Overloaded", OVERLOADED),
        ];
        for (status, kind, message, expected) in cases {
            let body = body(kind, message);
            assert_eq!(classify(status, None, &body), expected, "{message}");
            // what comes in mid-stream has no status but means the same
            assert_eq!(classify_event(&body), expected, "{message}");
        }
    }

    #[test]
    fn what_others_say() {
        let zhipu = br#"{"error":{"code":"1113","message":"balance"}}"#;
        assert_eq!(classify(429, None, zhipu), QUOTA);
        assert_eq!(classify(502, None, b"<html>"), FailureKind::Upstream);
        assert_eq!(classify_event(zhipu), QUOTA);
        assert_eq!(classify_event(b"?"), FailureKind::Upstream);
        let wait = Some(Duration::from_secs(7));
        let limited = FailureKind::RateLimited { retry_after: wait };
        assert_eq!(
            classify(429, wait, &body("rate_limit_error", "slow down")),
            limited
        );
    }

    #[test]
    fn refused_thoughts_are_told_from_missing_ones() {
        #[rustfmt::skip]
        let cases = [
            ("messages.1.content.0: Invalid `signature` in `thinking` block", true),
            ("messages.3.content.8: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.", true),
            ("messages.1.content.0: Invalid `data` in `redacted_thinking` block", true),
            ("messages.129.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`. When `thinking` is enabled, a final `assistant` message must start with a thinking block", false),
            ("max_tokens must be greater than thinking.budget_tokens", false),
        ];
        for (message, expected) in cases {
            let body = body("invalid_request_error", message);
            assert_eq!(is_signature_error(400, &body), expected, "{message}");
            assert!(!is_signature_error(500, &body));
        }
        let wrapped = br#"{"error":{"code":400,"message":"{\"type\":\"error\",\"error\":{\"message\":\"messages.1.content.0: Invalid `signature` in `thinking` block\"}}","status":"INVALID_ARGUMENT"}}"#;
        assert!(is_signature_error(400, wrapped));
    }
}
