//! The errors that Troupe itself gives to OpenAI clients: one table, and their two renderings.

use std::fmt;

use bytes::Bytes;
use serde::Serialize;

use crate::{failure::FailureKind, json};

/// Who has to act on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The request itself.
    Request,
    /// The caller's API key or its limits.
    Key,
    /// Troupe or whoever runs it.
    Gateway,
    /// The service behind it.
    Upstream,
}

const INVALID: &str = "invalid_request_error";
const RATE: &str = "rate_limit_error";
const SERVER: &str = "server_error";

struct Row {
    text: &'static str,
    status: u16,
    kind: &'static str,
    layer: Layer,
    retryable: bool,
}

macro_rules! table {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal, $kind:ident, $layer:ident, $retryable:literal;)+) => {
        /// A stable error code. Clients may rely on the text, the status and the layer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)+
        }

        impl ErrorCode {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            fn row(self) -> Row {
                match self {
                    $(Self::$name => Row {
                        text: $text,
                        status: $status,
                        kind: $kind,
                        layer: Layer::$layer,
                        retryable: $retryable,
                    },)+
                }
            }
        }
    };
}

table! {
    /// The body is not JSON.
    InvalidJson = "invalid_json", 400, INVALID, Request, false;
    /// A field is missing, of the wrong type or out of range.
    InvalidRequest = "invalid_request", 400, INVALID, Request, false;
    /// A field that the model's provider cannot be told in its dialect, and that must not be left out.
    NotConvertible = "not_convertible", 400, INVALID, Request, false;
    /// The earlier answer that the request goes on from is not known, or not any more.
    PreviousResponseNotFound = "previous_response_not_found", 400, INVALID, Request, false;
    /// There is no `model`.
    MissingModel = "missing_model", 400, INVALID, Request, false;
    /// Objects and arrays nest deeper than accepted.
    JsonTooDeep = "json_too_deep", 400, INVALID, Request, false;
    /// The body is larger than accepted.
    BodyTooLarge = "body_too_large", 413, INVALID, Request, false;
    /// The body did not come in time.
    RequestTimeout = "request_timeout", 408, INVALID, Request, true;
    /// The headers are larger than accepted.
    HeadersTooLarge = "headers_too_large", 431, INVALID, Request, false;
    /// A URL in the request that the gateway does not open.
    UrlNotAllowed = "url_not_allowed", 400, INVALID, Request, false;
    /// A URL in the request that brought nothing.
    UrlNotFetched = "url_not_fetched", 400, INVALID, Request, true;
    /// The body's content type is not one that the route takes.
    UnsupportedMediaType = "unsupported_media_type", 415, INVALID, Request, false;
    /// The `Idempotency-Key` cannot be one.
    InvalidIdempotencyKey = "invalid_idempotency_key", 400, INVALID, Request, false;
    /// The `Idempotency-Key` was used with another request.
    IdempotencyKeyReused = "idempotency_key_reused", 422, INVALID, Request, false;
    /// The request was answered, but the answer was too large to be kept.
    AnswerNotKept = "answer_not_kept", 409, INVALID, Request, false;
    /// The same request is under way, or was a moment ago.
    DuplicateRequest = "duplicate_request", 409, INVALID, Request, true;
    /// The actor is down, so that nothing but a restart can be done to it.
    ActorDown = "actor_down", 409, INVALID, Request, false;
    /// The route exists, but not with this method.
    MethodNotAllowed = "method_not_allowed", 405, INVALID, Request, false;
    /// No such route or object.
    NotFound = "not_found", 404, INVALID, Request, false;
    /// The link to a stored file has no signature, a wrong one, or its time is over.
    LinkRefused = "link_refused", 403, INVALID, Request, false;
    /// A page of another site may have made the browser send it, with the cookie of the studio.
    CrossSite = "cross_site", 403, INVALID, Request, false;
    /// No provider has this model.
    ModelNotFound = "model_not_found", 404, INVALID, Request, false;
    /// The upstream refused the content.
    ContentPolicy = "content_policy", 400, INVALID, Request, false;
    /// The upstream found fault with the request.
    UpstreamInvalidRequest = "upstream_invalid_request", 400, INVALID, Request, false;
    /// No API key came with the request.
    MissingApiKey = "missing_api_key", 401, INVALID, Key, false;
    /// The API key is not known.
    InvalidApiKey = "invalid_api_key", 401, INVALID, Key, false;
    /// The app has as many requests under way as it may.
    AppLimitReached = "app_limit_reached", 429, RATE, Key, true;
    /// The API key has had its requests of this minute.
    KeyRateLimited = "key_rate_limited", 429, RATE, Key, true;
    /// As many administrators' passwords are being checked as may wait for it.
    TooManyPasswords = "too_many_passwords", 429, RATE, Key, true;
    /// The gateway has as many requests under way as it may.
    GatewayOverloaded = "gateway_overloaded", 503, SERVER, Gateway, true;
    /// The gateway is about to stop.
    ShuttingDown = "shutting_down", 503, SERVER, Gateway, true;
    /// Call records cannot be kept any more, so no calls are taken.
    SpoolFull = "spool_full", 503, SERVER, Gateway, true;
    /// What the gateway has stored cannot be reached.
    StorageUnavailable = "storage_unavailable", 503, SERVER, Gateway, true;
    /// Nothing more can be stored, and what is there must stay for its time.
    StorageFull = "storage_full", 507, SERVER, Gateway, false;
    /// Whether an `Idempotency-Key` was used cannot be found out, or its answer could not be kept.
    IdempotencyUnavailable = "idempotency_unavailable", 503, SERVER, Gateway, true;
    /// Something in the gateway failed that should not.
    InternalError = "internal_error", 500, SERVER, Gateway, true;
    /// The provider has no credential, or all of them are disabled.
    NoCredentials = "no_credentials", 503, SERVER, Gateway, false;
    /// The client left before the answer was complete.
    ClientClosed = "client_closed", 499, INVALID, Request, false;
    /// Every credential of the provider is being rate limited.
    RateLimitExceeded = "rate_limit_exceeded", 429, RATE, Upstream, true;
    /// Every credential of the provider cools down for a reason other than a rate limit.
    CredentialsUnavailable = "credentials_unavailable", 503, SERVER, Upstream, true;
    /// The provider is overloaded or being restarted.
    ProviderUnavailable = "provider_unavailable", 503, SERVER, Upstream, true;
    /// The provider failed so often that it is left alone for a while.
    CircuitOpen = "circuit_open", 503, SERVER, Upstream, true;
    /// The upstream took longer than one of the time-outs.
    UpstreamTimeout = "upstream_timeout", 504, SERVER, Upstream, true;
    /// No connection to the upstream, or it broke.
    UpstreamUnreachable = "upstream_unreachable", 502, SERVER, Upstream, true;
    /// The upstream failed in its own way.
    UpstreamError = "upstream_error", 502, SERVER, Upstream, true;
    /// The upstream refused the operator's credential; the client's own key is fine.
    UpstreamAuth = "upstream_auth", 502, SERVER, Upstream, false;
    /// The operator's credential may not use this model.
    UpstreamNotEntitled = "upstream_not_entitled", 502, SERVER, Upstream, false;
    /// The upstream broke off in mid-answer.
    UpstreamCut = "upstream_cut", 502, SERVER, Upstream, true;
}

