//! Videos, which are jobs: `/api/v1/video` answers with a task's id at once, `/api/v1/task-status` tells how it
//! stands.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Payload, Query},
};
use serde::Deserialize;
use serde_json::json;
use troupe_actors::jobs::{Job, State};
use troupe_protocol::{dialect::Client, openai::error::ErrorCode, pictures::Action};
use uuid::Uuid;

use super::{actions::draft, error};
use crate::http::{
    auth,
    call::Call,
    enter::admitted,
    error::ApiError,
    jobs::{
        routes::find,
        submit::{accepted_as, submit},
        view::first_link,
    },
    pictures::form::admitted_form,
    rate::{self, Words},
    services::{OnWorker, Services},
};

/// What a picture is to become where nobody says.
const MOTION: &str = "bring this picture to life with smooth, natural, cinematic motion";

/// `POST /api/v1/video`
pub async fn film(worker: OnWorker, request: HttpRequest, payload: Payload) -> HttpResponse {
    let id = Uuid::now_v7();
    let route = "/api/v1/video";
    let mut call = match admitted(&worker.0, &request, route, Client::OpenaiChat, id) {
        Ok(call) => call,
        Err(refusal) => return error::respond(&refusal, &id.to_string()),
    };
    let services = &worker.0.services;
    match ordered(services, &request, payload, &mut call).await {
        Ok(job) => {
            let predict = job.estimated_seconds;
            let body = json!({"taskId": job.id, "predict": predict}).to_string();
            accepted_as(call, &job, StatusCode::OK, body, services)
        }
        Err(refusal) => error::refuse(call, &refusal),
    }
}

async fn ordered(
    services: &Services,
    request: &HttpRequest,
    payload: Payload,
    call: &mut Call,
) -> Result<Job, ApiError> {
    let form = admitted_form(call, services, request, payload).await?;
    let mut draft = draft(Action::ImageToVideo, form)?;
    if draft.inputs.is_empty() {
        draft.action = Action::TextToVideo;
    } else if draft.prompt.is_empty() {
        MOTION.clone_into(&mut draft.prompt);
    }
    draft.extra.remove("async");
    submit(request, &mut draft, services, call).await
}

/// Which task.
#[derive(Debug, Deserialize)]
pub struct Asked {
    #[serde(rename = "taskId", alias = "task_id")]
    task_id: Option<String>,
}

/// `GET /api/v1/task-status?taskId=`. It counts as a request of its key, but is no call: it has no record.
pub async fn status(worker: OnWorker, request: HttpRequest, asked: Query<Asked>) -> HttpResponse {
    let services = &worker.0.services;
    let principal = match auth::principal(&request, &services.keys) {
        Ok(principal) => principal,
        Err(refusal) => return error::unrecorded(&refusal),
    };
    let key_id = principal.key_id();
    let (standing, counted) = rate::count(&services.rate, key_id, Words::Imagine).await;
    let mut response = match counted {
        Ok(()) => told(services, &request, asked.into_inner()).await,
        Err(exceeded) => error::unrecorded(&exceeded.into()),
    };
    let headers = response.headers_mut();
    for (name, value) in standing.into_iter().flatten() {
        headers.insert(name, value);
    }
    response
}

async fn told(services: &Services, request: &HttpRequest, asked: Asked) -> HttpResponse {
    let Some(id) = asked.task_id.filter(|id| !id.is_empty()) else {
        return HttpResponse::BadRequest().json(json!({"error": "taskId is required"}));
    };
    let job = match find(services, request, &id).await {
        Ok(job) => job,
        Err(refusal) if refusal.code == ErrorCode::NotFound => {
            let message = "The task ID does not exist or has expired";
            return HttpResponse::NotFound().json(json!({"status": "error", "message": message}));
        }
        Err(refusal) => return error::unrecorded(&refusal),
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    match (job.state, first_link(&job, services)) {
        (State::Completed, Some(url)) => response.json(json!({"status": "success", "url": url})),
        (state, _) if state.is_final() => {
            let message = job.error.map(|error| error.message);
            let message = message.unwrap_or_else(|| format!("the task was {state}"));
            response.json(json!({"status": "failed", "error": message}))
        }
        _ => response
            .insert_header((header::RETRY_AFTER, services.jobs.look_again(&job)))
            .json(json!({"status": "processing", "progress": job.progress})),
    }
}
