//! Anthropic's Messages API: `POST /v1/messages`, `POST /v1/messages/count_tokens`, and its list of models.

mod blocks;
mod check;
mod conversation;
mod count;
mod models;
mod parameters;
mod plain;
mod read;
mod stream;
#[cfg(test)]
mod tests;
mod voice;

use actix_web::{HttpRequest, HttpResponse, Result, web};
use bytes::Bytes;
use serde_json::Value;

use crate::{
    arrival::Arrival,
    exchange::{Dialect, Exchange, Incoming, Shape},
    frames::Frames,
    request::Head,
    scene::{Ask, Reply},
    script::Script,
    voice::{Problem, Voice},
};

pub(crate) use models::{model, models};
pub(crate) use voice::Anthropic;

/// The header that each of its requests carries.
const VERSION: &str = "anthropic-version";

/// Whether a request to a shared path is meant for this dialect.
pub(crate) fn is_spoken(request: &HttpRequest) -> bool {
    request.headers().contains_key(VERSION)
}

/// `POST /v1/messages`.
pub(crate) async fn create(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    respond(&Messages, &script, &request, &body).await
}

/// `POST /v1/messages/count_tokens`.
pub(crate) async fn count(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    respond(&count::Counting, &script, &request, &body).await
}

async fn respond(
    dialect: &dyn Dialect,
    script: &Script,
    request: &HttpRequest,
    body: &Bytes,
) -> Result<HttpResponse> {
    let head = Head::of(body);
    let arrival = Arrival::at(&Anthropic, script, request, body, &head.model)?;
    let exchange = Exchange {
        dialect,
        script,
        request,
        body,
        // a request for a count that asks for a stream is refused
        shape: Shape::of(head.stream),
    };
    exchange.answer(&arrival).await
}

/// The dialect.
struct Messages;

impl Dialect for Messages {
    fn voice(&self) -> &'static dyn Voice {
        &Anthropic
    }

    fn read(&self, incoming: &Incoming<'_>) -> std::result::Result<Ask, Problem> {
        check::message(incoming)?;
        Ok(read::read(incoming.body))
    }

    fn plain(&self, reply: &Reply) -> Value {
        plain::plain(reply)
    }

    fn stream(&self, reply: &Reply) -> Frames {
        stream::stream(reply)
    }
}
