//! The Gemini API: `POST /v1beta/models/{model}:generateContent`, `:streamGenerateContent` and `:countTokens`,
//! its list of models, its pictures and its films.

mod check;
mod contents;
mod count;
mod films;
mod models;
#[cfg(test)]
mod picture_tests;
mod pictures;
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
    request,
    scene::{Ask, Reply},
    script::Script,
    voice::{Problem, Voice},
};

pub(crate) use films::routes;
pub(crate) use models::{list, one};
pub(crate) use voice::Gemini;

/// `POST /v1beta/models/{model}:{method}`.
pub(crate) async fn generate(
    script: web::Data<Script>,
    request: HttpRequest,
    call: web::Path<String>,
    body: Bytes,
) -> Result<HttpResponse> {
    let (model, method) = call.rsplit_once(':').unwrap_or((&call, ""));
    match method {
        "generateContent" if pictures::are_wanted(&body) => {
            return pictures::draw(&script, &request, &body, model).await;
        }
        "predict" => return pictures::predict(&script, &request, &body, model).await,
        "predictLongRunning" => return films::begin(&script, &request, &body, model).await,
        _ => {}
    }
    let (dialect, shape): (&dyn Dialect, Shape) = match method {
        "generateContent" => (&Contents, Shape::Plain),
        "streamGenerateContent" if request::query(&request, "alt") == Some("sse") => {
            (&Contents, Shape::Events)
        }
        "streamGenerateContent" => (&Contents, Shape::Array),
        "countTokens" => (&count::Counting, Shape::Plain),
        _ => return Err(Gemini.unknown_model(model).end(&Gemini)),
    };
    let arrival = Arrival::at(&Gemini, &script, &request, &body, model)?;
    let exchange = Exchange {
        dialect,
        script: &script,
        request: &request,
        body: &body,
        shape,
    };
    exchange.answer(&arrival).await
}

/// The dialect.
struct Contents;

impl Dialect for Contents {
    fn voice(&self) -> &'static dyn Voice {
        &Gemini
    }

    fn read(&self, incoming: &Incoming<'_>) -> std::result::Result<Ask, Problem> {
        check::check(incoming.body)?;
        contents::check(incoming.body, incoming.token, incoming.plan)?;
        Ok(read::read(incoming.body))
    }

    fn plain(&self, reply: &Reply) -> Value {
        plain::plain(reply)
    }

    fn stream(&self, reply: &Reply) -> Frames {
        stream::stream(reply)
    }
}
