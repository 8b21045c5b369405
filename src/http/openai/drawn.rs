//! Pictures of a studio, asked for and answered in OpenAI's words.

use actix_web::{
    HttpResponse,
    body::SizedStream,
    http::{StatusCode, header},
};
use serde_json::{Map, Value, json};
use troupe_actors::{
    accounts::calls::Outcome,
    jobs::{JobResult, Yield},
};
use troupe_protocol::{
    openai::{
        error::ErrorCode,
        images::{ImageFormat, ImageRequest},
        request_error::RequestError,
    },
    pictures::{Action, spec::refused},
    usage::Usage,
};

use crate::http::{
    call::Call,
    error::ApiError,
    pictures::{
        answer::{Piece, link, stream},
        draft::{Draft, Shape},
        draw::{Drawing, Drawn},
        form::{Form, Given},
        late,
    },
    services::{OnWorker, Services},
};

/// Fields that are read besides; all others go along as they are.
const READ: [&str; 6] = ["prompt", "n", "size", "seed", "response_format", "stream"];

/// The draft of a request to generate.
///
/// # Errors
/// Names the field.
pub fn draft(body: &[u8], nonce: u64) -> Result<Draft, RequestError> {
    let request = ImageRequest::parse(body)?;
    let fields: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    let mut form = Form::of(fields, nonce);
    let model = form.text("model", &[])?.unwrap_or_default();
    let negative_prompt = form.text("negative_prompt", &[])?;
    let (steps, guidance) = (steps(&mut form)?, form.number("guidance_scale", &[])?);
    let pixels = request.pixels()?;
    let mut extra: Map<String, Value> = form
        .rest()
        .into_iter()
        .filter(|(name, value)| !READ.contains(&name.as_str()) && !value.is_null())
        .collect();
    let shape = match (pixels, extra.get("aspect_ratio").and_then(Value::as_str)) {
        (Some((width, height)), _) => {
            Shape::Exact(troupe_protocol::pictures::Size::new(width, height))
        }
        (None, Some(ratio)) => {
            let shape = Shape::of_ratio(ratio, false)?;
            extra.remove("aspect_ratio");
            shape
        }
        (None, None) => Shape::Open,
    };
    Ok(Draft {
        action: Action::Generate,
        model,
        prompt: request.prompt,
        negative_prompt,
        shape,
        count: request.n.unwrap_or(1),
        seed: request.seed,
        steps,
        guidance,
        seconds: None,
        inputs: Vec::new(),
        mask: None,
        extra,
        nonce,
    })
}

/// The draft of a request to edit, and how the client wants the pictures.
///
/// # Errors
/// Names the field.
pub fn edit(mut form: Form) -> Result<(Draft, Option<ImageFormat>), RequestError> {
    let missing = |param| RequestError::Missing { param };
    let model = form.text("model", &[])?.ok_or(missing("model".into()))?;
    let format = match form.text("response_format", &[])?.as_deref() {
        None => None,
        Some("url") => Some(ImageFormat::Url),
        Some("b64_json") => Some(ImageFormat::B64Json),
        Some(_) => return Err(refused("response_format", "write url or b64_json")),
    };
    let mut inputs = form.pictures("image", &["images"])?;
    let mask = form.pictures("mask", &[])?.into_iter().next();
    let mask = mask.map(|mask: Given| {
        inputs.push(mask);
        inputs.len() - 1
    });
    let size = form.text("size", &[])?.filter(|size| size != "auto");
    let shape = match size {
        None => Shape::Open,
        Some(size) => Shape::Exact(
            size.parse()
                .map_err(|expected: &str| refused("size", expected))?,
        ),
    };
    let count = form.whole("n", &[])?.unwrap_or(1);
    let steps = steps(&mut form)?;
    let draft = Draft {
        action: Action::Edit,
        model,
        prompt: form.text("prompt", &[])?.unwrap_or_default(),
        negative_prompt: form.text("negative_prompt", &[])?,
        shape,
        count: u32::try_from(count).map_err(|_| refused("n", "it is too large"))?,
        seed: form.whole("seed", &[])?,
        steps,
        guidance: form.number("guidance_scale", &[])?,
        seconds: None,
        inputs,
        mask,
        nonce: form.nonce,
        extra: form.rest(),
    };
    Ok((draft, format))
}

