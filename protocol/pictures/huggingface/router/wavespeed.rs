//! WaveSpeed: a task for everything.
//!
//! | call | answer |
//! |---|---|
//! | `POST /api/v3/{model}` | `{"code", "message", "data": {"id", "status", "urls"}}` |
//! | `GET /api/v3/predictions/{id}/result` | the same with `outputs`, `error`, `has_nsfw_contents` |
//!
//! `data.status` is `created`, `processing`, `completed` or `failed`.

use std::sync::Arc;

use serde_json::Value;

use super::{
    super::super::polled::Taken,
    Answer, Call, Desk, Errand, Failure, Order, Outcome, Patience, Polled, Task, Ticket, made,
    outcome,
    parameters::{Names, SizeAs, add_mask, add_pictures, add_prompt},
    polled, refusal, ticket, unsafe_content,
};
use crate::{chat::Losses, openai::request_error::RequestError};

const VIA: &str = "wavespeed";

const NAMES: Names = Names {
    size: SizeAs::Text('*'),
    seconds: Some("duration"),
    extra: &["enable_safety_checker", "output_format", "strength"],
    ..Names::USUAL
};

pub(super) fn begin(
    order: &Arc<Order>,
    desk: &Desk,
    losses: &mut Losses,
) -> Result<Box<dyn Errand>, RequestError> {
    let mut body = NAMES.fields(order, losses);
    add_prompt(&mut body, order);
    add_pictures(&mut body, order, ["image", "images"])?;
    add_mask(&mut body, order, None)?;
    let path = format!("{VIA}/api/v3/{}", order.model.upstream);
    let call = desk.post(&path, body.into(), Patience::Short);
    Ok(Polled::submit(Wave::of(order, desk), call, desk.poll()))
}

pub(super) struct Wave {
    order: Arc<Order>,
    desk: Desk,
}

impl Wave {
    pub fn of(order: &Arc<Order>, desk: &Desk) -> Self {
        Self {
            order: Arc::clone(order),
            desk: desk.clone(),
        }
    }
}

impl Task for Wave {
    fn taken(&mut self, answer: &Answer<'_>) -> Result<Taken, Failure> {
        if let Some(outcome) = self.progress(answer)? {
            return Ok(Taken::Done(outcome));
        }
        let id = polled::id(&answer.json()["data"]["id"]);
        let id = id.ok_or_else(|| Failure::malformed("data.id"))?;
        Ok(Taken::Task(ticket(VIA, &id, &self.order.model.upstream)))
    }

    fn ask(&self, ticket: &Ticket) -> Call {
        let id = ticket.0["id"].as_str().unwrap_or_default();
        let url = self
            .desk
            .url(&format!("{VIA}/api/v3/predictions/{id}/result"));
        self.desk.bill(Call::get(url))
    }

    fn progress(&mut self, answer: &Answer<'_>) -> Result<Option<Outcome>, Failure> {
        let body = answer.json();
        match body["data"]["status"].as_str() {
            Some("failed") => {
                // around it, everything is a success
                let data = body["data"].to_string();
                Err(refusal(&Answer {
                    body: data.as_bytes(),
                    ..*answer
                }))
            }
            Some("completed") => read(&self.order, &body["data"]).map(Some),
            _ => Ok(None),
        }
    }

    fn refused(&self, answer: &Answer<'_>) -> Failure {
        refusal(answer)
    }
}

fn read(order: &Order, data: &Value) -> Result<Outcome, Failure> {
    let outputs = data["outputs"].as_array().into_iter().flatten();
    let results = outputs.enumerate().map(|(at, output)| {
        if data["has_nsfw_contents"][at] == true {
            return Err(unsafe_content());
        }
        made(order, output.as_str())
    });
    outcome(results.collect())
}
