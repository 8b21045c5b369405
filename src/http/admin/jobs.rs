//! Jobs of all apps, and what was told of their ends: lists, and an operator's hand in them.

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};
use troupe_actors::{
    jobs::{Overseen, State},
    storage::queries::{
        jobs::JobFilter,
        webhook_deliveries::{DeliveryBrief, DeliveryFilter},
    },
};
use troupe_protocol::openai::error::ErrorCode;

use super::{
    admitted::{Admin, Refused},
    json,
    lists::Query,
};
use crate::http::error::ApiError;

/// States of deliveries.
const DELIVERY_STATES: [&str; 3] = ["pending", "delivered", "dead"];

/// `GET /api/admin/jobs?state&app&provider&model&limit&cursor`
pub async fn list(admin: Admin, query: web::Query<Query>) -> Result<HttpResponse, Refused> {
    let filter = JobFilter {
        app_id: query.app.clone(),
        state: query.state(|name| State::parse(name).is_some())?,
        model: query.model.clone(),
        provider: query.provider.clone(),
    };
    let jobs = &admin.services.jobs;
    let page = jobs.oversee(filter, query.before()?, query.limit()).await?;
    Ok(json(&page.map(|overseen| job(&overseen))))
}

/// `POST /api/admin/jobs/{id}/cancel`: one that is finished stays as it is.
pub async fn cancel(admin: Admin, id: web::Path<String>) -> Result<HttpResponse, Refused> {
    let cancelled = admin.services.jobs.cancel_any(&id).await?;
    let cancelled = cancelled.ok_or_else(|| absent("job", &id))?;
    log::info!("an admin has cancelled job {id}");
    Ok(json(&job(&cancelled)))
}

/// `GET /api/admin/webhooks/deliveries?state&app&limit&cursor`
pub async fn deliveries(admin: Admin, query: web::Query<Query>) -> Result<HttpResponse, Refused> {
    let filter = DeliveryFilter {
        app_id: query.app.clone(),
        state: query.state(|name| DELIVERY_STATES.contains(&name))?,
    };
    let webhooks = &admin.services.webhooks;
    let page = webhooks.oversee(filter, query.before()?, query.limit());
    Ok(json(&page.await?.map(|brief| delivery(&brief))))
}

/// `POST /api/admin/webhooks/deliveries/{id}/redeliver`: it is tried again as if it were new.
pub async fn redeliver(admin: Admin, id: web::Path<String>) -> Result<HttpResponse, Refused> {
    let queued = admin.services.webhooks.redeliver_any(&id).await?;
    let queued = queued.ok_or_else(|| absent("delivery", &id))?;
    log::info!("an admin has queued delivery {id} again");
    Ok(json(&delivery(&queued)))
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

fn absent(what: &str, id: &str) -> ApiError {
    let message = format!("there is no {what} {id}, or not any more");
    ApiError::new(ErrorCode::NotFound, message)
}
