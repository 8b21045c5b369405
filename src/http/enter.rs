//! The door: whether a request is let in at all.

use std::{rc::Rc, time::Duration};

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    web::{Bytes, Payload},
};
use troupe_actors::{accounts::limits::Admission, jobs::Submission};
use troupe_protocol::{dialect::Client, openai::error::ErrorCode};
use uuid::Uuid;

use super::{
    auth,
    body::read_json,
    call::Call,
    error::ApiError,
    services::{Services, Worker},
};

const SPOOL_RETRY: Duration = Duration::from_secs(10);

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
    client: Client,
) -> Result<Call, HttpResponse> {
    let id = Uuid::now_v7();
    admitted(worker, request, endpoint, client, id)
        .map_err(|error| error.respond_to(client, &id.to_string()))
}

/// The same for surfaces with errors of a shape of their own.
///
/// # Errors
/// Why it is not let in.
pub fn admitted(
    worker: &Rc<Worker>,
    request: &HttpRequest,
    endpoint: &'static str,
    client: Client,
    id: Uuid,
) -> Result<Call, ApiError> {
    // while draining, who has not heard of it yet is served; at its end nobody is
    if worker.services.cut.is_cancelled() {
        return Err(ApiError::shutting_down());
    }
    let principal = auth::principal(request, &worker.services.keys)?;
    if worker.services.spool.full() {
        return Err(ApiError {
            retry_after: Some(SPOOL_RETRY),
            ..ApiError::new(
                ErrorCode::SpoolFull,
                "call records cannot be stored at the moment, try again later",
            )
        });
    }
    let mut call = Call::begin(worker, id, principal, endpoint, client);
    call.submits(request.extensions().get::<Submission>().cloned());
    call.holds(request.extensions_mut().remove::<Rc<Admission>>());
    Ok(call)
}

/// Takes a place for a request that was let in, then reads its JSON body.
///
/// # Errors
/// What [`Call::admit`] and [`read_json`] say.
pub async fn admitted_json(
    call: &mut Call,
    services: &Services,
    request: &HttpRequest,
    payload: Payload,
) -> Result<Bytes, ApiError> {
    call.admit(services).await?;
    read_json(&services.config, request, payload).await
}
