//! OpenAI's Responses API: `POST /v1/responses`.

mod check;
mod items;
mod plain;
mod read;
mod stream;
#[cfg(test)]
mod tests;

use actix_web::{HttpRequest, HttpResponse, Result, web};
use bytes::Bytes;
use serde_json::Value;

use crate::{
    arrival::Arrival,
    exchange::{Dialect, Exchange, Incoming, Shape},
    frames::Frames,
    refusal::OpenAi,
    request::Head,
    scene::{Ask, Reply},
    script::Script,
    voice::{Problem, Voice},
};

/// `POST /v1/responses`.
pub(crate) async fn create(
    script: web::Data<Script>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse> {
    let head = Head::of(&body);
    let arrival = Arrival::at(&OpenAi, &script, &request, &body, &head.model)?;
    let exchange = Exchange {
        dialect: &Responses,
        script: &script,
        request: &request,
        body: &body,
        shape: Shape::of(head.stream),
    };
    exchange.answer(&arrival).await
}

/// The dialect.
struct Responses;

impl Dialect for Responses {
    fn voice(&self) -> &'static dyn Voice {
        &OpenAi
    }

    fn read(&self, incoming: &Incoming<'_>) -> std::result::Result<Ask, Problem> {
        check::check(incoming.body)?;
        items::check(incoming.body, incoming.token)?;
        Ok(read::read(incoming.body))
    }

    fn plain(&self, reply: &Reply) -> Value {
        plain::plain(reply)
    }

    fn stream(&self, reply: &Reply) -> Frames {
        stream::stream(reply)
    }
}
