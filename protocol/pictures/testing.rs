//! Plays errands by hand, for the tests of every service: an order, a list of what the upstream says, and
//! then what was called and how it ended.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{
    Action, Answer, Call, Errand, Failure, Heard, Input, Order, Outcome, Service, Settings, Step,
    Ticket, order::part_mark, service,
};
use crate::{chat::Losses, openai::request_error::RequestError};

/// Of every order here.
pub const NONCE: u64 = 7;

/// When every answer comes: 2026-03-01T10:00:00Z, six hours before midnight in China.
#[must_use]
pub fn now() -> SystemTime {
    "2026-03-01T10:00:00Z"
        .parse::<DateTime<Utc>>()
        .unwrap()
        .into()
}

/// The service of that kind at `https://up.test/v1`, with those options (an object, or null).
#[must_use]
pub fn service(kind: &str, options: Value) -> Box<dyn Service> {
    let kind = service::find(kind).expect("no such kind");
    (kind.make)(Settings {
        base_url: "https://up.test/v1".to_owned(),
        options: match options {
            Value::Object(options) => options,
            _ => Map::new(),
        },
    })
}

/// An order of that model, of the words `a red apple` and nothing else; `change` says the rest.
pub fn order(
    service: &dyn Service,
    model: &str,
    action: Action,
    change: impl FnOnce(&mut Order),
) -> Arc<Order> {
    let known = service.models().into_iter().find(|spec| spec.id == model);
    let mut order = Order {
        action,
        model: Arc::new(known.unwrap_or_else(|| service.unknown_model(model))),
        prompt: "a red apple".to_owned(),
        negative_prompt: None,
        size: None,
        exact: true,
        count: 1,
        seed: None,
        spare_seed: 42,
        steps: None,
        guidance: None,
        seconds: None,
        inputs: Vec::new(),
        mask: None,
        extra: Map::new(),
        nonce: NONCE,
    };
    change(&mut order);
    Arc::new(order)
}

/// An input file of that type.
#[must_use]
pub fn file(mime: &'static str) -> Input {
    Input::File {
        mime,
        bytes: 1024,
        size: None,
    }
}

/// The mark of the file at that place, as it stands in an answer.
#[must_use]
pub fn part(at: usize) -> String {
    part_mark(NONCE, at)
}

/// What the upstream says next.
#[derive(Debug, Clone)]
pub enum Line {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    Event {
        name: &'static str,
        data: String,
    },
    End,
}

impl Line {
    /// The same answer with a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Gives the errand what was said.
    fn tell(&self, errand: &mut dyn Errand) -> Step {
        errand.next(match self {
            Self::Answer {
                status,
                headers,
                body,
            } => Heard::Answer(Answer {
                status: *status,
                headers,
                body: body.as_bytes(),
                now: now(),
            }),
            Self::Event { name, data } => Heard::Event {
                name,
                data,
                now: now(),
            },
            Self::End => Heard::End,
        })
    }
}

/// An answer: JSON, or a bare text where `body` is a JSON string.
#[must_use]
pub fn says(status: u16, body: &Value) -> Line {
    Line::Answer {
        status,
        headers: Vec::new(),
        body: match body {
            Value::String(text) => text.clone(),
            body => body.to_string(),
        },
    }
}

/// An event of an answer that is listened to.
#[must_use]
pub fn event(name: &'static str, data: &Value) -> Line {
    Line::Event {
        name,
        data: data.to_string(),
    }
}

/// How an errand went.
#[derive(Debug)]
pub struct Played {
    pub calls: Vec<Call>,
    /// How long it waited before each call.
    pub waits: Vec<Duration>,
    /// None where it would go on, but nothing more was said.
    pub end: Option<Result<Outcome, Failure>>,
    pub ticket: Option<Ticket>,
    /// Fields that could not be passed on, by name.
    pub losses: Vec<String>,
}

impl Played {
    /// What was made.
    #[must_use]
    pub fn made(&self) -> &Outcome {
        match &self.end {
            Some(Ok(outcome)) => outcome,
            end => panic!("nothing was made: {end:?}"),
        }
    }

    /// Why it failed.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        match &self.end {
            Some(Err(failure)) => failure,
            end => panic!("it did not fail: {end:?}"),
        }
    }

    /// The JSON body of the call at that place.
    #[must_use]
    pub fn json(&self, call: usize) -> &Value {
        match &self.calls[call].body {
            super::Body::Json(body) => body,
            body => panic!("no JSON: {body:?}"),
        }
    }

    /// The form of the call at that place: each field's name, and its text or `file N`.
    #[must_use]
    pub fn form(&self, call: usize) -> Vec<(String, String)> {
        let super::Body::Form(fields) = &self.calls[call].body else {
            panic!("no form: {:?}", self.calls[call].body);
        };
        let pair = |field: &super::Field| match field {
            super::Field::Text { name, value } => (name.clone(), value.clone()),
            super::Field::File { name, input } => (name.clone(), format!("file {input}")),
        };
        fields.iter().map(pair).collect()
    }
}

/// Checks an order as the gateway does, begins it, and plays it to the end of the lines or its own.
///
/// # Panics
/// Where lines are left over.
pub fn try_play(
    service: &dyn Service,
    order: &Arc<Order>,
    lines: &[Line],
) -> Result<Played, RequestError> {
    let mut losses = Losses::default();
    order.model.check(order)?;
    let errand = service.begin(order, &mut losses)?;
    let mut played = run(errand, lines);
    played.losses = losses.iter().map(str::to_owned).collect();
    Ok(played)
}

/// The same of an order that is not refused.
pub fn play(service: &dyn Service, order: &Arc<Order>, lines: &[Line]) -> Played {
    try_play(service, order, lines).expect("the order is refused")
}

/// Plays an errand that has begun, such as one that goes on from its ticket.
pub fn run(mut errand: Box<dyn Errand>, lines: &[Line]) -> Played {
    let mut played = Played {
        calls: Vec::new(),
        waits: Vec::new(),
        end: None,
        ticket: None,
        losses: Vec::new(),
    };
    let mut lines = lines.iter();
    let mut step = errand.next(Heard::Start);
    loop {
        match step {
            Step::Call(call) => played.note(Duration::ZERO, *call),
            Step::After(wait, call) => played.note(wait, *call),
            Step::Listen => {}
            Step::Done(outcome) => played.end = Some(Ok(outcome)),
            Step::Failed(failure) => played.end = Some(Err(failure)),
        }
        let next = lines.next();
        match (&played.end, next) {
            (None, Some(line)) => step = line.tell(&mut *errand),
            (Some(_), Some(line)) => panic!("it is over, but there was still {line:?}"),
            (_, None) => break,
        }
    }
    played.ticket = errand.ticket();
    played
}

impl Played {
    fn note(&mut self, wait: Duration, call: Call) {
        self.waits.push(wait);
        self.calls.push(call);
    }
}
