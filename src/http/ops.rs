//! For operators and their tools: health, readiness, metrics.

use actix_web::{HttpResponse, http::header, web};
use serde_json::json;

use super::{layers::resource, services::OnWorker};

/// `/health`, `/health/ready`, `/metrics`.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/health").get(health))
        .service(resource("/health/ready").get(ready))
        .service(resource("/metrics").get(metrics));
}

/// The process lives and its HTTP threads answer.
async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// Whether new requests should come here. The database and the key-value store may be away without
/// that: inference goes on.
async fn ready(worker: OnWorker) -> HttpResponse {
    let services = &worker.0.services;
    let draining = services.draining.is_cancelled();
    let keys = services.keys.is_ready();
    let spool_full = services.spool.full();
    let body = json!({
        "status": if draining { "draining" } else if keys && !spool_full { "ready" } else { "not_ready" },
        "keys_loaded": keys,
        "spool_full": spool_full,
        "in_flight": services.limits.in_flight(),
    });
    if draining || !keys || spool_full {
        return HttpResponse::ServiceUnavailable()
            .insert_header((header::RETRY_AFTER, 1))
            .json(body);
    }
    HttpResponse::Ok().json(body)
}

/// In Prometheus' text format.
async fn metrics(worker: OnWorker) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(worker.0.services.metrics.render())
}
