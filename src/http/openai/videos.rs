//! `/v1/videos`: OpenAI's API of videos, on jobs.

use actix_web::{
    HttpRequest, HttpResponse,
    body::SizedStream,
    http::{StatusCode, header},
    web::{Path, Payload},
};
use serde_json::{Value, json};
use troupe_actors::{
    images::ImagesError,
    jobs::{Job, JobError, State},
};
use troupe_protocol::{
    dialect::Client,
    openai::{error::ErrorCode, request_error::RequestError},
    pictures::{Action, spec::refused as bad},
};

use crate::http::{
    auth,
    call::Call,
    enter::enter,
    error::ApiError,
    jobs::{
        routes::{cancelled, find, refused},
        submit::{accepted_as, submit},
        view::first_file,
    },
    pictures::{
        draft::{Draft, Shape},
        form::{Form, admitted_form},
    },
    services::{OnWorker, Services},
};

pub const ROUTE: &str = "/v1/videos";

/// `POST /v1/videos`: a form or JSON.
pub async fn create(worker: OnWorker, request: HttpRequest, payload: Payload) -> HttpResponse {
    let mut call = match enter(&worker.0, &request, ROUTE, Client::OpenaiChat) {
        Ok(call) => call,
        Err(refusal) => return refusal,
    };
    let services = &worker.0.services;
    match ordered(services, &request, payload, &mut call).await {
        Ok(job) => {
            let body = video(&job).to_string();
            accepted_as(call, &job, StatusCode::OK, body, services)
        }
        Err(error) => call.refuse(&error),
    }
}

async fn ordered(
    services: &Services,
    request: &HttpRequest,
    payload: Payload,
    call: &mut Call,
) -> Result<Job, ApiError> {
    let form = admitted_form(call, services, request, payload).await?;
    submit(request, &mut draft(form)?, services, call).await
}

/// Reads a request in OpenAI's words.
fn draft(mut form: Form) -> Result<Draft, RequestError> {
    let missing = |param: &'static str| RequestError::Missing {
        param: param.into(),
    };
    let model = form.text("model", &[])?.ok_or(missing("model"))?;
    let inputs = form.pictures("input_reference", &["image", "image_url"])?;
    let size = form.text("size", &[])?.filter(|size| size != "auto");
    let shape = match size {
        None => Shape::Open,
        Some(size) => Shape::Exact(
            size.parse()
                .map_err(|expected: &str| bad("size", expected))?,
        ),
    };
    form.take(&["user", "async"]);
    Ok(Draft {
        action: match inputs.is_empty() {
            true => Action::TextToVideo,
            false => Action::ImageToVideo,
        },
        model,
        prompt: form.text("prompt", &[])?.ok_or(missing("prompt"))?,
        negative_prompt: form.text("negative_prompt", &[])?,
        shape,
        count: 1,
        seed: form.whole("seed", &[])?,
        steps: None,
        guidance: None,
        seconds: form.number("seconds", &["duration"])?,
        inputs,
        mask: None,
        nonce: form.nonce,
        extra: form.rest(),
    })
}

/// `GET /v1/videos/{id}`
pub async fn get(worker: OnWorker, request: HttpRequest, id: Path<String>) -> HttpResponse {
    match find(&worker.0.services, &request, &id).await {
        Ok(job) => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(video(&job)),
        Err(error) => refused(&error),
    }
}

/// `DELETE /v1/videos/{id}`: one that is not done yet is cancelled, another goes with its file.
pub async fn delete(worker: OnWorker, request: HttpRequest, id: Path<String>) -> HttpResponse {
    match removed(&worker.0.services, &request, &id).await {
        Ok(job) => {
            let deleted = json!({"id": job.id, "object": "video.deleted", "deleted": true});
            HttpResponse::Ok().json(deleted)
        }
        Err(error) => refused(&error),
    }
}

async fn removed(services: &Services, request: &HttpRequest, id: &str) -> Result<Job, ApiError> {
    let job = find(services, request, id).await?;
    if !job.state.is_final() {
        return cancelled(services, request, id).await;
    }
    let app = auth::principal(request, &services.keys)?;
    let discarded = services.studio.images.discard_files(&job).await;
    discarded.map_err(|error| match error {
        ImagesError::Database(error) => JobError::from(error).into(),
        ImagesError::Media(error) => ApiError::from(error),
        ImagesError::Thumbnail(error) => {
            ApiError::new(ErrorCode::StorageUnavailable, error.to_string())
        }
    })?;
    services.jobs.forget(app.app_id(), &job.id).await?;
    Ok(job)
}

/// `GET /v1/videos/{id}/content`: the file.
pub async fn content(worker: OnWorker, request: HttpRequest, id: Path<String>) -> HttpResponse {
    let services = &worker.0.services;
    match file(services, &request, &id).await {
        Ok(response) => response,
        Err(error) => refused(&error),
    }
}

async fn file(
    services: &Services,
    request: &HttpRequest,
    id: &str,
) -> Result<HttpResponse, ApiError> {
    let job = find(services, request, id).await?;
    let absent = |message: &str| ApiError::new(ErrorCode::NotFound, message);
    if job.state != State::Completed {
        return Err(absent("the video is not done; look at its `status` first"));
    }
    let gone = || absent("the video is not stored any more; make it again");
    let (name, mime) = first_file(&job).ok_or_else(gone)?;
    let stored = services.media.open(name).await.ok_or_else(gone)?;
    let bytes = stored.bytes;
    Ok(HttpResponse::Ok()
        .content_type(mime)
        .body(SizedStream::new(bytes, stored.pieces(0..bytes))))
}

/// A job as OpenAI's clients know a video.
fn video(job: &Job) -> Value {
    let status = match job.state {
        State::Pending => "queued",
        State::Processing | State::Retrying => "in_progress",
        State::Completed => "completed",
        State::Failed | State::Cancelled => "failed",
    };
    let order = job.order.as_ref();
    let error = match (&job.error, job.state) {
        (Some(error), _) => json!({"code": error.kind, "message": error.message}),
        (None, State::Cancelled) => json!({"code": "cancelled", "message": "it was cancelled"}),
        _ => Value::Null,
    };
    json!({
        "id": job.id,
        "object": "video",
        "status": status,
        "model": job.model,
        "progress": job.progress,
        "prompt": order.map(|order| &order.prompt),
        "seconds": order.and_then(|order| Some(order.seconds?.to_string())),
        "size": order.and_then(|order| order.size),
        "created_at": job.created_at / 1_000,
        "completed_at": job.finished_at.map(|at| at / 1_000),
        "error": error,
    })
}
