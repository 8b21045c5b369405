//! `GET /api/v1/generate/stream`: a WebSocket over which tasks are ordered, followed and cancelled.
//!
//! | | |
//! |---|---|
//! | owns | the connection, and which tasks it follows |
//! | durable | nothing: tasks live on without it, and a client that comes back subscribes again |
//! | bounded | connections of an app, tasks of a connection, the size of a message, silence, and how long one may take to be read |
//!
//! | room | what it is for |
//! |---|---|
//! | [`words`] | the messages |
//! | [`session`] | one connection |
//! | [`follower`] | one task that it follows |

mod follower;
mod session;
mod words;

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web::Payload};
use troupe_protocol::openai::error::ErrorCode;

use self::session::Session;
use super::refusal::Refusal;
use crate::http::{
    auth,
    error::ApiError,
    seats::Seat,
    services::{OnWorker, Services},
    studio::words::language,
};

/// When to come again after the app has as many connections as it may.
const SEAT_RETRY: Duration = Duration::from_secs(10);

/// Opens a connection.
pub async fn open(worker: OnWorker, request: HttpRequest, payload: Payload) -> HttpResponse {
    let spoken = language(&request);
    let seat = match seat(&worker.0.services, &request) {
        Ok(seat) => seat,
        Err(refusal) => return Refusal::from(refusal).respond(spoken),
    };
    let (response, session, messages) = match actix_ws::handle(&request, payload) {
        Ok(opened) => opened,
        Err(error) => {
            let message = format!("this is a WebSocket, open it as one: {error}");
            return Refusal::Other(ApiError::new(ErrorCode::InvalidRequest, message))
                .respond(spoken);
        }
    };
    let limit = worker.0.services.studio.config.socket_message_bytes;
    let messages = messages.max_frame_size(limit).aggregate_continuations();
    let session = Session::new(session, worker.0, request, spoken);
    actix_rt::spawn(async move {
        session.run(messages.max_continuation_size(limit)).await;
        drop(seat);
    });
    response
}

/// Who opens it may, and has a seat left.
fn seat(services: &Services, request: &HttpRequest) -> Result<Seat, ApiError> {
    let principal = auth::principal(request, &services.keys)?;
    services
        .studio
        .seats
        .take(principal.app_id())
        .ok_or_else(|| {
            let message = "your app has as many WebSockets open as it may have, close one";
            ApiError::new(ErrorCode::AppLimitReached, message).retry(SEAT_RETRY)
        })
}
