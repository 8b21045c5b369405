//! Ordering: `POST /api/v1/generate`, which two APIs have, and `POST /api/v1/tasks`, which is the studio's own.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::Payload,
};
use serde_json::Value;
use troupe_actors::jobs::Job;
use troupe_protocol::{dialect::Client, pictures::Action};
use uuid::Uuid;

use super::{ids::task_id, refusal::Refusal, view, wish::Wish, words};
use crate::{
    http::{
        call::Call,
        enter::admitted,
        imagine,
        jobs::submit::{accepted_as, asked_for_job, submit_tagged},
        pictures::form::{Form, admitted_form},
        services::{OnWorker, Services},
    },
    pages::language::Language,
};

/// The kinds of providers whose bare model names speak the seed's words.
pub const OWN_KINDS: [&str; 2] = ["volcengine", "ark"];

/// `POST /api/v1/generate`: Imagine Server's at once, or a task of the studio's, as the body says.
pub async fn generate(worker: OnWorker, request: HttpRequest, payload: Payload) -> HttpResponse {
    let (id, language) = (Uuid::now_v7(), words::language(&request));
    let mut call = match admitted(
        &worker.0,
        &request,
        "/api/v1/generate",
        Client::OpenaiChat,
        id,
    ) {
        Ok(call) => call,
        Err(refusal) => return Refusal::from(refusal).respond_as(&id.to_string(), language),
    };
    let services = &worker.0.services;
    let form = match admitted_form(&mut call, services, &request, payload).await {
        Ok(form) => form,
        Err(refusal) => return Refusal::from(refusal).refuse(call, language),
    };
    if !is_ours(&form, &request, services) {
        return imagine::actions::answer(Action::Generate, form, worker, &request, call).await;
    }
    match order(form, services, &mut call, language).await {
        Ok(job) => created(call, &job, view::taken(&job), services),
        Err(refusal) => refusal.refuse(call, language),
    }
}

/// `POST /api/v1/tasks`: always a task.
pub async fn create(worker: OnWorker, request: HttpRequest, payload: Payload) -> HttpResponse {
    let (id, language) = (Uuid::now_v7(), words::language(&request));
    let mut call = match admitted(&worker.0, &request, "/api/v1/tasks", Client::OpenaiChat, id) {
        Ok(call) => call,
        Err(refusal) => return Refusal::from(refusal).respond_as(&id.to_string(), language),
    };
    let services = &worker.0.services;
    let ordered = async {
        let form = admitted_form(&mut call, services, &request, payload).await?;
        order(form, services, &mut call, language).await
    };
    match ordered.await {
        Ok(job) => created(call, &job, view::task(&job, &[], language), services),
        Err(refusal) => refusal.refuse(call, language),
    }
}

/// Makes a task of a request's fields. It is stored when this returns.
///
/// # Errors
/// All fields that are at fault, or why no task is taken.
pub async fn order(
    form: Form,
    services: &Services,
    call: &mut Call,
    language: Language,
) -> Result<Job, Refusal> {
    let Wish { mut draft, tags } = Wish::of(form, services, language)?;
    Ok(submit_tagged(&mut draft, &tags, services, call).await?)
}

/// Whether the body is in the studio's words, or in nobody's: it names no model; it has a bare model name of VolcEngine or Ark, and does not ask to be
/// answered at once; or it has fields that only the studio knows, and asks for a task or names a model that
/// nobody serves.
fn is_ours(form: &Form, request: &HttpRequest, services: &Services) -> bool {
    let asked = asked_for_job(request, form.get("async"));
    let own_fields = form.get("num_images").is_some() || form.get("scale").is_some();
    let Some(model) = form.get("model").and_then(Value::as_str) else {
        return true;
    };
    if model.contains('/') {
        return false;
    }
    let directory = services.catalog.directory();
    match directory.candidates(model, None, 0) {
        None => own_fields && asked != Some(false),
        Some(candidates) => {
            let first = candidates.targets.first();
            let studio = first.and_then(|target| target.provider.studio.as_ref());
            let is_own = studio.is_some_and(|studio| OWN_KINDS.contains(&studio.kind));
            asked.unwrap_or(is_own) && (is_own || own_fields)
        }
    }
}

/// 201, and where the task is to be looked at.
fn created(call: Call, job: &Job, body: Value, services: &Services) -> HttpResponse {
    let mut response = accepted_as(call, job, StatusCode::CREATED, body.to_string(), services);
    let location = format!("/api/v1/task/{}", task_id(&job.id));
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
