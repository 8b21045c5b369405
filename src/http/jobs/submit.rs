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
use troupe_actors::jobs::{Again, Job, JobError, NewJob};
use troupe_protocol::{
    openai::{error::ErrorCode, request_error::RequestError},
    pictures::spec::refused,
};

use super::view;
use crate::http::{
    call::Call,
    error::ApiError,
    passing::complete,
    pictures::{
        draft::Draft,
        plan::{admitted, plan, submitted},
    },
    services::Services,
    webhooks::wanted,
};

const PRIORITY: HeaderName = HeaderName::from_static("x-troupe-priority");
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
        // nothing goes before what is begun at once
        draft.extra.remove("priority");
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

/// What the client wants for its priority. The field is taken out of the draft.
///
/// # Errors
/// Names the bounds.
fn priority(draft: &mut Draft, services: &Services) -> Result<i32, RequestError> {
    let wanted = match draft.extra.remove("priority") {
        None | Some(Value::Null) => return Ok(0),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(value) => value.as_i64(),
    };
    let most = services.jobs.config().max_priority;
    let bounds = -i64::from(most)..=i64::from(most);
    let wanted = wanted.filter(|wanted| bounds.contains(wanted));
    let wanted = wanted.and_then(|wanted| i32::try_from(wanted).ok());
    wanted.ok_or_else(|| refused("priority", format!("write {} to {most}", -most)))
}

/// Makes a job of a draft, for those who serve its model and take it. The job is stored when this returns.
///
/// # Errors
/// What is wrong with the draft, or why no job is taken.
pub async fn submit(
    request: &HttpRequest,
    draft: &mut Draft,
    services: &Services,
    call: &mut Call,
) -> Result<Job, ApiError> {
    if let Some(priority) = request.headers().get(PRIORITY) {
        let text = priority.to_str().unwrap_or_default();
        let field = draft.extra.entry("priority");
        field.or_insert_with(|| Value::from(text));
    }
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
    let priority = priority(draft, services)?;
    let candidates = admitted(draft, services, call).await?;
    if let Some(job) = submitted(Again::Always, services, call).await? {
        return Ok(job);
    }
    let callback = wanted::take(&mut draft.extra, services).await?;
    let plan = plan(draft, &candidates, None, services, call).await?;
    let new = NewJob {
        priority,
        callback,
        tags: tags.to_owned(),
        ..plan.job(&candidates, None)
    };
    Ok(services.jobs.submit(new).await?)
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
            JobError::OtherBody => return Self::key_reused(),
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
