//! `/_sim/…`: the control handle over HTTP, for tests in another language and for the benches.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::{
    behaviour::Behaviour,
    script::{Matches, Script},
};

/// `{"token": "sk-a", "answers": ["status-429-after-7", "ok"]}`; without `token`, `model` and `path` it is
/// for all requests. `models` sets what is listed; `keep` whether requests are kept for `/_sim/last`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    token: Option<String>,
    model: Option<String>,
    path: Option<String>,
    #[serde(default)]
    answers: Vec<String>,
    models: Option<Vec<String>>,
    keep: Option<bool>,
}

/// `POST /_sim/script`.
pub(crate) async fn order(script: web::Data<Script>, order: web::Json<Order>) -> HttpResponse {
    let order = order.into_inner();
    if let Some(keep) = order.keep {
        script.keep_requests(keep);
        return HttpResponse::NoContent().finish();
    }
    if let Some(models) = &order.models {
        script.models(models.iter().map(String::as_str));
        return HttpResponse::NoContent().finish();
    }
    let answers: Result<Vec<Behaviour>, String> =
        order.answers.iter().map(|word| word.parse()).collect();
    let matches = match (order.token, order.model, order.path) {
        (Some(token), None, None) => Matches::Token(token),
        (None, Some(model), None) => Matches::Model(model),
        (None, None, Some(path)) => Matches::Path(path),
        (None, None, None) => Matches::Any,
        _ => return HttpResponse::BadRequest().body("one of token, model and path"),
    };
    match answers {
        Ok(answers) => {
            script.rule(matches).answers(answers);
            HttpResponse::NoContent().finish()
        }
        Err(problem) => HttpResponse::BadRequest().body(problem),
    }
}

/// `GET /_sim/stats`.
pub(crate) async fn stats(script: web::Data<Script>) -> HttpResponse {
    HttpResponse::Ok().json(script.stats())
}

/// `POST /_sim/reset`.
pub(crate) async fn reset(script: web::Data<Script>) -> HttpResponse {
    script.reset();
    HttpResponse::NoContent().finish()
}

/// `GET /_sim/last?path=/v1/messages`: see [`Script::last_request`].
pub(crate) async fn last(script: web::Data<Script>, asked: web::Query<Asked>) -> HttpResponse {
    match script.last_request(&asked.path) {
        Some(received) => HttpResponse::Ok().json(received),
        None => HttpResponse::NotFound().finish(),
    }
}

/// Which request is meant.
#[derive(Deserialize)]
pub(crate) struct Asked {
    path: String,
}
