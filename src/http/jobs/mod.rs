//! `/v1/jobs`: orders that outlive their request, to be looked at, followed and cancelled. They are submitted by the
//! routes of pictures and videos.

mod events;
pub mod routes;
pub mod submit;
pub mod view;

use actix_web::web;

use super::layers::resource;

/// `/v1/jobs…`
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/v1/jobs").get(routes::list))
        .service(
            resource("/v1/jobs/{id}")
                .get(routes::get)
                .delete(routes::cancel),
        )
        .service(resource("/v1/jobs/{id}/events").get(events::events));
}
