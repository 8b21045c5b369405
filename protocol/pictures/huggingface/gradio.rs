//! An order at a Gradio app.
//!
//! | protocol | call | answer |
//! |---|---|---|
//! | both | `POST {prefix}/upload`, form field `files` | the files' paths on the server, in an array |
//! | `call` | `POST {prefix}/call/{api_name}` `{"data", "session_hash"}` | `{"event_id"}` |
//! | | `GET {prefix}/call/{api_name}/{event_id}` | events `generating`, `heartbeat`, `complete`, `error`; readable once |
//! | `queue` | `GET /config` | `dependencies` with their numbers and names, `api_prefix` |
//! | | `POST {prefix}/queue/join` `{"data", "fn_index", "trigger_id", "session_hash", "event_data"}` | `{"event_id"}` |
//! | | `GET {prefix}/queue/data?session_hash=` | events without a name, `{"msg": "process_completed", …}` |
//! | | `POST {prefix}/cancel` `{"session_hash", "fn_index", "event_id"}` | |
//!
//! `{prefix}` is `/gradio_api`, which Gradio 4 does not have: where nothing is there, it is left out.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    super::{
        Answer, Body, Call, Errand, Failure, Field, Heard, Order, Outcome, Patience, Settings,
        Step, Ticket, polled,
    },
    failure::{Place, classify},
    function::Function,
    misconfigured, results,
    space::Space,
    template::Template,
};
use crate::{chat::Losses, openai::request_error::RequestError};

const PREFIX: &str = "/gradio_api";

/// An order on its way at a Space.
pub(super) struct Visit {
    order: Arc<Order>,
    space: Space,
    function: Function,
    template: Template,
    /// `/gradio_api`, or nothing.
    prefix: String,
    /// Whether the prefix is known to be right.
    settled: bool,
    session: String,
    /// The uploaded files, by their places among the inputs.
    files: Vec<Value>,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Begin,
    Asking,
    Uploading,
    Joining,
    Taken { event: String },
}

impl Visit {
    pub fn begin(
        order: &Arc<Order>,
        space: Space,
        losses: &mut Losses,
    ) -> Result<Self, RequestError> {
        let visit = Self::new(order, space).map_err(misconfigured)?;
        visit.template.check(order, losses)?;
        Ok(visit)
    }

