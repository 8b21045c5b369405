//! What signs for the URLs of an app's single jobs. It is made when it is first needed.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::{endpoints::with_secret, told};
use crate::http::{auth, services::OnWorker};

/// `GET /v1/webhooks/secret`: whether there is one, never itself.
pub async fn get(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    let services = &worker.0.services;
    let found = async {
        let principal = auth::principal(&request, &services.keys)?;
        let found = services.webhooks.secret(principal.app_id()).await?;
        let seconds = |at: i64| at / 1_000;
        Ok(json!({
            "object": "webhook.secret",
            "exists": found.is_some(),
            "secret_id": found.as_ref().map(|secret| &secret.id),
            "created_at": found.as_ref().map(|secret| seconds(secret.created_at)),
            "previous_secret_until": found.and_then(|secret| secret.earlier_until).map(seconds),
        }))
    };
    told(found.await)
}

/// `POST /v1/webhooks/secret/rotate`: a new one, shown here and nowhere else.
pub async fn rotate(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    let services = &worker.0.services;
    let rotated = async {
        let principal = auth::principal(&request, &services.keys)?;
        let secret = services.webhooks.rotate_own(principal.app_id()).await?;
        Ok(with_secret(
            json!({"object": "webhook.secret", "exists": true}),
            &secret,
        ))
    };
    told(rotated.await)
}
