//! The API of Imagine Server, `/api/v1/…`: pictures and videos of every provider under one roof.
//!
//! What its clients send and read is kept; its known faults are not: every error has the status that it
//! deserves, `token-reset` is reached, nothing is silently changed.
//!
//! `/api/v1/generate` is also the [studio](super::studio)'s, which sends on what is meant for here.

pub mod actions;
pub mod error;
mod models;
mod storage;
mod text;
mod tokens;
mod video;

use actix_web::{HttpResponse, web};
use chrono::{SecondsFormat, Utc};
use serde_json::json;

use super::layers::resource;

/// `/api/v1/…`, and `/api/health`. Fixed routes stand before those with parameters.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/api/health").get(health))
        .service(resource("/api/v1/models").get(models::served))
        .service(resource("/api/v1/models/all").get(models::all))
        .service(resource("/api/v1/token-stats").get(tokens::stats))
        .service(resource("/api/v1/token-stats/all").get(tokens::all_stats))
        .service(resource("/api/v1/token-reset").post(tokens::reset))
        .service(resource("/api/v1/storage/cleanup").delete(storage::cleanup))
        .service(resource("/api/v1/text").post(text::text))
        .service(resource("/api/v1/video").post(video::film))
        .service(resource("/api/v1/task-status").get(video::status))
        .service(resource("/api/v1/edit").post(actions::edit))
        .service(resource("/api/v1/upscale").post(actions::upscale))
        .service(resource("/api/v1/upscaler").post(actions::upscale))
        .service(resource("/api/v1/imagine").post(actions::imagine));
}

async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "status": "ok",
        "timestamp": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
        "version": env!("CARGO_PKG_VERSION"),
    }))
}
