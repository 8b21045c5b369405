//! The OpenAI surface: chat, embeddings, images, models.

mod forward;
mod images;
mod models;

use actix_web::{HttpRequest, HttpResponse, web};
use troupe_actors::providers::upstream::Endpoint;

use self::forward::{Body, Surface, forward};
use super::services::OnWorker;

/// `/v1/…`
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/v1/chat/completions").post(chat))
        .service(web::resource("/v1/embeddings").post(embeddings))
        .service(web::resource("/v1/images/generations").post(images::generations))
        .service(web::resource("/v1/models").get(models::list))
        .service(web::resource("/v1/models/{id:.*}").get(models::one));
}

const CHAT: Surface = Surface {
    endpoint: Endpoint::Chat,
    name: "chat.completions",
    may_stream: true,
};

const EMBEDDINGS: Surface = Surface {
    endpoint: Endpoint::Embeddings,
    name: "embeddings",
    may_stream: false,
};

async fn chat(worker: OnWorker, request: HttpRequest, body: Body) -> HttpResponse {
    forward(&CHAT, worker, &request, body).await
}

async fn embeddings(worker: OnWorker, request: HttpRequest, body: Body) -> HttpResponse {
    forward(&EMBEDDINGS, worker, &request, body).await
}
