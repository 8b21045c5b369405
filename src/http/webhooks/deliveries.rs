//! What was told, and what could not be.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Query},
};
use serde::Deserialize;
use serde_json::{Value, json};
use troupe_actors::storage::queries::webhook_deliveries::DeliveryBrief;

use super::{absent, page, told};
use crate::http::{auth, services::OnWorker};

/// What a list is to hold.
#[derive(Debug, Deserialize)]
pub struct Asked {
    status: Option<State>,
    /// The last id of the page before.
    after: Option<String>,
    limit: Option<usize>,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Pending,
    Delivered,
    Dead,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// `GET /v1/webhooks/deliveries`: newest first.
pub async fn list(worker: OnWorker, request: HttpRequest, asked: Query<Asked>) -> HttpResponse {
    let services = &worker.0.services;
    let asked = asked.into_inner();
    let (state, limit) = (
        asked.status.map(State::name),
        asked.limit.unwrap_or(20).clamp(1, 100),
    );
    let listed = async {
        let principal = auth::principal(&request, &services.keys)?;
        let (app, after) = (principal.app_id(), asked.after);
        let listed = services.webhooks.deliveries(app, state, after, limit + 1);
        Ok(page(listed.await?.iter().map(shown).collect(), limit))
    };
    told(listed.await)
}

/// `POST /v1/webhooks/deliveries/{id}/redeliver`: it is tried again as if it were new.
pub async fn redeliver(
    worker: OnWorker,
    request: HttpRequest,
    id: web::Path<String>,
) -> HttpResponse {
    let services = &worker.0.services;
    let queued = async {
        let principal = auth::principal(&request, &services.keys)?;
        let queued = services.webhooks.redeliver(principal.app_id(), &id).await?;
        queued
            .as_ref()
            .map(shown)
            .ok_or_else(|| absent("delivery", &id))
    };
    told(queued.await)
}

fn shown(delivery: &DeliveryBrief) -> Value {
    let is_pending = delivery.ended_at.is_none();
    json!({
        "id": delivery.id,
        "object": "webhook.delivery",
        "webhook": delivery.endpoint_id,
        "job": delivery.job_id,
        "event": delivery.topic,
        "url": delivery.url,
        "status": delivery.state,
        "attempts": delivery.attempts,
        "last_status": delivery.last_status,
        "last_error": delivery.last_error,
        "created_at": delivery.created_at / 1_000,
        "next_attempt_at": is_pending.then_some(delivery.next_at / 1_000),
        "ended_at": delivery.ended_at.map(|at| at / 1_000),
    })
}
