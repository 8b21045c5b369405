//! `/v1/images/edits`: a form or JSON, drawn by the provider's studio.

use actix_web::{HttpRequest, HttpResponse, web::Payload};
use troupe_actors::jobs::Job;
use troupe_protocol::{dialect::Client, openai::images::ImageFormat};

use super::drawn;
use crate::http::{
    call::Call,
    enter::enter,
    error::ApiError,
    jobs::submit::{accepted, submit, wants_job},
    pictures::{
        draw::{Drawing, begin},
        form::admitted_form,
    },
    services::{OnWorker, Services},
};

pub const ROUTE: &str = "/v1/images/edits";

pub async fn edits(worker: OnWorker, request: HttpRequest, payload: Payload) -> HttpResponse {
    let mut call = match enter(&worker.0, &request, ROUTE, Client::OpenaiChat) {
        Ok(call) => call,
        Err(refusal) => return refusal,
    };
    let services = &worker.0.services;
    match edited(services, &request, payload, &mut call).await {
        Ok(Edited::Taken(job)) => accepted(call, &job, services),
        Ok(Edited::Begun(drawing, format)) => drawn::late(*drawing, format, call, worker).await,
        Err(error) => call.refuse(&error),
    }
}

/// What came of a request.
enum Edited {
    /// It is waited for.
    Begun(Box<Drawing>, Option<ImageFormat>),
    /// The client wanted a job.
    Taken(Box<Job>),
}

async fn edited(
    services: &Services,
    request: &HttpRequest,
    payload: Payload,
    call: &mut Call,
) -> Result<Edited, ApiError> {
    let form = admitted_form(call, services, request, payload).await?;
    let (mut draft, format) = drawn::edit(form)?;
    if wants_job(request, &mut draft)? {
        let job = submit(request, &mut draft, services, call).await?;
        return Ok(Edited::Taken(Box::new(job)));
    }
    let drawing = begin(&mut draft, services, call).await?;
    Ok(Edited::Begun(Box::new(drawing), format))
}