fn steps(form: &mut Form) -> Result<Option<u32>, RequestError> {
    let steps = form.whole("steps", &[])?.map(u32::try_from).transpose();
    steps.map_err(|_| refused("steps", "it is too large"))
}

/// Answers once it is drawn.
pub async fn late(
    drawing: Drawing,
    format: Option<ImageFormat>,
    call: Call,
    worker: OnWorker,
) -> HttpResponse {
    let services = worker.0.services.clone();
    let render = async move |drawn, call| answer(drawn, format, call, &services).await;
    late::answer(drawing, call, worker, render).await
}

/// Answers with links to the store, or with base64 that is read from it as it goes out; or says why nothing was drawn.
pub async fn answer(
    drawn: Result<Drawn, ApiError>,
    format: Option<ImageFormat>,
    mut call: Call,
    services: &Services,
) -> HttpResponse {
    let output = match drawn {
        Ok(drawn) => drawn.output,
        Err(error) => return call.refuse(&error),
    };
    call.used(output.usage.as_ref().and_then(|usage| {
        Usage::from_openai_body(json!({ "usage": usage }).to_string().as_bytes())
    }));
    let pieces = pieces(&output, format, services);
    send(pieces, call, services).await
}

/// Sends an answer whose pictures are in the store.
pub async fn send(pieces: Vec<Piece>, mut call: Call, services: &Services) -> HttpResponse {
    let Some((length, body)) = stream(pieces, services).await else {
        let message = "a picture that was drawn is gone from the store already";
        return call.refuse(&ApiError::new(ErrorCode::InternalError, message));
    };
    let mut response = call.response(StatusCode::OK);
    response.insert_header((header::CONTENT_TYPE, "application/json"));
    call.observe_overhead();
    call.first_byte();
    call.sent(usize::try_from(length).unwrap_or(usize::MAX));
    // all is on disk, and the record is written before the first byte
    call.finish(Outcome::Ok, 200, None);
    let body = SizedStream::new(length, body);
    response.body(body)
}

fn pieces(output: &Yield, format: Option<ImageFormat>, services: &Services) -> Vec<Piece> {
    let created = services.clock.wall_ms() / 1_000;
    let mut text = format!("{{\"created\":{created},\"data\":[");
    let (mut pieces, mut failed, mut separator) = (Vec::new(), Vec::new(), "");
    for result in &output.results {
        let (name, words) = match result {
            JobResult::Made { name, .. } => (name, rest_of(result)),
            JobResult::Failed { error } => {
                failed.push(json!({"kind": error.kind, "message": error.message}));
                continue;
            }
        };
        text.push_str(separator);
        separator = ",";
        if format == Some(ImageFormat::B64Json) {
            text.push_str("{\"b64_json\":\"");
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            pieces.push(Piece::Base64(name.clone()));
            text = format!("\"{words}}}");
        } else {
            let url = json!(link(services, name));
            text.push_str(&format!("{{\"url\":{url}{words}}}"));
        }
    }
    text.push(']');
    if let Some(usage) = &output.usage {
        text.push_str(&format!(",\"usage\":{usage}"));
    }
    if !failed.is_empty() {
        text.push_str(&format!(",\"errors\":{}", Value::from(failed)));
    }
    text.push('}');
    pieces.push(Piece::Text(text));
    pieces
}

/// What else is known of a picture, to stand behind its first field.
fn rest_of(result: &JobResult) -> String {
    let JobResult::Made {
        revised_prompt,
        seed,
        ..
    } = result
    else {
        return String::new();
    };
    let revised = revised_prompt.as_deref().map(Value::from);
    let revised = revised.map(|revised| format!(",\"revised_prompt\":{revised}"));
    let seed = seed.map(|seed| format!(",\"seed\":{seed}"));
    revised.into_iter().chain(seed).collect()
}
