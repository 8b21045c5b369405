//! The rest of the OpenAI surface: embeddings, images, models.

mod drawn;
mod edits;
mod forward;
mod images;
mod linked;
mod models;
mod videos;

use actix_web::{HttpRequest, HttpResponse, web};
use troupe_actors::providers::upstream::Endpoint;

use self::forward::{Surface, forward};
use super::{layers::resource, services::OnWorker};

/// `/v1/…`
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource(EMBEDDINGS.name).post(embeddings))
        .service(resource(images::IMAGES.name).post(images::generations))
        .service(resource(edits::ROUTE).post(edits::edits))
        .service(resource(videos::ROUTE).post(videos::create))
        .service(
            resource("/v1/videos/{id}")
                .get(videos::get)
                .delete(videos::delete),
        )
        .service(resource("/v1/videos/{id}/content").get(videos::content))
        .service(resource("/v1/models").get(models::list))
        .service(resource("/v1/models/{id:.*}").get(models::one));
}

const EMBEDDINGS: Surface = Surface {
    endpoint: Endpoint::Embeddings,
    name: "/v1/embeddings",
};

async fn embeddings(worker: OnWorker, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    forward(&EMBEDDINGS, worker, &request, payload).await
}
