//! The OpenAI surface: chat, embeddings, images, models.

mod fallback;
mod forward;
mod images;
mod models;

use actix_web::{HttpRequest, HttpResponse, web};
use troupe_actors::providers::upstream::Endpoint;

pub use self::forward::unknown_model;
use self::forward::{Surface, forward};
use super::{layers::resource, services::OnWorker};

/// `/v1/…`
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource(CHAT.name).post(chat))
        .service(resource(EMBEDDINGS.name).post(embeddings))
        .service(resource(images::IMAGES.name).post(images::generations))
        .service(resource("/v1/models").get(models::list))
        .service(resource("/v1/models/{id:.*}").get(models::one));
}

const CHAT: Surface = Surface {
    endpoint: Endpoint::Chat,
    name: "/v1/chat/completions",
    may_stream: true,
};

const EMBEDDINGS: Surface = Surface {
    endpoint: Endpoint::Embeddings,
    name: "/v1/embeddings",
    may_stream: false,
};

async fn chat(worker: OnWorker, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    forward(&CHAT, worker, &request, payload).await
}

async fn embeddings(worker: OnWorker, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    forward(&EMBEDDINGS, worker, &request, payload).await
}
