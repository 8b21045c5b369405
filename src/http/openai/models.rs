//! `/v1/models`: what clients may ask for.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use troupe_actors::catalog::Listed;
use troupe_protocol::openai::model::{ModelCard, render_list, render_one};
use uuid::Uuid;

use crate::http::{
    auth,
    error::{ApiError, REQUEST_ID},
    fallback::unknown_model,
    services::OnWorker,
};

pub async fn list(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    let id = Uuid::now_v7().to_string();
    let services = &worker.0.services;
    if let Err(error) = auth::principal(&request, &services.keys) {
        return error.respond(&id);
    }
    let models: Vec<Listed> = services.catalog.directory().list().collect();
    found(&id, render_list(models.iter().map(card)))
}

pub async fn one(worker: OnWorker, request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let id = Uuid::now_v7().to_string();
    let services = &worker.0.services;
    let answer = auth::principal(&request, &services.keys).and_then(|_| {
        let listed = services.catalog.directory().listed(&name);
        listed.ok_or_else(|| unknown_model(&name))
    });
    match answer {
        Ok(listed) => found(&id, render_one(card(&listed))),
        Err(error) => ApiError::respond(&error, &id),
    }
}

/// Upstreams rarely say when a model was made, and clients only show it; a fixed day keeps answers
/// the same from one call to the next. 2026-01-01.
const CREATED: u64 = 1_767_225_600;

fn card(listed: &Listed) -> ModelCard<'_> {
    ModelCard {
        id: &listed.id,
        created: CREATED,
        owned_by: &listed.provider,
    }
}

fn found(id: &str, body: web::Bytes) -> HttpResponse {
    HttpResponse::build(StatusCode::OK)
        .content_type("application/json")
        .insert_header((REQUEST_ID, id))
        .body(body)
}
