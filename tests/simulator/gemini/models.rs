//! `GET /v1beta/models` and `GET /v1beta/models/{id}`.

use actix_web::{HttpRequest, HttpResponse, Result, web};
use serde_json::{Value, json};

use crate::{
    models::{answer, is_known},
    request,
    script::Script,
    voice::Voice,
};

use super::Gemini;

/// Models on a page unless `pageSize` says otherwise, as the real service has it.
const PAGE: usize = 50;

/// `GET /v1beta/models`: `pageSize` and `pageToken` choose the page.
pub(crate) async fn list(script: web::Data<Script>, request: HttpRequest) -> Result<HttpResponse> {
    let number = |name| -> Option<usize> { request::query(&request, name)?.parse().ok() };
    let from = number("pageToken").unwrap_or(0);
    let size = number("pageSize").unwrap_or(PAGE).clamp(1, 1000);
    answer(&Gemini, &script, &request, |ids| {
        let page = ids.iter().skip(from).take(size);
        let models: Vec<Value> = page.map(|id| model(id)).collect();
        let mut list = json!({"models": models});
        if from + size < ids.len() {
            list["nextPageToken"] = (from + size).to_string().into();
        }
        Ok(list)
    })
    .await
}

/// `GET /v1beta/models/{id}`.
pub(crate) async fn one(
    script: web::Data<Script>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    answer(&Gemini, &script, &request, |ids| {
        match is_known(&ids, &id) {
            true => Ok(model(&id)),
            false => Err(Gemini.unknown_model(&id).end(&Gemini)),
        }
    })
    .await
}

fn model(id: &str) -> Value {
    json!({
        "name": format!("models/{id}"), "version": "001", "displayName": id,
        "description": "a model of the simulator", "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "temperature": 1, "topP": 0.95, "topK": 64, "maxTemperature": 2,
    })
}