    fn new(order: &Arc<Order>, space: Space) -> Result<Self, &'static str> {
        let prefix = order
            .model
            .options
            .get("api_prefix")
            .and_then(Value::as_str);
        let mut hash = DefaultHasher::new();
        (order.nonce, order.spare_seed).hash(&mut hash);
        Ok(Self {
            function: Function::of(order)?,
            template: Template::of(&order.model)?,
            prefix: match prefix.map(|prefix| prefix.trim_matches('/')) {
                None => PREFIX.to_owned(),
                Some("") => String::new(),
                Some(prefix) => format!("/{prefix}"),
            },
            settled: prefix.is_some(),
            // of a one-way hash: who knows it must not know the marks of this order's files
            session: format!("{:016x}", hash.finish()),
            files: Vec::new(),
            state: State::Begin,
            order: Arc::clone(order),
            space,
        })
    }

    /// Goes on listening for a result that nobody has read yet.
    pub fn resume(order: &Arc<Order>, space: Space, ticket: &Ticket) -> Option<Self> {
        let ticket = &ticket.0;
        let mut visit = Self::new(order, space).ok()?;
        if ticket["space"].as_str()? != visit.space.url {
            return None;
        }
        visit.prefix = ticket["prefix"].as_str()?.to_owned();
        visit.session = polled::id(&ticket["session"])?;
        if let Function::Numbered { number, .. } = &mut visit.function {
            *number = Some(ticket["fn_index"].as_u64()?);
        }
        let event = polled::id(&ticket["event"])?;
        visit.state = State::Taken { event };
        Some(visit)
    }

    pub fn cancel(settings: &Settings, ticket: &Ticket) -> Option<Call> {
        let ticket = &ticket.0;
        let space = Space::at(ticket["space"].as_str()?, settings);
        let body = json!({
            "session_hash": polled::id(&ticket["session"])?,
            "fn_index": ticket["fn_index"].as_u64()?,
            "event_id": polled::id(&ticket["event"])?,
        });
        let url = format!("{}{}/cancel", space.url, ticket["prefix"].as_str()?);
        let auth = match ticket["token"] == true {
            true => space.auth(),
            false => super::super::Auth::None,
        };
        Some(Call::post(url, Body::Json(body), Patience::Quick).auth(auth))
    }

    fn post(&self, path: &str, body: Body) -> Call {
        let url = format!("{}{}/{path}", self.space.url, self.prefix);
        Call::post(url, body, Patience::Short).auth(self.space.auth())
    }

    /// The first thing that is still to be done.
    fn go_on(&mut self) -> Step {
        let numberless = matches!(self.function, Function::Numbered { number: None, .. });
        if numberless {
            self.state = State::Asking;
            let mut call = Call::get(format!("{}/config", self.space.url)).auth(self.space.auth());
            call.patience = Patience::Short;
            return Step::call(call);
        }
        if self.files.len() < self.order.inputs.len() {
            self.state = State::Uploading;
            let files = (0..self.order.inputs.len()).map(|at| Field::file("files", at));
            return Step::call(self.post("upload", Body::Form(files.collect())));
        }
        self.state = State::Joining;
        Step::call(self.join())
    }

    fn join(&self) -> Call {
        let data = self.template.fill(&self.order, &self.files);
        let session = &self.session;
        match &self.function {
            Function::Named(name) => {
                let body = json!({"data": data, "session_hash": session});
                self.post(&format!("call/{name}"), Body::Json(body))
            }
            Function::Numbered {
                number, trigger, ..
            } => {
                let body = json!({
                    "data": data, "fn_index": number, "trigger_id": trigger,
                    "session_hash": session, "event_data": null,
                });
                self.post("queue/join", Body::Json(body))
            }
        }
    }

    /// The question for the events of what was taken.
    fn listen(&self, event: &str) -> Step {
        let (url, prefix) = (&self.space.url, &self.prefix);
        let mut call = Call::get(match &self.function {
            Function::Named(name) => format!("{url}{prefix}/call/{name}/{event}"),
            Function::Numbered { .. } => {
                format!("{url}{prefix}/queue/data?session_hash={}", self.session)
            }
        });
        call.patience = Patience::Long;
        // what was read once is gone
        call.repeats = false;
        Step::call(call.auth(self.space.auth()).listening())
    }

    fn answered(&mut self, answer: &Answer<'_>) -> Step {
        let absent = answer.status == 404 && !self.settled && self.prefix == PREFIX;
        if absent && matches!(self.state, State::Uploading | State::Joining) {
            self.prefix.clear();
            self.settled = true;
            return self.go_on();
        }
        let understood = match self.state {
            _ if !answer.is_success() => None,
            State::Asking => self.configured(&answer.json()),
            State::Uploading => self.uploaded(&answer.json()),
            State::Joining => polled::id(&answer.json()["event_id"]).map(|event| {
                self.state = State::Taken { event };
            }),
            State::Begin | State::Taken { .. } => None,
        };
        if understood.is_none() {
            return Step::Failed(classify(answer, Place::Space));
        }
        self.settled = true;
        match &self.state {
            State::Taken { event } => self.listen(event),
            _ => self.go_on(),
        }
    }

    /// Takes the function's number, and the prefix, from `/config`.
    fn configured(&mut self, config: &Value) -> Option<()> {
        let Function::Numbered { name, number, .. } = &mut self.function else {
            return None;
        };
        let mut functions = config["dependencies"].as_array()?.iter();
        let function = functions.find(|function| function["api_name"] == name.as_str())?;
        *number = Some(function["id"].as_u64()?);
        // without it, it is Gradio 4
        let prefix = config["api_prefix"].as_str().unwrap_or_default();
        let known = prefix.trim_matches('/') == PREFIX.trim_matches('/');
        self.prefix = if known {
            PREFIX.to_owned()
        } else {
            String::new()
        };
        Some(())
    }

    fn uploaded(&mut self, paths: &Value) -> Option<()> {
        let paths = paths.as_array()?;
        if paths.len() != self.order.inputs.len() || !paths.iter().all(Value::is_string) {
            return None;
        }
        let file = |path| json!({"path": path, "meta": {"_type": "gradio.FileData"}});
        self.files = paths.iter().map(file).collect();
        Some(())
    }

    fn event(&self, name: &str, data: &str, now: std::time::SystemTime) -> Step {
        let Ok(data) = serde_json::from_str::<Value>(data) else {
            return Step::Listen;
        };
        let error = |error: &Value| {
            let body = match error {
                Value::Null => String::new(),
                error => error.to_string(),
            };
            let answer = Answer {
                status: 200,
                headers: &[],
                body: body.as_bytes(),
                now,
            };
            Step::Failed(classify(&answer, Place::Space))
        };
        match (
            &self.function,
            name,
            data["msg"].as_str().unwrap_or_default(),
        ) {
            (Function::Named(_), "complete", _) => self.complete(&data),
            (Function::Named(_), "error", _) => error(&data),
            (Function::Numbered { .. }, _, "process_completed") if self.is_own(&data) => {
                match data["success"] == true {
                    true => self.complete(&data["output"]["data"]),
                    false => error(&reason(&data)),
                }
            }
            (Function::Numbered { .. }, _, "unexpected_error") => error(&data["message"]),
            (Function::Numbered { .. }, _, "close_stream") => self.over(),
            _ => Step::Listen,
        }
    }

    /// Whether an event is about what we asked for: the session's other events come by the same way.
    fn is_own(&self, data: &Value) -> bool {
        let State::Taken { event } = &self.state else {
            return false;
        };
        data["event_id"].as_str().is_none_or(|id| id == event)
    }

    fn complete(&self, data: &Value) -> Step {
        let files = results::files(data, &self.order, &self.space, &self.prefix);
        match files.is_empty() {
            true => Step::Failed(Failure::malformed("picture or video")),
            false => Step::Done(Outcome::of(files)),
        }
    }

    fn over(&self) -> Step {
        Step::Failed(Failure::malformed(
            "result: the Space's events ended before it",
        ))
    }
}

/// Why a function of the queue failed: its error, which may be null, else its title.
fn reason(data: &Value) -> Value {
    let output = &data["output"];
    let places = [&output["error"], &data["title"], &output["title"]];
    let said = places.into_iter().find(|place| !place.is_null());
    said.cloned().unwrap_or_default()
}

impl Errand for Visit {
    fn next(&mut self, heard: Heard<'_>) -> Step {
        match heard {
            Heard::Start => match &self.state {
                State::Taken { event } => self.listen(event),
                _ => self.go_on(),
            },
            Heard::Answer(answer) => self.answered(&answer),
            Heard::Event { name, data, now } => self.event(name, data, now),
            Heard::End => self.over(),
        }
    }

    fn ticket(&self) -> Option<Ticket> {
        let State::Taken { event } = &self.state else {
            return None;
        };
        let number = match &self.function {
            Function::Named(_) => self
                .order
                .model
                .options
                .get("fn_index")
                .and_then(Value::as_u64),
            Function::Numbered { number, .. } => *number,
        };
        Some(Ticket(json!({
            "space": self.space.url, "token": self.space.trusted, "prefix": self.prefix,
            "session": self.session, "event": event, "fn_index": number,
        })))
    }
}
