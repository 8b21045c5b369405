//! Replicate: a prediction that is waited for, and asked after where that takes too long.
//!
//! | call | answer |
//! |---|---|
//! | `POST /v1/models/{model}/predictions` `{"input"}` | `{"id", "status", "output", "error"}` |
//! | `POST /v1/predictions` `{"version", "input"}`, for a model with a `:` | the same |
//! | `GET /v1/predictions/{id}` | the same |
//! | `POST /v1/predictions/{id}/cancel` | |
//!
//! `status` is `starting`, `processing`, `succeeded`, `failed`, `canceled` or `aborted`; `output` a link or several.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    super::super::polled::Taken,
    Answer, Body, Call, Desk, Errand, Failure, Order, Outcome, Patience, Polled, Task, Ticket,
    made, outcome,
    parameters::{Names, add_mask, add_pictures, add_prompt},
    polled, refusal, ticket,
};
use crate::{chat::Losses, openai::request_error::RequestError};

const VIA: &str = "replicate";

const NAMES: Names = Names {
    seconds: Some("duration"),
    extra: &[
        "aspect_ratio",
        "disable_safety_checker",
        "go_fast",
        "output_format",
        "output_quality",
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
    let mut input = NAMES.fields(order, losses);
    add_prompt(&mut input, order);
    add_pictures(&mut input, order, ["image", "images"])?;
    add_mask(&mut input, order, Some("mask"))?;
    let (path, body) = match order.model.upstream.split_once(':') {
        Some((_, version)) => (
            format!("{VIA}/v1/predictions"),
            json!({"version": version, "input": input}),
        ),
        None => (
            format!("{VIA}/v1/models/{}/predictions", order.model.upstream),
            json!({"input": input}),
        ),
    };
    let call = desk
        .post(&path, body, Patience::Long)
        .header("prefer", "wait");
    Ok(Polled::submit(
        Prediction::of(order, desk),
        call,
        desk.poll(),
    ))
}

pub(super) fn cancel(desk: &Desk, id: &str) -> Call {
    let url = desk.url(&format!("{VIA}/v1/predictions/{id}/cancel"));
    desk.bill(Call::post(url, Body::None, Patience::Quick))
}

pub(super) struct Prediction {
    order: Arc<Order>,
    desk: Desk,
}

impl Prediction {
    pub fn of(order: &Arc<Order>, desk: &Desk) -> Self {
        Self {
            order: Arc::clone(order),
            desk: desk.clone(),
        }
    }
}

impl Task for Prediction {
    fn taken(&mut self, answer: &Answer<'_>) -> Result<Taken, Failure> {
        if let Some(outcome) = self.progress(answer)? {
            return Ok(Taken::Done(outcome));
        }
        let id = polled::id(&answer.json()["id"]);
        let id = id.ok_or_else(|| Failure::malformed("id"))?;
        Ok(Taken::Task(ticket(VIA, &id, &self.order.model.upstream)))
    }

    fn ask(&self, ticket: &Ticket) -> Call {
        let id = ticket.0["id"].as_str().unwrap_or_default();
        self.desk.bill(Call::get(
            self.desk.url(&format!("{VIA}/v1/predictions/{id}")),
        ))
    }

    fn progress(&mut self, answer: &Answer<'_>) -> Result<Option<Outcome>, Failure> {
        let body = answer.json();
        match body["status"].as_str() {
            Some("failed" | "canceled" | "aborted") => Err(refusal(answer)),
            Some("succeeded") => read(&self.order, &body["output"]).map(Some),
            _ => Ok(None),
        }
    }

    fn refused(&self, answer: &Answer<'_>) -> Failure {
        refusal(answer)
    }
}

fn read(order: &Order, output: &Value) -> Result<Outcome, Failure> {
    match output {
        Value::Array(list) => {
            let texts = list.iter().map(|entry| made(order, entry.as_str()));
            outcome(texts.collect())
        }
        output => outcome(vec![Ok(made(order, output.as_str())?)]),
    }
}
