//! One error type of the edge, rendered in the caller's dialect.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use bytes::Bytes;
use derive_more::{Display, Error};
use troupe_actors::{
    accounts::{
        calls::Outcome,
        keys::KeyError,
        limits::{Shed, ShedBy},
        rate::RateExceeded,
    },
    credentials::{LeaseError, cooldown::ColdReason},
    egress::EgressError,
    media::MediaError,
    providers::{body::BodyFault, exchange::ExchangeError},
};
use troupe_protocol::{
    anthropic,
    chat::{ConvertError, Reply, StreamFault, WriteEvents as _},
    dialect::Client,
    failure::FailureKind,
    openai::{
        error::{ErrorCode, render_json, render_sse},
        request_error::RequestError,
    },
    openai_responses,
};

use super::rate;

/// What a request is refused with.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
#[display("{code}: {message}")]
pub struct ApiError {
    pub code: ErrorCode,
    /// Where the upstream's own status tells more than the code's.
    pub status: u16,
    pub message: String,
    pub param: Option<String>,
    pub retry_after: Option<Duration>,
}

/// Tells OpenAI's SDKs not to repeat what cannot succeed.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
/// The id of every request; the same as in its call record.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The same as Anthropic's SDKs read it.
pub const ANTHROPIC_REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

impl ApiError {
    /// An error with the code's own status.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            status: code.status(),
            message: message.into(),
            param: None,
            retry_after: None,
        }
    }

    /// The error of a request with a bad field.
    pub fn param(code: ErrorCode, param: &str, message: impl Into<String>) -> Self {
        Self {
            param: Some(param.to_owned()),
            ..Self::new(code, message)
        }
    }

    /// 503: the gateway is about to end.
    pub fn shutting_down() -> Self {
        let message = "the gateway is being restarted, send the request again";
        Self::new(ErrorCode::ShuttingDown, message).retry(Duration::from_secs(1))
    }

    /// 503: the gateway has as many requests under way at the provider as it may have.
    pub fn provider_busy(provider: &str) -> Self {
        let message =
            format!("as many requests as may be are under way at {provider}, try again shortly");
        Self::new(ErrorCode::ProviderUnavailable, message).retry(Duration::from_secs(1))
    }

    /// 422: the request's `Idempotency-Key` belongs to another one.
    pub fn key_reused() -> Self {
        let message = "this Idempotency-Key was used with another path or body: choose a new key for a new request";
        Self::new(ErrorCode::IdempotencyKeyReused, message)
    }

    /// The same, with the time after which it may be tried again.
    pub fn retry(mut self, after: impl Into<Option<Duration>>) -> Self {
        self.retry_after = after.into();
        self
    }

    /// How the call ended, for its record.
    pub fn outcome(&self) -> Outcome {
        use troupe_protocol::openai::error::Layer;
        match (self.code, self.code.layer()) {
            (ErrorCode::UpstreamTimeout, _) => Outcome::Timeout,
            (ErrorCode::ShuttingDown, _) => Outcome::Drained,
            (
                ErrorCode::AppLimitReached
                | ErrorCode::KeyRateLimited
                | ErrorCode::GatewayOverloaded,
                _,
            ) => Outcome::Shed,
            (_, Layer::Request | Layer::Key) => Outcome::ClientError,
            (_, Layer::Gateway) => Outcome::GatewayError,
            (_, Layer::Upstream) => Outcome::UpstreamError,
        }
    }

    /// When to try again, in whole seconds, rounded up: an early retry would meet the same refusal.
    pub fn retry_seconds(&self) -> Option<u64> {
        let after = self.retry_after?;
        Some((after.as_secs() + u64::from(after.subsec_nanos() > 0)).max(1))
    }

    /// The answer to a client of OpenAI's dialects, or of none.
    pub fn respond(&self, request_id: &str) -> HttpResponse {
        self.respond_to(Client::OpenaiChat, request_id)
    }

    /// The answer to the client, in its dialect.
    pub fn respond_to(&self, client: Client, request_id: &str) -> HttpResponse {
        let status = self.status_for(client);
        let mut response = HttpResponse::build(status);
        response.content_type("application/json");
        for (name, value) in request_id_headers(client, request_id) {
            response.insert_header((name, value));
        }
        if let Some(seconds) = self.retry_seconds() {
            response.insert_header((header::RETRY_AFTER, seconds));
            if status == StatusCode::TOO_MANY_REQUESTS {
                for (name, value) in rate::nothing_left(client, Duration::from_secs(seconds)) {
                    response.insert_header((name, value));
                }
            }
        }
        let tried_again = status.is_server_error() || status == StatusCode::CONFLICT;
        if tried_again && !self.code.retryable() {
            response.insert_header((SHOULD_RETRY, "false"));
        }
        response.body(self.render(client, request_id))
    }

    fn status_for(&self, client: Client) -> StatusCode {
        let own = self.status != self.code.status();
        let status = match client {
            Client::Anthropic if !own => anthropic::error::kind_and_status(self.code).1,
            _ => self.status,
        };
        StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY)
    }

    fn render(&self, client: Client, request_id: &str) -> Bytes {
        match client {
            Client::Anthropic => {
                anthropic::error::render_json(self.code, &self.message, request_id)
            }
            Client::OpenaiChat | Client::OpenaiResponses => {
                let param = self.param.as_deref();
                render_json(self.code, &self.message, param, request_id)
            }
        }
    }
}

