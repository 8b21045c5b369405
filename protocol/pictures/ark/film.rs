//! Videos of Ark: `POST /contents/generations/tasks`, and the questions after them.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    super::{
        Answer, Call, Failure, Made, Order, Outcome, Size, Taken, Task, Ticket, shape::lose_exact,
        spec::refused,
    },
    failure::{classify, of_error},
    models::{Canvas, Model, SHAPES},
};
use crate::{chat::Losses, failure::FailureKind, openai::request_error::RequestError};

/// Where tasks are, below the base URL.
pub(super) const TASKS: &str = "/contents/generations/tasks";

/// The largest seed.
const LARGEST_SEED: u64 = u32::MAX as u64;

/// The body of the call that asks for the video.
///
/// # Errors
/// What this model cannot be told.
pub(super) fn submission(
    model: &Model,
    order: &Order,
    losses: &mut Losses,
) -> Result<Map<String, Value>, RequestError> {
    let mut body = Map::new();
    body.insert("model".into(), order.model.upstream.as_str().into());
    body.insert("content".into(), content(order)?);
    if let Some(size) = order.size {
        shape(model, size, &mut body)?;
    }
    if let Some(seconds) = order.seconds {
        body.insert("duration".into(), duration(model, seconds)?.into());
    }
    if let Some(seed) = order.seed {
        if seed > LARGEST_SEED {
            return Err(refused(
                "seed",
                format!("this model takes 0 to {LARGEST_SEED}"),
            ));
        }
        body.insert("seed".into(), seed.into());
    }
    for (name, value) in &order.extra {
        if model.knows(name) {
            body.insert(name.clone(), value.clone());
        } else {
            losses.note(name);
        }
    }
    lose_exact(
        order,
        order.size.filter(|size| is_named(*size, &body)),
        losses,
    );
    losses.note_if(order.guidance.as_ref(), "guidance");
    losses.note_if(order.steps.as_ref(), "steps");
    losses.note_if(order.negative_prompt.as_ref(), "negative_prompt");
    Ok(body)
}

/// Words, the first frame, the last one.
fn content(order: &Order) -> Result<Value, RequestError> {
    if order.mask.is_some() {
        return Err(refused("mask", "videos take no mask"));
    }
    let mut content = Vec::new();
    if !order.prompt.is_empty() {
        content.push(json!({ "type": "text", "text": order.prompt }));
    }
    for (at, role) in order.pictures().zip(["first_frame", "last_frame"]) {
        let url = order.link_or_data(at);
        content.push(json!({ "type": "image_url", "image_url": { "url": url }, "role": role }));
    }
    Ok(content.into())
}

/// The shape, and the resolution where the shorter side is that of one.
fn shape(model: &Model, size: Size, body: &mut Map<String, Value>) -> Result<(), RequestError> {
    let known = SHAPES.iter().find(|(reduced, _)| *reduced == size.ratio());
    let Some((_, name)) = known else {
        let names: Vec<_> = SHAPES.iter().map(|(_, name)| *name).collect();
        let expected = format!("this model makes the shapes {}", names.join(", "));
        return Err(refused("size", expected));
    };
    body.insert("ratio".into(), (*name).into());
    let short = size.width.min(size.height);
    if model.canvas == Canvas::Shape && [480, 720, 1080].contains(&short) {
        body.insert("resolution".into(), format!("{short}p").into());
    }
    Ok(())
}

/// Whether the resolution that goes along is what the size is called.
fn is_named(size: Size, body: &Map<String, Value>) -> bool {
    let name = format!("{}p", size.width.min(size.height));
    body.get("resolution").is_some_and(|said| *said == name)
}

fn duration(model: &Model, seconds: f64) -> Result<u32, RequestError> {
    let [least, most] = model.seconds;
    let mut whole = least..=most;
    whole
        .find(|whole| f64::from(*whole) == seconds)
        .ok_or_else(|| {
            let expected = format!("this model makes {least} to {most}, in whole seconds");
            refused("seconds", expected)
        })
}

/// A task of Ark. Its ticket is its id.
pub(super) struct Film {
    pub base_url: String,
    pub order: Arc<Order>,
}

/// The address of a task; none for an id that does not stand in a path.
pub(super) fn task_url(base_url: &str, ticket: &Ticket) -> Option<String> {
    let id = ticket.0.as_str()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (!id.is_empty() && id.bytes().all(plain)).then(|| format!("{base_url}{TASKS}/{id}"))
}

impl Task for Film {
    fn taken(&mut self, answer: &Answer<'_>) -> Result<Taken, Failure> {
        let ticket = Ticket(answer.json()["id"].take());
        if task_url(&self.base_url, &ticket).is_none() {
            return Err(Failure::malformed("task id"));
        }
        Ok(Taken::Task(ticket))
    }

    fn ask(&self, ticket: &Ticket) -> Call {
        // tickets were looked at when they came
        Call::get(task_url(&self.base_url, ticket).unwrap_or_default())
    }

    fn progress(&mut self, answer: &Answer<'_>) -> Result<Option<Outcome>, Failure> {
        let mut body = answer.json();
        let failed = |kind, message| Err(Failure::new(kind, message));
        match body["status"].as_str() {
            Some("succeeded") => self.made(&mut body).map(Some),
            Some("failed") => Err(of_error(&body["error"])),
            Some("cancelled") => failed(FailureKind::Cancelled, "the task was cancelled"),
            Some("expired") => failed(FailureKind::Timeout, "the task took too long"),
            // queued, running, and what may come
            _ => Ok(None),
        }
    }

    fn refused(&self, answer: &Answer<'_>) -> Failure {
        classify(answer)
    }
}

impl Film {
    fn made(&self, body: &mut Value) -> Result<Outcome, Failure> {
        let url = body["content"]["video_url"].as_str();
        let url = url.ok_or_else(|| Failure::malformed("video"))?;
        Ok(Outcome {
            results: vec![Ok(Made {
                source: self.order.source(url),
                revised_prompt: None,
            })],
            usage: Some(body["usage"].take()).filter(Value::is_object),
        })
    }
}
