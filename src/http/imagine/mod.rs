//! What belongs to the image API under `/api/v1` alone.

mod storage;

use actix_web::web;

use super::layers::resource;

/// `/api/v1/…`; fixed paths, to be registered before any with parameters.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(resource("/api/v1/storage/cleanup").delete(storage::cleanup));
}
