//! `/v1/models`: what clients may ask for, in OpenAI's shape or in Anthropic's.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use troupe_actors::catalog::Listed;
use troupe_protocol::{
    anthropic::models as anthropic,
    dialect::Client,
    openai::model::{self as openai, ModelCard},
};
use uuid::Uuid;

use crate::http::{
    auth,
    dialect::client_of,
    error::{ApiError, request_id_headers},
    fallback::unknown_model,
    services::OnWorker,
};

pub async fn list(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    let services = &worker.0.services;
    let listed = auth::principal(&request, &services.keys).map(|_| {
        let models: Vec<Listed> = services.catalog.directory().list().collect();
        let cards = models.iter().map(card);
        match client_of(request.path(), request.headers()) {
            Client::Anthropic => anthropic::render_list(cards),
            Client::OpenaiChat | Client::OpenaiResponses => openai::render_list(cards),
        }
    });
    told(&request, listed)
}

pub async fn one(worker: OnWorker, request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let services = &worker.0.services;
    let found = auth::principal(&request, &services.keys).and_then(|_| {
        let listed = services.catalog.directory().listed(&name);
        listed.ok_or_else(|| unknown_model(&name))
    });
    let shown = found.map(
        |listed| match client_of(request.path(), request.headers()) {
            Client::Anthropic => anthropic::render_one(card(&listed)),
            Client::OpenaiChat | Client::OpenaiResponses => openai::render_one(card(&listed)),
        },
    );
    told(&request, shown)
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

fn told(request: &HttpRequest, answer: Result<web::Bytes, ApiError>) -> HttpResponse {
    let id = Uuid::now_v7().to_string();
    let client = client_of(request.path(), request.headers());
    let body = match answer {
        Ok(body) => body,
        Err(error) => return error.respond_to(client, &id),
    };
    let mut response = HttpResponse::build(StatusCode::OK);
    response.content_type("application/json");
    for header in request_id_headers(client, &id) {
        response.insert_header(header);
    }
    response.body(body)
}
