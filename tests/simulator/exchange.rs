//! What every dialect with scenes does with a request: read it, act, write the answer down.

use std::{mem, rc::Rc};

use actix_web::{HttpRequest, HttpResponse, Result, http::header::CONTENT_TYPE};
use bytes::Bytes;
use serde_json::Value;

use crate::{
    arrival::{self, Arrival},
    behaviour::Behaviour,
    frames::Frames,
    plan::Plan,
    play::{Flight, Play},
    scene::{Ask, Reply, Usage, act},
    script::Script,
    steps,
    voice::{Problem, Voice},
};

/// A wire format of conversations.
pub(crate) trait Dialect {
    /// How it refuses.
    fn voice(&self) -> &'static dyn Voice;
    /// What is asked, or what the real service objects to in it.
    fn read(&self, incoming: &Incoming<'_>) -> std::result::Result<Ask, Problem>;
    /// A plain answer.
    fn plain(&self, reply: &Reply) -> Value;
    /// An event stream.
    fn stream(&self, reply: &Reply) -> Frames;
}

/// A request whose body is JSON.
pub(crate) struct Incoming<'a> {
    pub body: &'a Value,
    pub request: &'a HttpRequest,
    pub token: &'a str,
    pub plan: &'a Plan,
}

/// How the answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Plain,
    Events,
    /// All events of a stream in one JSON array, as Gemini sends them without `alt=sse`.
    Array,
}

impl Shape {
    /// How an answer is sent to who asks for a stream, or does not.
    pub(crate) fn of(stream: bool) -> Self {
        if stream { Self::Events } else { Self::Plain }
    }
}

/// A request that was counted, to be answered in a dialect.
pub(crate) struct Exchange<'a> {
    pub dialect: &'a dyn Dialect,
    pub script: &'a Script,
    pub request: &'a HttpRequest,
    pub body: &'a Bytes,
    pub shape: Shape,
}

impl Exchange<'_> {
    /// Answers, or refuses where the plan or the dialect wants it.
    pub(crate) async fn answer(&self, arrival: &Arrival<'_>) -> Result<HttpResponse> {
        let voice = self.dialect.voice();
        let plan = arrival.plan(voice)?;
        let model: Rc<str> = arrival.model.into();
        let token = arrival.token;
        arrival::refuse(voice, &plan, self.script, self.request, token, &model).await?;
        self.perform(token, &model, &plan)
    }

    /// Answers a request that is not refused beforehand.
    pub(crate) fn perform(
        &self,
        token: &str,
        model: &Rc<str>,
        plan: &Plan,
    ) -> Result<HttpResponse> {
        let body = self.json()?;
        let incoming = Incoming {
            body: &body,
            request: self.request,
            token,
            plan,
        };
        let asked = self.dialect.read(&incoming);
        let mut ask = asked.map_err(|problem| problem.end(self.dialect.voice()))?;
        ask.raw = String::from_utf8_lossy(self.body).into_owned();
        let mut reply = act(&ask, plan, token, model);
        reply.include_usage = body["stream_options"]["include_usage"] == true;
        Ok(match self.shape {
            Shape::Plain => self.plain(&mut reply, plan, model),
            Shape::Events => self.events(&reply, plan, model),
            Shape::Array => {
                let frames = self.dialect.stream(&reply);
                self.send(array_of(&frames).into(), plan, model)
            }
        })
    }

    fn json(&self) -> Result<Value> {
        serde_json::from_slice(self.body).map_err(|_| {
            let message = "We could not parse the JSON body of your request.";
            let voice = self.dialect.voice();
            voice.bad_request(message).end(voice)
        })
    }

    fn plain(&self, reply: &mut Reply, plan: &Plan, model: &Rc<str>) -> HttpResponse {
        if let Some(size) = plan.answer {
            fill_up(self.dialect, reply, size);
        }
        let mut body = self.dialect.plain(reply);
        if let Some(echo) = arrival::echo(plan, self.request, self.body) {
            body["echo"] = serde_json::from_str(&echo).unwrap_or(Value::Null);
        }
        let mut text = body.to_string();
        if plan.behaviour == Behaviour::Malformed {
            text.truncate(text.floor_char_boundary(text.len() / 2));
        }
        self.send(text.into(), plan, model)
    }

    fn send(&self, body: Bytes, plan: &Plan, model: &Rc<str>) -> HttpResponse {
        let mut answer = HttpResponse::Ok();
        answer.insert_header((CONTENT_TYPE, "application/json"));
        for header in self.dialect.voice().headers(false) {
            answer.insert_header(header);
        }
        steps::send(
            answer,
            body,
            &plan.behaviour,
            self.script,
            self.request,
            model,
        )
    }

    fn events(&self, reply: &Reply, plan: &Plan, model: &Rc<str>) -> HttpResponse {
        let frames = self.dialect.stream(reply);
        let steps = steps::stream(frames, plan.pace, &plan.behaviour);
        let flight = Flight::begin(self.script, model, true);
        let mut answer = HttpResponse::Ok();
        answer.insert_header((CONTENT_TYPE, "text/event-stream; charset=utf-8"));
        for header in self.dialect.voice().headers(false) {
            answer.insert_header(header);
        }
        answer.body(Play::new(steps, None, self.request, flight))
    }
}

/// Gives the reply so much text that the whole answer has `size` bytes.
fn fill_up(dialect: &dyn Dialect, reply: &mut Reply, size: usize) {
    reply.say(String::new());
    reply.usage = Usage {
        output: size as u64 / 4,
        ..mem::take(&mut reply.usage)
    };
    let frame = dialect.plain(reply).to_string().len();
    let mut text = "lorem ipsum ".repeat(size.saturating_sub(frame) / 12 + 1);
    text.truncate(size.saturating_sub(frame));
    reply.say(text);
}

/// The data of all frames in one JSON array.
fn array_of(frames: &Frames) -> String {
    let all = [&frames.head].into_iter().chain(&frames.events);
    let all = all.chain([&frames.tail, &frames.done]);
    let text: String = all.map(|bytes| String::from_utf8_lossy(bytes)).collect();
    let data: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .collect();
    format!("[{}]", data.join(",\r\n"))
}
