//! What the services of pictures and videos share: how an order comes in, what is made of it, and the tasks.
//!
//! A task is a step further each time it is asked after, so that no test waits: first it waits, then it is at
//! work, then it is over. How it ends is for the prompt to say: with the word `doomed` it fails, with
//! `endless` it goes on until it is cancelled.

mod film;
mod form;
mod jobs;

use std::rc::Rc;

use actix_web::{HttpRequest, HttpResponse, Result, http::header::CONTENT_TYPE};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    arrival::{self, Arrival},
    drawing::{self, Drawing},
    plan::Plan,
    script::Script,
    steps,
    voice::Voice,
};

pub(crate) use film::film;
pub(crate) use form::Sent;
pub(crate) use jobs::{Job, Jobs, State};

/// The name of the film that all videos are, in `/files/{name}`.
pub(crate) const FILM: &str = "film.mp4";

/// An order that is neither refused nor left hanging.
pub(crate) struct Taken<'a> {
    pub voice: &'static dyn Voice,
    pub script: &'a Script,
    pub request: &'a HttpRequest,
    pub token: &'a str,
    pub model: Rc<str>,
    pub plan: Plan,
}

impl<'a> Taken<'a> {
    /// Counts a request for a model, and does to it what rules, words and the model's name say.
    pub(crate) async fn of(
        voice: &'static dyn Voice,
        script: &'a Script,
        request: &'a HttpRequest,
        body: &Bytes,
        token: Option<&'a str>,
        model: &'a str,
    ) -> Result<Self> {
        let arrival = Arrival::by(voice, script, request, body, token, model)?;
        let plan = arrival.plan(voice)?;
        let (model, token) = (Rc::from(arrival.model), arrival.token);
        arrival::refuse(voice, &plan, script, request, token, &model).await?;
        Ok(Self {
            voice,
            script,
            request,
            token,
            model,
            plan,
        })
    }

    /// JSON, sent as the plan wants it.
    pub(crate) fn answer(&self, json: &Value) -> HttpResponse {
        self.send("application/json", json.to_string().into())
    }

    /// A body of that type.
    pub(crate) fn send(&self, kind: &str, body: Bytes) -> HttpResponse {
        let mut answer = HttpResponse::Ok();
        answer.insert_header((CONTENT_TYPE, kind));
        for header in self.voice.headers(false) {
            answer.insert_header(header);
        }
        let behaviour = &self.plan.behaviour;
        steps::send(
            answer,
            body,
            behaviour,
            self.script,
            self.request,
            &self.model,
        )
    }

    /// What is drawn for a size, `WIDTHxHEIGHT` or none.
    pub(crate) fn drawing(&self, size: Option<&str>) -> Result<Drawing> {
        match Drawing::of_size(size) {
            Some(drawing) => Ok(drawing.planned(&self.plan)),
            None => Err(self.objection("Invalid value for 'size'.")),
        }
    }

    /// 400 in the service's shape.
    pub(crate) fn objection(&self, message: &str) -> actix_web::Error {
        self.voice.bad_request(message).end(self.voice)
    }

    /// Where a file of ours is.
    pub(crate) fn link(&self, file: &str) -> String {
        format!("http://{}/files/{file}", host(self.request))
    }

    /// `{"url"}` or `{"b64_json"}` of a picture.
    pub(crate) fn entry(&self, drawing: Drawing, base64: bool) -> Result<Value> {
        if !base64 {
            return Ok(json!({"url": self.link(&format!("{drawing}.png"))}));
        }
        Ok(json!({"b64_json": BASE64_STANDARD.encode(self.draw(drawing)?)}))
    }

    /// The picture itself.
    pub(crate) fn draw(&self, drawing: Drawing) -> Result<Bytes> {
        let file = drawing::draw(drawing);
        file.map(Bytes::from)
            .map_err(|_| self.objection("this size cannot be drawn"))
    }

    /// Begins a task that ends with that file; its id is made of a number by `name`.
    pub(crate) fn begin(
        &self,
        file: &str,
        prompt: &str,
        name: impl FnOnce(u64) -> String,
    ) -> String {
        self.script
            .jobs()
            .begin(Job::new(&self.model, self.token, file, prompt), name)
    }
}

/// The host that the client knows us by.
pub(crate) fn host(request: &HttpRequest) -> String {
    request.connection_info().host().to_owned()
}
