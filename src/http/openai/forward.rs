//! The path of one request: key, limits, model, provider, answer.

use std::{rc::Rc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::{Bytes, Payload},
};
use troupe_actors::{
    accounts::calls::Outcome,
    catalog::Affinity,
    credentials::{Lease, Outcome as LeaseOutcome},
    providers::{
        body::{BodyFault, ReadAhead},
        exchange::Answer,
        upstream::Endpoint,
    },
};
use troupe_protocol::{
    openai::{error::ErrorCode, request::RequestHead},
    usage::Usage,
};
use uuid::Uuid;

use super::fallback::{Question, ask_in_turn};
use crate::http::{
    auth,
    body::read_json,
    call::Call,
    conversation,
    error::ApiError,
    relay::{Relay, Tap},
    services::{OnWorker, Services, Worker},
};

/// One route of the dialect.
pub struct Surface {
    pub endpoint: Endpoint,
    /// The route, as it stands in call records.
    pub name: &'static str,
    pub may_stream: bool,
}

/// Answers up to this size are held whole: their usage is read and their record written in one go.
const HELD: usize = 256 << 10;
/// The longest event of a stream that passes through.
const MAX_EVENT: usize = 8 << 20;

/// Serves one request by passing it on.
pub async fn forward(
    surface: &Surface,
    worker: OnWorker,
    request: &HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let mut call = match enter(&worker.0, request, surface.name) {
        Ok(call) => call,
        Err(refusal) => return refusal,
    };
    let services = &worker.0.services;
    let asked = match read_json(&services.config, request, payload).await {
        Ok(body) => ask(surface, services, request, body, &mut call).await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(asked) => answer(asked, call, services).await,
        Err(error) => call.refuse(&error),
    }
}

/// Lets a request in: its key is known and its record can be kept.
///
/// # Errors
/// The refusal, ready to be sent.
#[expect(
    clippy::result_large_err,
    reason = "a refusal is moved once and sent; a box would cost more"
)]
pub fn enter(
    worker: &Rc<Worker>,
    request: &HttpRequest,
    endpoint: &'static str,
) -> Result<Call, HttpResponse> {
    let id = Uuid::now_v7();
    let refuse = |error: ApiError| error.respond(&id.to_string());
    // while draining, who has not heard of it yet is served; at its end nobody is
    if worker.services.cut.is_cancelled() {
        return Err(refuse(ApiError {
            retry_after: Some(DRAIN_RETRY),
            ..ApiError::new(
                ErrorCode::ShuttingDown,
                "the gateway is being restarted, send the request again",
            )
        }));
    }
    let principal = auth::principal(request, &worker.services.keys).map_err(refuse)?;
    if worker.services.spool.full() {
        return Err(refuse(ApiError {
            retry_after: Some(SPOOL_RETRY),
            ..ApiError::new(
                ErrorCode::SpoolFull,
                "call records cannot be stored at the moment, try again later",
            )
        }));
    }
    Ok(Call::begin(worker, id, principal, endpoint))
}

const SPOOL_RETRY: Duration = Duration::from_secs(10);
const DRAIN_RETRY: Duration = Duration::from_secs(1);

/// An upstream that has answered.
pub struct Asked {
    pub answer: Answer,
    /// Whether only the gateway asked for the usage in the stream.
    pub strip_usage: bool,
}

/// Asks the upstreams that may serve the request's model, in turn.
///
/// # Errors
/// Whatever is wrong with the request, or kept every attempt from an answer.
pub async fn ask(
    surface: &Surface,
    services: &Services,
    request: &HttpRequest,
    body: Bytes,
    call: &mut Call,
) -> Result<Asked, ApiError> {
    let head = RequestHead::parse(&body)?;
    let stream = head.stream && surface.may_stream;
    let directory = services.catalog.directory();
    // a body is read again only where that decides something
    let key = match directory.sticks(&head.model) {
        true => conversation::key(request.headers(), &body),
        false => None,
    };
    let affinity = key.map(|key| Affinity::of(call.app_id(), &key));
    let Some(candidates) = directory.candidates(&head.model, affinity, call.draw()) else {
        call.asks_unknown(&head.model, stream);
        return Err(unknown_model(&head.model));
    };
    drop(directory);
    call.asks(&candidates, stream);
    call.admit(services).await?;
    let question = Question {
        surface,
        head: &head,
        body: &body,
        stream,
        affinity,
    };
    ask_in_turn(&question, &candidates, services, call).await
}

/// 404 for a model that no provider serves.
pub fn unknown_model(model: &str) -> ApiError {
    ApiError::param(
        ErrorCode::ModelNotFound,
        "model",
        format!("the model `{model}` is not served here, GET /v1/models lists those that are"),
    )
}

/// Carries an upstream's answer to the client.
pub async fn answer(asked: Asked, call: Call, services: &Services) -> HttpResponse {
    let Answer {
        status,
        content_type,
        body,
        lease,
    } = asked.answer;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let is_stream = content_type
        .as_ref()
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    let length_known = body.length().is_some();
    let may_be_held = !is_stream && body.length().is_none_or(|length| length <= HELD as u64);
    let body = if may_be_held {
        match body.read_ahead(HELD).await {
            Ok(ReadAhead::Whole(body)) if length_known || is_json(&body) => {
                return whole(call, status, content_type, body, lease);
            }
            Ok(ReadAhead::Whole(_)) => {
                lease.report(LeaseOutcome::Failure(BodyFault::Cut.kind()));
                return call.refuse(&BodyFault::Cut.into());
            }
            Ok(ReadAhead::More(body)) => body,
            Err(fault) => {
                lease.report(LeaseOutcome::Failure(fault.kind()));
                return call.refuse(&fault.into());
            }
        }
    } else {
        body
    };
    let mut response = call.response(status);
    if let Some(content_type) = content_type {
        response.insert_header((header::CONTENT_TYPE, content_type));
    }
    let tap = if is_stream {
        response.insert_header((header::CACHE_CONTROL, "no-cache"));
        // proxies that buffer would hold events back
        response.insert_header(("x-accel-buffering", "no"));
        Tap::events(asked.strip_usage, MAX_EVENT)
    } else {
        Tap::tail()
    };
    call.observe_overhead();
    let cut = services.cut.clone().cancelled_owned();
    response.body(Relay::new(call, lease, body, tap, status.as_u16(), cut))
}

/// Whether an answer without a length is whole: a connection that broke cannot be told from its end.
fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// A small answer, held whole.
fn whole(
    mut call: Call,
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Bytes,
    lease: Lease,
) -> HttpResponse {
    lease.report(LeaseOutcome::Success);
    call.used(Usage::from_openai_body(&body));
    complete(call, status, content_type, body)
}

/// Records a call whose whole answer is here, and makes the response.
pub fn complete(
    mut call: Call,
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Bytes,
) -> HttpResponse {
    let mut response = call.response(status);
    if let Some(content_type) = content_type {
        response.insert_header((header::CONTENT_TYPE, content_type));
    }
    call.observe_overhead();
    call.first_byte();
    call.sent(body.len());
    call.finish(Outcome::Ok, status.as_u16(), None);
    response.body(body)
}