impl ErrorCode {
    /// The stable text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().text
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        self.row().status
    }

    /// The `type` that OpenAI clients know.
    #[must_use]
    pub fn kind(self) -> &'static str {
        self.row().kind
    }

    /// Who has to act.
    #[must_use]
    pub fn layer(self) -> Layer {
        self.row().layer
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn retryable(self) -> bool {
        self.row().retryable
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the client is told when a request's last attempt failed so.
impl From<FailureKind> for ErrorCode {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::InvalidRequest => Self::UpstreamInvalidRequest,
            FailureKind::ContentPolicy => Self::ContentPolicy,
            FailureKind::AuthInvalid => Self::UpstreamAuth,
            FailureKind::NotEntitled => Self::UpstreamNotEntitled,
            FailureKind::RateLimited { .. } => Self::RateLimitExceeded,
            FailureKind::QuotaExhausted { .. } => Self::CredentialsUnavailable,
            FailureKind::Overloaded { .. } => Self::ProviderUnavailable,
            FailureKind::Timeout => Self::UpstreamTimeout,
            FailureKind::Network => Self::UpstreamUnreachable,
            FailureKind::Upstream => Self::UpstreamError,
            FailureKind::Cancelled => Self::ClientClosed,
        }
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    message: &'a str,
    r#type: &'a str,
    param: Option<&'a str>,
    code: &'a str,
    layer: Layer,
    request_id: &'a str,
}

/// The body of an error answer: `{"error":{"message","type","param","code","layer","request_id"}}`.
#[must_use]
pub fn render_json(code: ErrorCode, message: &str, param: Option<&str>, request_id: &str) -> Bytes {
    let mut out = Vec::with_capacity(192 + message.len());
    append(&mut out, code, message, param, request_id);
    out.into()
}

/// The same as a last event of a stream.
#[must_use]
pub fn render_sse(code: ErrorCode, message: &str, param: Option<&str>, request_id: &str) -> Bytes {
    let mut out = Vec::with_capacity(200 + message.len());
    out.extend_from_slice(b"data: ");
    append(&mut out, code, message, param, request_id);
    out.extend_from_slice(b"\n\n");
    out.into()
}

fn append(
    out: &mut Vec<u8>,
    code: ErrorCode,
    message: &str,
    param: Option<&str>,
    request_id: &str,
) {
    let error = Body {
        message,
        r#type: code.kind(),
        param,
        code: code.as_str(),
        layer: code.layer(),
        request_id,
    };
    json::append(out, &Envelope { error });
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_statuses_fit_their_layer() {
        let texts: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            let client_side = code.status() < 500;
            match code.layer() {
                Layer::Request | Layer::Key => assert!(client_side, "{code}"),
                Layer::Gateway => assert!(!client_side, "{code}"),
                // a refused operator's credential must not look like a refused client's key
                Layer::Upstream => assert!(!client_side || code.status() == 429, "{code}"),
            }
        }
    }

    #[test]
    fn every_failure_has_a_code() {
        let limited = FailureKind::RateLimited { retry_after: None };
        assert_eq!(ErrorCode::from(limited).status(), 429);
        assert_eq!(ErrorCode::from(FailureKind::AuthInvalid).status(), 502);
        assert_eq!(ErrorCode::from(FailureKind::Timeout).status(), 504);
        assert_eq!(ErrorCode::from(FailureKind::InvalidRequest).status(), 400);
    }

    #[test]
    fn renderings_escape_and_keep_their_shape() {
        let body = render_json(
            ErrorCode::InvalidJson,
            "bad \"x\"\n",
            Some("messages"),
            "req-1",
        );
        let text = r#"{"error":{"message":"bad \"x\"\n","type":"invalid_request_error","param":"messages","code":"invalid_json","layer":"request","request_id":"req-1"}}"#;
        assert_eq!(body, text);
        let event = render_sse(ErrorCode::UpstreamCut, "cut\n\ndata: x", None, "req-2");
        let text = "data: {\"error\":{\"message\":\"cut\\n\\ndata: x\",\"type\":\"server_error\",\"param\":null,\"code\":\"upstream_cut\",\"layer\":\"upstream\",\"request_id\":\"req-2\"}}\n\n";
        assert_eq!(event, text);
    }
}
