//! Looking at jobs and cancelling them. None of this is a call to a model, so none has a call record.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Query},
};
use serde::Deserialize;
use serde_json::json;
use troupe_actors::jobs::{Job, State, Wish};
use troupe_protocol::openai::error::ErrorCode;
use uuid::Uuid;

use super::view;
use crate::http::{
    auth,
    error::ApiError,
    services::{OnWorker, Services},
};

/// `GET /v1/jobs/{id}`: with `Retry-After` until it is finished.
pub async fn get(worker: OnWorker, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    let services = &worker.0.services;
    told(find(services, &request, &id).await, services)
}

/// `DELETE /v1/jobs/{id}`: cancels it; one that is finished stays as it is.
pub async fn cancel(worker: OnWorker, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    let services = &worker.0.services;
    told(cancelled(services, &request, &id).await, services)
}

/// What a list is to hold.
#[derive(Debug, Deserialize)]
pub struct Asked {
    status: Option<State>,
    model: Option<String>,
    /// The last id of the page before.
    after: Option<String>,
    limit: Option<usize>,
}

/// `GET /v1/jobs`: newest first.
pub async fn list(worker: OnWorker, request: HttpRequest, asked: Query<Asked>) -> HttpResponse {
    let services = &worker.0.services;
    let Asked {
        status,
        model,
        after,
        limit,
    } = asked.into_inner();
    let limit = limit.unwrap_or(20).clamp(1, 100);
    let listed = async {
        let principal = auth::principal(&request, &services.keys)?;
        let wish = Wish {
            state: status,
            model,
            before: after,
            limit: limit + 1,
        };
        Ok::<_, ApiError>(services.jobs.list(principal.app_id(), wish).await?)
    };
    match listed.await {
        Err(error) => refused(&error),
        Ok(mut jobs) => {
            let has_more = jobs.len() > limit;
            jobs.truncate(limit);
            let data: Vec<_> = jobs.iter().map(|job| view::job(job, services)).collect();
            let last_id = jobs.last().map(|job| &job.id);
            HttpResponse::Ok()
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .json(json!({"object": "list", "data": data, "has_more": has_more, "last_id": last_id}))
        }
    }
}

/// The app's job of that id.
///
/// # Errors
/// 401, 404 or 503.
pub async fn find(services: &Services, request: &HttpRequest, id: &str) -> Result<Job, ApiError> {
    let principal = auth::principal(request, &services.keys)?;
    let found = services.jobs.get(principal.app_id(), id).await?;
    found.ok_or_else(|| absent(id))
}

/// Cancels the app's job of that id.
///
/// # Errors
/// 401, 404 or 503.
pub async fn cancelled(
    services: &Services,
    request: &HttpRequest,
    id: &str,
) -> Result<Job, ApiError> {
    let principal = auth::principal(request, &services.keys)?;
    let cancelled = services.jobs.cancel(principal.app_id(), id).await?;
    cancelled.ok_or_else(|| absent(id))
}

/// 404, also for what is another app's.
pub fn absent(id: &str) -> ApiError {
    // an id from a path: shown only as far as ids go
    let id: String = id.chars().take(64).collect();
    let message = format!("there is no job `{id}` of this app, or not any more");
    ApiError::new(ErrorCode::NotFound, message)
}

/// An answer that has no call record.
pub fn refused(error: &ApiError) -> HttpResponse {
    error.respond(&Uuid::now_v7().to_string())
}

fn told(job: Result<Job, ApiError>, services: &Services) -> HttpResponse {
    let job = match job {
        Ok(job) => job,
        Err(error) => return refused(&error),
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if !job.state.is_final() {
        response.insert_header((header::RETRY_AFTER, services.jobs.look_again(&job)));
    }
    response.json(view::job(&job, services))
}
