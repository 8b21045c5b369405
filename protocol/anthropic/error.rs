//! The errors that Troupe itself gives to Anthropic clients: the table of `openai::error` in
//! Anthropic's words.

use bytes::Bytes;
use serde::Serialize;

use crate::{
    json,
    openai::error::{ErrorCode, Layer},
};

/// The `type` that Anthropic clients know, and the HTTP status they know it with. Their SDKs decide
/// by these two whether to try again; "try later" is 529 with Anthropic.
#[must_use]
pub fn kind_and_status(code: ErrorCode) -> (&'static str, u16) {
    let busy = matches!(
        code,
        ErrorCode::GatewayOverloaded
            | ErrorCode::ProviderUnavailable
            | ErrorCode::CircuitOpen
            | ErrorCode::CredentialsUnavailable
    );
    if busy {
        return ("overloaded_error", 529);
    }
    let status = code.status();
    let kind = match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        400..500 => "invalid_request_error",
        _ => "api_error",
    };
    (kind, status)
}

#[derive(Serialize)]
struct Envelope<'a> {
    r#type: &'static str,
    error: Body<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    message: &'a str,
    code: &'a str,
    layer: Layer,
}

/// The body of an error answer: `{"type":"error","error":{"type","message","code","layer"},"request_id"}`.
#[must_use]
pub fn render_json(code: ErrorCode, message: &str, request_id: &str) -> Bytes {
    let mut out = Vec::with_capacity(192 + message.len());
    append(&mut out, code, message, request_id);
    out.into()
}

/// The same as a last event of a stream.
#[must_use]
pub fn render_sse(code: ErrorCode, message: &str, request_id: &str) -> Bytes {
    let mut out = Vec::with_capacity(220 + message.len());
    append_sse(&mut out, code, message, request_id);
    out.into()
}

pub(super) fn append_sse(out: &mut Vec<u8>, code: ErrorCode, message: &str, request_id: &str) {
    out.extend_from_slice(b"event: error\ndata: ");
    append(out, code, message, request_id);
    out.extend_from_slice(b"\n\n");
}

fn append(out: &mut Vec<u8>, code: ErrorCode, message: &str, request_id: &str) {
    let error = Body {
        r#type: kind_and_status(code).0,
        message,
        code: code.as_str(),
        layer: code.layer(),
    };
    let r#type = "error";
    json::append(
        out,
        &Envelope {
            r#type,
            error,
            request_id,
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_statuses_agree() {
        let cases = [
            (ErrorCode::InvalidRequest, "invalid_request_error", 400),
            (ErrorCode::MethodNotAllowed, "invalid_request_error", 405),
            (ErrorCode::InvalidApiKey, "authentication_error", 401),
            (ErrorCode::ModelNotFound, "not_found_error", 404),
            (ErrorCode::BodyTooLarge, "request_too_large", 413),
            (ErrorCode::RateLimitExceeded, "rate_limit_error", 429),
            (ErrorCode::AppLimitReached, "rate_limit_error", 429),
            (ErrorCode::GatewayOverloaded, "overloaded_error", 529),
            (ErrorCode::ProviderUnavailable, "overloaded_error", 529),
            (ErrorCode::UpstreamTimeout, "timeout_error", 504),
            (ErrorCode::UpstreamError, "api_error", 502),
            (ErrorCode::InternalError, "api_error", 500),
        ];
        for (code, kind, status) in cases {
            assert_eq!(kind_and_status(code), (kind, status), "{code}");
        }
        for code in ErrorCode::ALL {
            let client_side = code.status() < 500;
            assert_eq!(kind_and_status(*code).1 < 500, client_side, "{code}");
        }
    }

    #[test]
    fn renderings_escape_and_keep_their_shape() {
        let json = r#"{"type":"error","error":{"type":"not_found_error","message":"no \"x\"\n","code":"model_not_found","layer":"request"},"request_id":"req-1"}"#;
        let body = render_json(ErrorCode::ModelNotFound, "no \"x\"\n", "req-1");
        assert_eq!(body, json);
        let event = render_sse(ErrorCode::ModelNotFound, "no \"x\"\n", "req-1");
        assert_eq!(event, format!("event: error\ndata: {json}\n\n"));
    }
}
