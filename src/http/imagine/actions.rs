//! Drawing, editing, enlarging.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::HeaderValue},
    web::{Bytes, Payload},
};
use serde_json::{Value, json};
use troupe_actors::jobs::{Job, JobResult};
use troupe_protocol::{
    dialect::Client,
    openai::request_error::RequestError,
    pictures::{Action, Range, Size, spec::refused},
};
use uuid::Uuid;

use super::error;
use crate::http::{
    call::Call,
    enter::admitted,
    error::ApiError,
    jobs::submit::{accepted, submit, wants_job},
    passing::complete,
    pictures::{
        answer::link,
        draft::{Draft, Shape},
        draw::{Drawing, Drawn, begin},
        form::{Form, admitted_form},
        late,
    },
    services::{OnWorker, Services},
};

pub async fn imagine(worker: OnWorker, request: HttpRequest, payload: Payload) -> HttpResponse {
    serve(
        Action::Generate,
        "/api/v1/imagine",
        worker,
        request,
        payload,
    )
    .await
}

pub async fn edit(worker: OnWorker, request: HttpRequest, payload: Payload) -> HttpResponse {
    serve(Action::Edit, "/api/v1/edit", worker, request, payload).await
}

pub async fn upscale(worker: OnWorker, request: HttpRequest, payload: Payload) -> HttpResponse {
    serve(Action::Upscale, "/api/v1/upscale", worker, request, payload).await
}

async fn serve(
    action: Action,
    route: &'static str,
    worker: OnWorker,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let id = Uuid::now_v7();
    let mut call = match admitted(&worker.0, &request, route, Client::OpenaiChat, id) {
        Ok(call) => call,
        Err(refusal) => return error::respond(&refusal, &id.to_string()),
    };
    let read = admitted_form(&mut call, &worker.0.services, &request, payload).await;
    match read {
        Ok(form) => answer(action, form, worker, &request, call).await,
        Err(refusal) => error::refuse(call, &refusal),
    }
}

/// Answers a request whose fields have been read: with what was drawn, or with a job where the client wants one.
pub async fn answer(
    action: Action,
    form: Form,
    worker: OnWorker,
    request: &HttpRequest,
    mut call: Call,
) -> HttpResponse {
    let services = worker.0.services.clone();
    match ordered(action, form, &services, request, &mut call).await {
        Ok(Ordered::Taken(job)) => accepted(call, &job, &services),
        Ok(Ordered::Begun(drawing)) => {
            let render = async move |drawn, call| told(action, drawn, call, &services);
            late::answer(*drawing, call, worker, render).await
        }
        Err(refusal) => error::refuse(call, &refusal),
    }
}

fn told(
    action: Action,
    drawn: Result<Drawn, ApiError>,
    call: Call,
    services: &Services,
) -> HttpResponse {
    match drawn {
        Ok(drawn) => {
            let body = Bytes::from(reply(action, &drawn, services).to_string());
            let json = Some(HeaderValue::from_static("application/json"));
            complete(call, StatusCode::OK, json, body)
        }
        Err(refusal) => error::refuse(call, &refusal),
    }
}

/// What came of a request.
enum Ordered {
    /// It is waited for.
    Begun(Box<Drawing>),
    /// The client wanted a job.
    Taken(Box<Job>),
}

async fn ordered(
    action: Action,
    form: Form,
    services: &Services,
    request: &HttpRequest,
    call: &mut Call,
) -> Result<Ordered, ApiError> {
    let mut draft = draft(action, form)?;
    if wants_job(request, &mut draft)? {
        let job = submit(request, &mut draft, services, call).await?;
        return Ok(Ordered::Taken(Box::new(job)));
    }
    let drawing = begin(&mut draft, services, call).await?;
    Ok(Ordered::Begun(Box::new(drawing)))
}

/// Reads a request in the words of Imagine Server and of its clients.
///
/// # Errors
/// Names the field.
pub fn draft(action: Action, mut form: Form) -> Result<Draft, RequestError> {
    let model = form.text("model", &[])?;
    let model = model.ok_or(RequestError::Missing {
        param: "model".into(),
    })?;
    let shape = shape(action, &mut form)?;
    let small = |name, value: Option<u64>| match value.map(u32::try_from).transpose() {
        Ok(value) => Ok(value),
        Err(_) => Err(refused(name, "it is too large")),
    };
    let count = form.whole("n", &[])?;
    let steps = form.whole("steps", &["num_inference_steps"])?;
    Ok(Draft {
        action,
        model,
        prompt: form.text("prompt", &[])?.unwrap_or_default(),
        negative_prompt: form
            .text("negativePrompt", &["negative_prompt"])?
            .filter(|text| !text.is_empty()),
        shape,
        count: small("n", count)?.unwrap_or(1),
        seed: form.whole("seed", &[])?,
        steps: small("steps", steps)?,
        guidance: form.number("guidance", &["guidance_scale"])?,
        seconds: form.number("duration", &["seconds"])?,
        inputs: form.pictures("image", &["images", "imageUrl", "image_url"])?,
        mask: None,
        nonce: form.nonce,
        extra: form.rest(),
    })
}

/// `size`, else `width` and `height`, else `ar`; without any, pictures are square.
fn shape(action: Action, form: &mut Form) -> Result<Shape, RequestError> {
    let hd = form.flag("enableHD", &["hd"])?;
    let size = form.text("size", &[])?;
    let ratio = form.text("ar", &["aspect_ratio"])?;
    let width = form.whole("width", &[])?;
    let height = form.whole("height", &[])?;
    if let Some(size) = size.filter(|size| size != "auto") {
        return size
            .parse()
            .map(Shape::Exact)
            .map_err(|expected| refused("size", expected));
    }
    if let (Some(width), Some(height)) = (width, height) {
        let size: Result<Size, _> = format!("{width}x{height}").parse();
        return size
            .map(Shape::Exact)
            .map_err(|expected| refused("width", expected));
    }
    match (ratio, action) {
        (Some(ratio), _) => Shape::of_ratio(&ratio, hd),
        (None, Action::Generate) => Shape::of_ratio("1:1", hd),
        (None, _) => Ok(Shape::Open),
    }
}

/// The first picture as the original's clients expect it; of several, all of them under `images`.
fn reply(action: Action, drawn: &Drawn, services: &Services) -> Value {
    let order = &drawn.order;
    let (mut pictures, mut failed) = (Vec::new(), Vec::new());
    for result in &drawn.output.results {
        match result {
            JobResult::Failed { error } => {
                failed.push(json!({"error": error.kind, "message": error.message}));
            }
            JobResult::Made {
                name,
                width,
                height,
                seed,
                revised_prompt,
                ..
            } => {
                let mut item = json!({
                    "url": link(services, name), "width": width, "height": height, "seed": seed,
                });
                if let Some(revised) = revised_prompt {
                    item["revised_prompt"] = revised.as_str().into();
                }
                pictures.push(item);
            }
        }
    }
    let mut reply = pictures.first().cloned().unwrap_or_default();
    if matches!(action, Action::Generate | Action::Edit) {
        let default = |range: Option<Range>| range.map(|range| range.default);
        let steps = order.steps.map(f64::from).or(default(order.model.steps));
        reply["steps"] = steps.map_or(Value::Null, |steps| json!(steps as u64));
        reply["guidance"] = json!(order.guidance.or(default(order.model.guidance)));
    }
    if pictures.len() + failed.len() > 1 {
        reply["images"] = pictures.into();
    }
    if !failed.is_empty() {
        reply["errors"] = failed.into();
    }
    reply
}
