//! `GET /v1/models` and `GET /v1/models/{id}`.

use std::rc::Rc;

use actix_web::{HttpRequest, HttpResponse, Result, web};
use serde_json::{Value, json};

use crate::{arrival, chat::plain_answer, plan::Plan, refusal, request, script::Script};

/// What is listed unless a script says otherwise.
pub const MODELS: [&str; 6] = [
    "gpt-4o",
    "gpt-4o-mini",
    "text-embedding-3-small",
    "dall-e-3",
    "gpt-image-1",
    "sim-1k",
];

const PATH: &str = "/v1/models";

/// `GET /v1/models`.
pub(crate) async fn list(script: web::Data<Script>, request: HttpRequest) -> Result<HttpResponse> {
    answer(&script, &request, |ids| {
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
    answer(&script, &request, |ids| {
        let known = ids.contains(&*id) || (id.starts_with("sim-") && Plan::of_model(&id).is_ok());
        known
            .then(|| model(&id))
            .ok_or_else(|| refusal::unknown_model(&id))
    })
    .await
}

async fn answer(
    script: &Script,
    request: &HttpRequest,
    body: impl FnOnce(Vec<String>) -> Result<Value>,
) -> Result<HttpResponse> {
    let token = request::bearer(request).ok_or_else(refusal::no_credential)?;
    script.count(|stats| stats.count_request(PATH, token, ""));
    let mut plan = arrival::plan("", arrival::words(request))?;
    if let Some(behaviour) = script.next(PATH, token, "") {
        plan = plan.with(behaviour);
    }
    let nobody: Rc<str> = "".into();
    arrival::refuse(&plan, script, request, token, &nobody).await?;
    let listed = script.listed_models();
    let ids = listed.unwrap_or_else(|| MODELS.map(str::to_owned).to_vec());
    let body = body(ids)?.to_string().into();
    Ok(plain_answer(body, &plan, script, request, &nobody))
}

fn model(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": 1_763_712_000, "owned_by": "sim"})
}
