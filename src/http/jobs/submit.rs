//! From a draft to a job: the way that drafts go that outlive their request.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    web::Bytes,
};
use serde_json::Value;
use troupe_actors::{
    catalog::Target,
    jobs::{Job, JobError, JobInput, JobOrder, NewJob, fresh_id},
    media::Owner,
};
use troupe_protocol::openai::{error::ErrorCode, request_error::RequestError};

use super::view;
use crate::http::{
    call::Call,
    error::ApiError,
    fallback::candidates,
    passing::complete,
    pictures::{draft::Draft, draw::commission, form::Given},
    services::Services,
    webhooks::wanted,
};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// Whether the client wants a job in place of the answer: `Prefer: respond-async`, or `"async": true`, which wins.
/// The field is taken out of the draft.
///
/// # Errors
/// It wants none, but names who is to be told of its end.
pub fn wants_job(request: &HttpRequest, draft: &mut Draft) -> Result<bool, RequestError> {
    let field = draft.extra.remove("async");
    let wants = asked_for_job(request, field.as_ref()).unwrap_or_default();
    if !wants {
        wanted::none(&draft.extra)?;
    }
    Ok(wants)
}

/// The same, where it is said at all: `Prefer: wait` is for an answer at once.
pub fn asked_for_job(request: &HttpRequest, field: Option<&Value>) -> Option<bool> {
    match field {
        Some(Value::Bool(wanted)) => Some(*wanted),
        Some(Value::String(text)) => Some(text == "true" || text == "1"),
        _ => {
            let values = request.headers().get_all(PREFER);
            let texts = values.filter_map(|value| value.to_str().ok());
            let mut wishes: Vec<_> = texts.flat_map(|text| text.split([',', ';'])).collect();
            wishes.retain(|wish| !wish.trim().is_empty());
            let says = |word: &str| {
                let name =
                    |wish: &&str| wish.split('=').next().unwrap_or_default().trim().to_owned();
                wishes
                    .iter()
                    .any(|wish| name(wish).eq_ignore_ascii_case(word))
            };
            (says("respond-async") || says("wait")).then(|| says("respond-async"))
        }
    }
}

/// Makes a job of a draft, for the first of those who serve its model that takes it. The job is stored when this
/// returns.
///
/// # Errors
/// What is wrong with the draft, or why no job is taken.
pub async fn submit(
    draft: &mut Draft,
    services: &Services,
    call: &mut Call,
) -> Result<Job, ApiError> {
    submit_tagged(draft, &[], services, call).await
}

/// The same for a job whose pictures are to have these tags.
///
/// # Errors
/// As [`submit`].
pub async fn submit_tagged(
    draft: &mut Draft,
    tags: &[String],
    services: &Services,
    call: &mut Call,
) -> Result<Job, ApiError> {
    draft.check(&services.atelier.config)?;
    let callback = wanted::take(&mut draft.extra, services).await?;
    let candidates = candidates(&draft.model, false, None, services, call)?;
    call.admit(services).await?;
    let mut refusal = None;
    for target in &candidates.targets {
        match prepare(draft, target, services, call).await {
            Ok(new) => {
                let tags = tags.to_owned();
                let new = NewJob {
                    callback,
                    tags,
                    ..new
                };
                return Ok(services.jobs.submit(new).await?);
            }
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    Err(refusal.unwrap_or_else(|| ApiError::new(ErrorCode::ModelNotFound, "nobody serves it")))
}

/// The job for one target, its files stored.
async fn prepare(
    draft: &mut Draft,
    target: &Target,
    services: &Services,
    call: &mut Call,
) -> Result<NewJob, ApiError> {
    let commission = commission(draft, target, services, call).await?;
    let id = fresh_id();
    let mut inputs = Vec::new();
    for given in &draft.inputs {
        let owner = Owner {
            app_id: call.app_id().to_owned(),
            call_id: id.clone(),
        };
        let kept = match given {
            Given::Link(url) => {
                inputs.push(JobInput::Link(url.clone()));
                continue;
            }
            Given::File(file) => services.media.keep(file.clone(), owner).await?,
            Given::Bytes(bytes) => services.media.store(bytes.clone(), owner).await?,
        };
        inputs.push(JobInput::File(kept.name.as_str().to_owned()));
    }
    Ok(NewJob {
        id,
        app_id: call.app_id().to_owned(),
        call_id: call.id().to_owned(),
        model: draft.model.clone(),
        provider: target.provider.name.to_string(),
        target: target.id.to_string(),
        upstream_model: commission.order.model.upstream.clone(),
        priority: 0,
        order: JobOrder::of(&commission.order, inputs),
        callback: None,
        tags: Vec::new(),
    })
}

/// 202: the job is stored, and where it is to be looked at.
pub fn accepted(call: Call, job: &Job, services: &Services) -> HttpResponse {
    let body = view::job(job, services).to_string();
    accepted_as(call, job, StatusCode::ACCEPTED, body, services)
}

/// The same in other words.
pub fn accepted_as(
    call: Call,
    job: &Job,
    status: StatusCode,
    body: String,
    services: &Services,
) -> HttpResponse {
    let json = Some(HeaderValue::from_static("application/json"));
    let mut response = complete(call, status, json, Bytes::from(body));
    let headers = response.headers_mut();
    let location = HeaderValue::from_str(&format!("/v1/jobs/{}", job.id));
    if let Ok(location) = location {
        headers.insert(header::LOCATION, location);
    }
    headers.insert(header::RETRY_AFTER, services.jobs.look_again(job).into());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl From<JobError> for ApiError {
    fn from(error: JobError) -> Self {
        use troupe_actors::jobs::policy::Full;
        let (code, message) = match &error {
            JobError::Full(Full::App { .. }) => (ErrorCode::AppLimitReached, error.to_string()),
            JobError::Full(Full::All { .. }) => (ErrorCode::GatewayOverloaded, error.to_string()),
            JobError::Database(_) | JobError::Unavailable(_) => {
                log::warn!("{error}");
                let message = "jobs cannot be reached at the moment, try again later";
                (ErrorCode::StorageUnavailable, message.to_owned())
            }
        };
        Self::new(code, message).retry(Duration::from_secs(5))
    }
}
