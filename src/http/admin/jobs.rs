//! Jobs of all apps, and what was told of their ends: lists, and an operator's hand in them.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use troupe_actors::{
    jobs::{JobError, Overseen, State, webhooks::WebhookError},
    storage::queries::{
        jobs::JobFilter,
        webhook_deliveries::{DeliveryBrief, DeliveryFilter},
    },
};
use troupe_protocol::openai::error::ErrorCode;

use super::{
    admitted, json,
    lists::{Query, begin},
    refuse,
};
use crate::http::{error::ApiError, services::OnWorker};

/// States of deliveries.
const DELIVERY_STATES: [&str; 3] = ["pending", "delivered", "dead"];

/// `GET /api/admin/jobs?state&app&provider&model&limit&cursor`
pub async fn list(
    worker: OnWorker,
    request: HttpRequest,
    query: web::Query<Query>,
) -> HttpResponse {
    let before = match begin(&worker, &request, &query).await {
        Ok(before) => before,
        Err(refusal) => return refusal,
    };
    let listed = async {
        let state = query.state(|name| State::parse(name).is_some())?;
        let filter = JobFilter {
            app_id: query.app.clone(),
            state,
            model: query.model.clone(),
            provider: query.provider.clone(),
        };
        let jobs = &worker.0.services.jobs;
        let page = jobs.oversee(filter, before, query.limit()).await?;
        Ok(page.map(|overseen| job(&overseen)))
    };
    answered(listed.await)
}

/// `POST /api/admin/jobs/{id}/cancel`: one that is finished stays as it is.
pub async fn cancel(worker: OnWorker, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    if let Err(refusal) = admitted(&worker, &request).await {
        return refusal;
    }
    let cancelled = async {
        let cancelled = worker.0.services.jobs.cancel_any(&id).await?;
        let cancelled = cancelled.ok_or_else(|| absent("job", &id))?;
        log::info!("an admin has cancelled job {id}");
        Ok(job(&cancelled))
    };
    answered(cancelled.await)
}

/// `GET /api/admin/webhooks/deliveries?state&app&limit&cursor`
pub async fn deliveries(
    worker: OnWorker,
    request: HttpRequest,
    query: web::Query<Query>,
) -> HttpResponse {
    let before = match begin(&worker, &request, &query).await {
        Ok(before) => before,
        Err(refusal) => return refusal,
    };
    let listed = async {
        let filter = DeliveryFilter {
            app_id: query.app.clone(),
            state: query.state(|name| DELIVERY_STATES.contains(&name))?,
        };
        let webhooks = &worker.0.services.webhooks;
        let page = webhooks.oversee(filter, before, query.limit()).await?;
        Ok(page.map(|brief| delivery(&brief)))
    };
    answered(listed.await)
}

/// `POST /api/admin/webhooks/deliveries/{id}/redeliver`: it is tried again as if it were new.
pub async fn redeliver(
    worker: OnWorker,
    request: HttpRequest,
    id: web::Path<String>,
) -> HttpResponse {
    if let Err(refusal) = admitted(&worker, &request).await {
        return refusal;
    }
    let queued = async {
        let queued = worker.0.services.webhooks.redeliver_any(&id).await?;
        let queued = queued.ok_or_else(|| absent("delivery", &id))?;
        log::info!("an admin has queued delivery {id} again");
        Ok(delivery(&queued))
    };
    answered(queued.await)
}

/// A job without its prompt and pictures, which are its app's. Times are in milliseconds since 1970.
fn job(Overseen { app_id, node, job }: &Overseen) -> Value {
    json!({
        "id": job.id,
        "app": app_id,
        "state": job.state,
        "action": job.action,
        "model": job.model,
        "provider": job.provider,
        "upstream_model": job.upstream_model,
        "node": node,
        "priority": job.priority,
        "attempts": job.attempts,
        "progress": job.progress,
        "queue_position": job.position,
        "estimated_seconds": job.estimated_seconds,
        "next_attempt_at": job.wake_at,
        "last_error": job.setback,
        "error": job.error,
        "cost": job.cost,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    })
}

/// A delivery without what it says, and without the path of its URL, which may hold a secret of the receiver.
fn delivery(brief: &DeliveryBrief) -> Value {
    json!({
        "id": brief.id,
        "app": brief.app_id,
        "webhook": brief.endpoint_id,
        "job": brief.job_id,
        "event": brief.topic,
        "receiver": brief.receiver,
        "state": brief.state,
        "attempts": brief.attempts,
        "last_status": brief.last_status,
        "last_error": brief.last_error,
        "created_at": brief.created_at,
        "next_attempt_at": brief.ended_at.is_none().then_some(brief.next_at),
        "ended_at": brief.ended_at,
    })
}

/// Why an admin gets nothing.
#[derive(derive_more::From)]
enum Refused {
    Job(JobError),
    Webhook(WebhookError),
    Other(ApiError),
}

fn absent(what: &str, id: &str) -> ApiError {
    let message = format!("there is no {what} {id}, or not any more");
    ApiError::new(ErrorCode::NotFound, message)
}

fn answered<T: serde::Serialize>(answer: Result<T, Refused>) -> HttpResponse {
    let error = match answer {
        Ok(body) => return json(&body),
        Err(Refused::Job(error)) => error.into(),
        Err(Refused::Webhook(error)) => error.into(),
        Err(Refused::Other(error)) => error,
    };
    refuse(&error)
}
