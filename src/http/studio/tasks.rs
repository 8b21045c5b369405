//! Tasks: looking at them, cancelling and removing them, and lists of them.

use std::collections::HashMap;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Path, Query},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use troupe_actors::{
    images::Image,
    jobs::{Job, State, Wish},
};
use troupe_protocol::openai::error::ErrorCode;

use super::{
    ids::{job_id, task_id},
    refusal::{Refusal, Thing},
    view, words,
};
use crate::{
    http::{
        auth,
        error::ApiError,
        services::{OnWorker, Services},
    },
    pages::language::Language,
};

/// `GET /api/v1/task/{task_id}`: with `Retry-After` until it is finished.
pub async fn get(worker: OnWorker, request: HttpRequest, id: Path<String>) -> HttpResponse {
    let (services, language) = (&worker.0.services, words::language(&request));
    let found = async {
        let job = find(services, &request, &id).await?;
        told(&job, services, language).await
    };
    answer(found.await, language)
}

/// `DELETE /api/v1/task/{task_id}`: cancels one that is not finished, removes one that is, with its pictures.
pub async fn delete(worker: OnWorker, request: HttpRequest, id: Path<String>) -> HttpResponse {
    let (services, language) = (&worker.0.services, words::language(&request));
    let deleted = async {
        let job = find(services, &request, &id).await?;
        if job.state.is_final() {
            remove(services, &request, &job).await?;
            return Ok(HttpResponse::NoContent().finish());
        }
        let cancelled = cancel(services, &request, &job.id).await?;
        told(&cancelled, services, language).await
    };
    answer(deleted.await, language)
}

/// What a list is to hold.
#[derive(Debug, Deserialize)]
pub struct Asked {
    status: Option<State>,
    model: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    limit: Option<usize>,
}

/// `GET /api/v1/tasks`: newest first.
pub async fn list(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    let (services, language) = (&worker.0.services, words::language(&request));
    let listed = async {
        let principal = auth::principal(&request, &services.keys)?;
        let asked: Asked = asked(&request)?;
        let limit = limit(asked.limit, services);
        let wish = Wish {
            state: asked.status,
            model: asked.model,
            before: asked.after.map(|after| job_id(&after).unwrap_or(after)),
            limit: limit + 1,
        };
        let mut jobs = services.jobs.list(principal.app_id(), wish).await?;
        let more = jobs.len() > limit;
        jobs.truncate(limit);
        let next = jobs.last().filter(|_| more).map(|job| task_id(&job.id));
        let items = shown(&jobs, services, language).await?;
        Ok(fresh().json(json!({"items": items, "next": next})))
    };
    answer(listed.await, language)
}

/// What a query asks for.
///
/// # Errors
/// 400.
pub fn asked<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Refusal> {
    let read = Query::<T>::from_query(request.query_string());
    read.map(Query::into_inner)
        .map_err(|error| ApiError::new(ErrorCode::InvalidRequest, error.to_string()).into())
}

/// How many a page has: what was asked for, within the operator's bounds.
pub fn limit(asked: Option<usize>, services: &Services) -> usize {
    asked
        .unwrap_or(20)
        .clamp(1, services.studio.config.max_page)
}

/// Jobs with what is left of their pictures.
///
/// # Errors
/// 503.
pub async fn shown(
    jobs: &[Job],
    services: &Services,
    language: Language,
) -> Result<Vec<Value>, Refusal> {
    let mut images = images_of(jobs, services).await?;
    let shown = jobs.iter().map(|job| {
        let own = images.remove(&job.id).unwrap_or_default();
        view::task(job, &own, language)
    });
    Ok(shown.collect())
}

async fn images_of(
    jobs: &[Job],
    services: &Services,
) -> Result<HashMap<String, Vec<Image>>, Refusal> {
    let completed = jobs.iter().filter(|job| job.state == State::Completed);
    let ids: Vec<String> = completed.map(|job| job.id.clone()).collect();
    match ids.is_empty() {
        true => Ok(HashMap::new()),
        false => Ok(services.studio.images.of_jobs(ids).await?),
    }
}

/// The app's task of that id.
///
/// # Errors
/// 401, 404 or 503.
pub async fn find(services: &Services, request: &HttpRequest, id: &str) -> Result<Job, Refusal> {
    let principal = auth::principal(request, &services.keys)?;
    let id = job_id(id).ok_or(Refusal::Absent(Thing::Task))?;
    let found = services.jobs.get(principal.app_id(), &id).await?;
    found.ok_or(Refusal::Absent(Thing::Task))
}

/// Cancels the app's task of that id.
///
/// # Errors
/// 401, 404 or 503.
pub async fn cancel(services: &Services, request: &HttpRequest, id: &str) -> Result<Job, Refusal> {
    let principal = auth::principal(request, &services.keys)?;
    let id = job_id(id).ok_or(Refusal::Absent(Thing::Task))?;
    let cancelled = services.jobs.cancel(principal.app_id(), &id).await?;
    cancelled.ok_or(Refusal::Absent(Thing::Task))
}

/// Removes a finished task: its files first, so that what fails half-way can be asked for again.
///
/// # Errors
/// 401, 404 or 503.
pub async fn remove(services: &Services, request: &HttpRequest, job: &Job) -> Result<(), Refusal> {
    let principal = auth::principal(request, &services.keys)?;
    services.studio.images.discard_files(job).await?;
    match services.jobs.forget(principal.app_id(), &job.id).await? {
        true => Ok(()),
        false => Err(Refusal::Absent(Thing::Task)),
    }
}

async fn told(job: &Job, services: &Services, language: Language) -> Result<HttpResponse, Refusal> {
    let task = shown(std::slice::from_ref(job), services, language)
        .await?
        .pop();
    let mut response = fresh();
    if !job.state.is_final() {
        response.insert_header((header::RETRY_AFTER, services.jobs.look_again(job)));
    }
    Ok(response.json(task))
}

/// 200 for what may be other the next time.
pub fn fresh() -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response
}

/// An answer that has no call record.
pub fn answer(answered: Result<HttpResponse, Refusal>, language: Language) -> HttpResponse {
    answered.unwrap_or_else(|refusal| refusal.respond(language))
}