/// The error event that ends a broken stream which the gateway does not write itself.
pub fn error_event(client: Client, fault: &StreamFault<'_>) -> Bytes {
    match client {
        Client::OpenaiChat => render_sse(fault.code, fault.message, None, fault.request_id),
        Client::Anthropic => {
            anthropic::error::render_sse(fault.code, fault.message, fault.request_id)
        }
        Client::OpenaiResponses => {
            let mut out = Vec::new();
            openai_responses::EventWriter::new(Reply::default()).fail(fault, &mut out);
            out.into()
        }
    }
}

/// The request's id under the name that everybody looks for, and under the one that Anthropic's SDKs read.
pub fn request_id_headers(
    client: Client,
    request_id: &str,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let id = HeaderValue::from_str(request_id).ok();
    let own = id.clone().filter(|_| client == Client::Anthropic);
    let own = own.map(|id| (ANTHROPIC_REQUEST_ID, id));
    id.map(|id| (REQUEST_ID, id)).into_iter().chain(own)
}

impl From<ConvertError> for ApiError {
    fn from(error: ConvertError) -> Self {
        Self::param(ErrorCode::NotConvertible, &error.param, error.to_string())
    }
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        Self {
            param: error.param().map(str::to_owned),
            ..Self::new(error.code(), error.to_string())
        }
    }
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        let code = match error {
            KeyError::Unknown => ErrorCode::InvalidApiKey,
            KeyError::NotReady => ErrorCode::GatewayOverloaded,
        };
        let later = (error == KeyError::NotReady).then_some(Duration::from_secs(1));
        Self::new(code, error.to_string()).retry(later)
    }
}

impl From<Shed> for ApiError {
    fn from(shed: Shed) -> Self {
        let (code, message) = match shed.by {
            ShedBy::App => (
                ErrorCode::AppLimitReached,
                "your app has as many requests under way as it may have, wait for some to end",
            ),
            ShedBy::Gateway => (
                ErrorCode::GatewayOverloaded,
                "the gateway has as many requests under way as it may have, try again shortly",
            ),
        };
        Self::new(code, message).retry(shed.retry_after)
    }
}

impl From<RateExceeded> for ApiError {
    fn from(exceeded: RateExceeded) -> Self {
        let message = format!("{exceeded}, wait until the next minute");
        Self::new(ErrorCode::KeyRateLimited, message).retry(exceeded.0.reset_in)
    }
}

impl From<ExchangeError> for ApiError {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Failed {
                kind,
                status,
                message,
                open: _,
                refuses_thoughts: _,
            } => failed(kind, status, message),
            ExchangeError::NoLease(error) => error.into(),
            ExchangeError::NotStored { full, message } => Self::new(
                match full {
                    true => ErrorCode::StorageFull,
                    false => ErrorCode::StorageUnavailable,
                },
                message,
            ),
            ExchangeError::NotServed | ExchangeError::Lacking => Self::new(
                ErrorCode::ModelNotFound,
                "the model's provider does not serve this endpoint, choose another model",
            ),
        }
    }
}

fn failed(kind: FailureKind, status: Option<u16>, said: Option<String>) -> ApiError {
    let code = ErrorCode::from(kind);
    let error = ApiError::new(code, upstream_words(kind, said)).retry(kind.retry_after());
    match (kind, status) {
        // what is wrong with the request is told with the upstream's own status, 404 or 422 say
        (FailureKind::InvalidRequest, Some(status)) if (400..500).contains(&status) => {
            ApiError { status, ..error }
        }
        _ => error,
    }
}

/// What happened, and what the upstream said of it.
fn upstream_words(kind: FailureKind, said: Option<String>) -> String {
    match said.filter(|_| !kind.is_of_the_account()) {
        Some(said) => format!("{}: {said}", kind.words()),
        None => kind.words().to_owned(),
    }
}

impl From<LeaseError> for ApiError {
    fn from(error: LeaseError) -> Self {
        let code = match &error {
            LeaseError::AllCold {
                reason: ColdReason::RateLimited,
                ..
            } => ErrorCode::RateLimitExceeded,
            LeaseError::AllCold { .. } => ErrorCode::CredentialsUnavailable,
            LeaseError::BreakerOpen { .. } => ErrorCode::CircuitOpen,
            LeaseError::NoCredential => ErrorCode::NoCredentials,
            LeaseError::TooManyWaiting { .. } | LeaseError::Unavailable(_) => {
                ErrorCode::ProviderUnavailable
            }
        };
        Self::new(code, error.to_string()).retry(error.retry_after())
    }
}

impl From<EgressError> for ApiError {
    fn from(error: EgressError) -> Self {
        let code = match error.is_refusal() {
            true => ErrorCode::UrlNotAllowed,
            false => ErrorCode::UrlNotFetched,
        };
        Self::new(code, error.to_string())
    }
}

impl From<MediaError> for ApiError {
    /// Files come from upstreams: what is wrong with one is theirs.
    fn from(error: MediaError) -> Self {
        let code = match &error {
            MediaError::Format
            | MediaError::Damaged(_)
            | MediaError::TooLarge { .. }
            | MediaError::TooManyPixels { .. } => ErrorCode::UpstreamError,
            MediaError::Full => ErrorCode::StorageFull,
            MediaError::Strangers { .. }
            | MediaError::NotThere { .. }
            | MediaError::Disk(_)
            | MediaError::Database(_)
            | MediaError::Randomness(_)
            | MediaError::Actor(_) => ErrorCode::StorageUnavailable,
        };
        Self::new(code, error.to_string())
    }
}

impl From<BodyFault> for ApiError {
    fn from(fault: BodyFault) -> Self {
        let code = match fault {
            BodyFault::Idle | BodyFault::Total => ErrorCode::UpstreamTimeout,
            BodyFault::Cut => ErrorCode::UpstreamCut,
            BodyFault::TooLarge => ErrorCode::UpstreamError,
        };
        Self::new(code, fault.to_string())
    }
}
