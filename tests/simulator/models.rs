//! `GET /v1/models` and `GET /v1/models/{id}`, in Anthropic's shape where `anthropic-version` is sent.

use std::rc::Rc;

use actix_web::{HttpRequest, HttpResponse, Result, web};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    anthropic::{self, Anthropic},
    arrival,
    chat::plain_answer,
    plan::Plan,
    refusal::OpenAi,
    request,
    script::Script,
    voice::Voice,
};

/// What is listed unless a script says otherwise.
pub const MODELS: [&str; 6] = [
    "gpt-4o",
    "gpt-4o-mini",
    "text-embedding-3-small",
    "dall-e-3",
    "gpt-image-1",
    "sim-1k",
];

/// `GET /v1/models`.
pub(crate) async fn list(script: web::Data<Script>, request: HttpRequest) -> Result<HttpResponse> {
    let voice = voice(&request);
    answer(voice, &script, &request, |ids| {
        if anthropic::is_spoken(&request) {
            return Ok(anthropic::models(&ids, &request));
        }
        let data: Vec<Value> = ids.iter().map(|id| model(id)).collect();
        Ok(json!({"object": "list", "data": data}))
    })
    .await
}

/// `GET /v1/models/{id}`.
pub(crate) async fn one(
    script: web::Data<Script>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let voice = voice(&request);
    answer(voice, &script, &request, |ids| {
        if !is_known(&ids, &id) {
            return Err(voice.unknown_model(&id).end(voice));
        }
        Ok(match anthropic::is_spoken(&request) {
            true => anthropic::model(&id),
            false => model(&id),
        })
    })
    .await
}

fn voice(request: &HttpRequest) -> &'static dyn Voice {
    match anthropic::is_spoken(request) {
        true => &Anthropic,
        false => &OpenAi,
    }
}

/// Whether a model is listed, or has a name that says what it does.
pub(crate) fn is_known(ids: &[String], id: &str) -> bool {
    ids.iter().any(|known| known == id) || (id.starts_with("sim-") && Plan::of_model(id).is_ok())
}

/// Answers a request for models, counted under the list's path.
pub(crate) async fn answer(
    voice: &dyn Voice,
    script: &Script,
    request: &HttpRequest,
    body: impl FnOnce(Vec<String>) -> Result<Value>,
) -> Result<HttpResponse> {
    let path = match request.path().starts_with("/v1beta") {
        true => "/v1beta/models",
        false => "/v1/models",
    };
    let token = arrival::count(voice, script, request::token(request), path, "")?;
    script.record(request, &Bytes::new());
    let mut plan = arrival::plan(voice, "", arrival::words(request))?;
    if let Some(behaviour) = script.next(path, token, "") {
        plan = plan.with(behaviour);
    }
    let nobody: Rc<str> = "".into();
    arrival::refuse(voice, &plan, script, request, token, &nobody).await?;
    let listed = script.listed_models();
    let ids = listed.unwrap_or_else(|| MODELS.map(str::to_owned).to_vec());
    let body = body(ids)?.to_string().into();
    Ok(plain_answer(body, &plan, script, request, &nobody))
}

fn model(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": 1_763_712_000, "owned_by": "sim"})
}
