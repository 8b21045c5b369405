//! fal: pictures from words at once, the rest as tasks of its queue.
//!
//! | call | answer |
//! |---|---|
//! | `POST /{model}` | `{"images": [{"url"}], "has_nsfw_concepts"}`, or `{"image"}`, or `{"video"}` |
//! | `POST /{model}?_subdomain=queue` | `{"request_id", "status"}` |
//! | `GET /{app}/requests/{id}/status?_subdomain=queue` | `{"status": "IN_QUEUE"}`, `IN_PROGRESS`, `COMPLETED` |
//! | `GET /{app}/requests/{id}?_subdomain=queue` | as from the first |
//! | `PUT /{app}/requests/{id}/cancel?_subdomain=queue` | |
//!
//! `{app}` is the first two words of the model: `fal-ai/wan` of `fal-ai/wan/v2.2-5b`.

use std::sync::Arc;

use serde_json::Value;

use super::{
    super::super::polled::Taken,
    Action, Answer, Body, Call, Desk, Errand, Failure, Made, Order, Outcome, Patience, Polled,
    Single, Task, Ticket, made, outcome,
    parameters::{Names, SizeAs, add_mask, add_pictures, add_prompt},
    polled, refusal, ticket, unsafe_content,
};
use crate::{chat::Losses, openai::request_error::RequestError};

const VIA: &str = "fal-ai";

const NAMES: Names = Names {
    size: SizeAs::Object,
    seconds: Some("duration"),
    extra: &[
        "acceleration",
        "aspect_ratio",
        "enable_safety_checker",
        "output_format",
        "resolution",
        "strength",
    ],
    ..Names::USUAL
};

pub(super) fn begin(
    order: &Arc<Order>,
    desk: &Desk,
    losses: &mut Losses,
) -> Result<Box<dyn Errand>, RequestError> {
    let mut body = NAMES.fields(order, losses);
    add_prompt(&mut body, order);
    add_pictures(&mut body, order, ["image_url", "image_urls"])?;
    add_mask(&mut body, order, Some("mask_url"))?;
    let model = &order.model.upstream;
    let queue = order.model.options.get("queue").and_then(Value::as_bool);
    if queue.unwrap_or(order.action != Action::Generate || order.model.is_task) {
        let path = format!("{VIA}/{model}?_subdomain=queue");
        let call = desk.post(&path, body.into(), Patience::Short);
        return Ok(Polled::submit(Film::of(order, desk), call, desk.poll()));
    }
    let call = desk.post(&format!("{VIA}/{model}"), body.into(), Patience::Long);
    let order = Arc::clone(order);
    Ok(Single::errand(call, move |answer| {
        if !answer.is_success() {
            return Err(refusal(answer));
        }
        read(&order, &answer.json())
    }))
}

pub(super) fn cancel(desk: &Desk, ticket: &Ticket, id: &str) -> Option<Call> {
    let app = app(ticket.0["model"].as_str()?);
    let path = format!("{VIA}/{app}/requests/{id}/cancel?_subdomain=queue");
    let call = Call::post(desk.url(&path), Body::None, Patience::Quick);
    Some(Call {
        method: super::super::super::call::Method::Put,
        ..desk.bill(call)
    })
}

/// A task of the queue.
pub(super) struct Film {
    order: Arc<Order>,
    desk: Desk,
    /// Whether it is completed, and only to be fetched.
    ready: bool,
}

impl Film {
    pub fn of(order: &Arc<Order>, desk: &Desk) -> Self {
        Self {
            order: Arc::clone(order),
            desk: desk.clone(),
            ready: false,
        }
    }
}

impl Task for Film {
    fn taken(&mut self, answer: &Answer<'_>) -> Result<Taken, Failure> {
        let id = polled::id(&answer.json()["request_id"]);
        let id = id.ok_or_else(|| Failure::malformed("request_id"))?;
        Ok(Taken::Task(ticket(VIA, &id, &self.order.model.upstream)))
    }

    fn ask(&self, ticket: &Ticket) -> Call {
        let text = |name: &str| ticket.0[name].as_str().unwrap_or_default();
        let (app, id) = (app(text("model")), text("id"));
        let status = if self.ready { "" } else { "/status" };
        let path = format!("{VIA}/{app}/requests/{id}{status}?_subdomain=queue");
        self.desk.bill(Call::get(self.desk.url(&path)))
    }

    fn progress(&mut self, answer: &Answer<'_>) -> Result<Option<Outcome>, Failure> {
        let body = answer.json();
        if self.ready {
            return read(&self.order, &body).map(Some);
        }
        match body["status"].as_str() {
            Some("COMPLETED") if body["error"].is_string() => Err(refusal(answer)),
            Some("COMPLETED") => {
                self.ready = true;
                Ok(None)
            }
            Some("FAILED" | "ERROR" | "CANCELLED") => Err(refusal(answer)),
            _ => Ok(None),
        }
    }

    fn refused(&self, answer: &Answer<'_>) -> Failure {
        refusal(answer)
    }
}

fn app(model: &str) -> &str {
    let second = model.match_indices('/').nth(1);
    second.map_or(model, |(at, _)| &model[..at])
}

fn read(order: &Order, body: &Value) -> Result<Outcome, Failure> {
    let url = |file: &Value| made(order, file["url"].as_str());
    let withheld = |at: usize| body["has_nsfw_concepts"][at] == true;
    let picture = |(at, file): (usize, &Value)| -> Result<Made, Failure> {
        if withheld(at) {
            Err(unsafe_content())
        } else {
            url(file)
        }
    };
    if let Some(images) = body["images"].as_array() {
        return outcome(images.iter().enumerate().map(picture).collect());
    }
    let single = ["video", "image"].iter().find_map(|name| body.get(*name));
    outcome(single.into_iter().map(url).collect())
}
