//! An app's receivers.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde::Deserialize;
use serde_json::{Value, json};
use troupe_actors::jobs::webhooks::{Endpoint, NewSecret, Topic};

use super::{absent, told};
use crate::http::{auth, error::ApiError, services::OnWorker};

/// A receiver to be added.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct New {
    url: String,
    /// All that there are, unless some are named.
    events: Option<Vec<Topic>>,
}

/// `POST /v1/webhooks`: 201 with the secret, which is shown here and nowhere else.
pub async fn create(worker: OnWorker, request: HttpRequest, new: web::Json<New>) -> HttpResponse {
    let services = &worker.0.services;
    let New { url, events } = new.into_inner();
    let topics = events.filter(|topics| !topics.is_empty());
    let created = async {
        let principal = auth::principal(&request, &services.keys)?;
        let topics = topics.unwrap_or_else(|| Topic::ALL.to_vec());
        let created = services.webhooks.create(principal.app_id(), &url, &topics);
        let (endpoint, secret) = created.await?;
        Ok(with_secret(shown(&endpoint), &secret))
    };
    let mut response = told(created.await);
    if response.status().is_success() {
        *response.status_mut() = StatusCode::CREATED;
    }
    response
}

/// `GET /v1/webhooks`: oldest first.
pub async fn list(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    let services = &worker.0.services;
    let listed = async {
        let principal = auth::principal(&request, &services.keys)?;
        let endpoints = services.webhooks.endpoints(principal.app_id()).await?;
        let data: Vec<Value> = endpoints.iter().map(shown).collect();
        Ok(json!({"object": "list", "data": data}))
    };
    told(listed.await)
}

/// `GET /v1/webhooks/{id}`
pub async fn get(worker: OnWorker, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    let services = &worker.0.services;
    let found = async {
        let principal = auth::principal(&request, &services.keys)?;
        let found = services.webhooks.endpoint(principal.app_id(), &id).await?;
        found.as_ref().map(shown).ok_or_else(|| unknown(&id))
    };
    told(found.await)
}

/// `DELETE /v1/webhooks/{id}`: with all that is owed to it.
pub async fn delete(worker: OnWorker, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    let services = &worker.0.services;
    let deleted = async {
        let principal = auth::principal(&request, &services.keys)?;
        match services.webhooks.delete(principal.app_id(), &id).await? {
            true => Ok(json!({"id": *id, "object": "webhook.deleted", "deleted": true})),
            false => Err(unknown(&id)),
        }
    };
    told(deleted.await)
}

/// `POST /v1/webhooks/{id}/rotate`: a new secret.
pub async fn rotate(worker: OnWorker, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    let services = &worker.0.services;
    let rotated = async {
        let principal = auth::principal(&request, &services.keys)?;
        let (app, webhooks) = (principal.app_id(), &services.webhooks);
        let secret = webhooks.rotate(app, &id).await?;
        let secret = secret.ok_or_else(|| unknown(&id))?;
        let endpoint = webhooks.endpoint(app, &id).await?;
        let endpoint = endpoint.ok_or_else(|| unknown(&id))?;
        Ok(with_secret(shown(&endpoint), &secret))
    };
    told(rotated.await)
}

/// `POST /v1/webhooks/{id}/enable`: one that had answered with 410 is told again.
pub async fn enable(worker: OnWorker, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    let services = &worker.0.services;
    let enabled = async {
        let principal = auth::principal(&request, &services.keys)?;
        let enabled = services.webhooks.enable(principal.app_id(), &id).await?;
        enabled.as_ref().map(shown).ok_or_else(|| unknown(&id))
    };
    told(enabled.await)
}

fn unknown(id: &str) -> ApiError {
    absent("webhook", id)
}

fn shown(endpoint: &Endpoint) -> Value {
    json!({
        "id": endpoint.id,
        "object": "webhook",
        "url": endpoint.url,
        "events": endpoint.topics,
        "status": match endpoint.disabled_at {
            None => "enabled",
            Some(_) => "disabled",
        },
        "created_at": endpoint.created_at / 1_000,
        "disabled_at": endpoint.disabled_at.map(|at| at / 1_000),
    })
}

/// The same with its new secret.
pub(super) fn with_secret(mut body: Value, new: &NewSecret) -> Value {
    body["secret_id"] = new.id.as_str().into();
    body["secret"] = new.secret.expose().into();
    body["previous_secret_until"] = json!(new.earlier_until.map(|at| at / 1_000));
    body
}
