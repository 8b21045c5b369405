//! Errors that come inside an answer which began with 200.

use crate::{
    failure::FailureKind,
    openai::{classify::classify_event, stream::StreamError, upstream_error::upstream_message},
};

/// Codes of `response.error` that are about what the request holds: no other credential would help.
const REQUEST_CODES: &[&str] = &[
    "invalid_prompt",
    "invalid_request",
    "context_length_exceeded",
    "string_above_max_length",
    "invalid_image",
    "invalid_image_format",
    "invalid_base64_image",
    "invalid_image_url",
    "invalid_image_mode",
    "image_too_large",
    "image_too_small",
    "image_parse_error",
    "image_file_too_large",
    "image_file_not_found",
    "unsupported_image_media_type",
    "empty_image_file",
    "failed_to_download_image",
];

/// What the error object says: `{code, message}` of a failed response, or the whole of an `error` event,
/// which has the two on top or in an `error` of its own.
pub(super) fn failure(error: &[u8]) -> StreamError {
    StreamError {
        kind: kind(error),
        message: upstream_message(error),
    }
}

fn kind(error: &[u8]) -> FailureKind {
    let code = code(error).unwrap_or_default();
    match &*code {
        "image_content_policy_violation" | "cyber_policy" | "bio_policy" => {
            FailureKind::ContentPolicy
        }
        "server_is_overloaded" | "slow_down" => FailureKind::Overloaded { retry_after: None },
        code if REQUEST_CODES.contains(&code) => FailureKind::InvalidRequest,
        _ => classify_event(error),
    }
}

fn code(error: &[u8]) -> Option<String> {
    let error: serde_json::Value = serde_json::from_slice(error).ok()?;
    let inner = error.get("error").filter(|inner| inner.is_object());
    let code = inner.unwrap_or(&error).get("code")?;
    Some(code.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_who_is_at_fault() {
        let overloaded = FailureKind::Overloaded { retry_after: None };
        let limited = FailureKind::RateLimited { retry_after: None };
        let cases = [
            (
                r#"{"code":"server_error","message":"m"}"#,
                FailureKind::Upstream,
            ),
            (r#"{"code":"rate_limit_exceeded","message":"m"}"#, limited),
            (
                r#"{"code":"server_is_overloaded","message":"m"}"#,
                overloaded,
            ),
            (
                r#"{"code":"invalid_prompt","message":"m"}"#,
                FailureKind::InvalidRequest,
            ),
            (
                r#"{"type":"error","code":"context_length_exceeded","message":"m","sequence_number":3}"#,
                FailureKind::InvalidRequest,
            ),
            (
                r#"{"type":"error","error":{"type":"invalid_request_error","code":"invalid_image_url","message":"m"}}"#,
                FailureKind::InvalidRequest,
            ),
            (
                r#"{"type":"error","error":{"type":"tokens","code":"rate_limit_exceeded","message":"m"}}"#,
                limited,
            ),
            (
                r#"{"code":"image_content_policy_violation","message":"m"}"#,
                FailureKind::ContentPolicy,
            ),
            (r#"{"code":null,"message":"m"}"#, FailureKind::Upstream),
        ];
        for (error, kind) in cases {
            let expected = StreamError {
                kind,
                message: Some("m".to_owned()),
            };
            assert_eq!(failure(error.as_bytes()), expected, "{error}");
        }
        assert_eq!(failure(b"<html>").message, None);
    }
}
