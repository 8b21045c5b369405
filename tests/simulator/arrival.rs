//! What every route does with a request first: who asks, for which model, and what is to happen.

use std::{future::pending, rc::Rc};

use actix_web::{HttpRequest, Result};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    behaviour::Behaviour,
    plan::Plan,
    play::{self, Flight},
    request,
    script::Script,
    voice::{self, Voice},
};

/// The header that carries words such as `status-500`, for callers that reach us directly.
const WORDS: &str = "x-sim";

/// A request that was counted.
pub(crate) struct Arrival<'a> {
    pub token: &'a str,
    pub model: &'a str,
    pub words: Option<&'a str>,
    /// What a rule wants to happen.
    pub behaviour: Option<Behaviour>,
}

impl<'a> Arrival<'a> {
    /// Reads and counts a request with a body that names a model.
    pub(crate) fn of(
        voice: &dyn Voice,
        script: &Script,
        request: &'a HttpRequest,
        body: &'a Bytes,
    ) -> Result<Self> {
        let model = request::string(body, "\"model\"").unwrap_or_default();
        Self::at(voice, script, request, body, model)
    }

    /// Reads and counts a request for a model.
    pub(crate) fn at(
        voice: &dyn Voice,
        script: &Script,
        request: &'a HttpRequest,
        body: &Bytes,
        model: &'a str,
    ) -> Result<Self> {
        let token = request::token(request);
        Self::by(voice, script, request, body, token, model)
    }

    /// Reads and counts a request for a model by who shows that credential.
    pub(crate) fn by(
        voice: &dyn Voice,
        script: &Script,
        request: &'a HttpRequest,
        body: &Bytes,
        token: Option<&'a str>,
        model: &'a str,
    ) -> Result<Self> {
        let token = count(voice, script, token, request.path(), model)?;
        script.record(request, body);
        if model.is_empty() {
            return Err(voice.no_model().end(voice));
        }
        Ok(Self {
            token,
            model,
            words: words(request),
            behaviour: script.next(request.path(), token, model),
        })
    }

    /// What is to be done, all told.
    pub(crate) fn plan(&self, voice: &dyn Voice) -> Result<Plan> {
        let plan = plan(voice, self.model, self.words)?;
        Ok(match &self.behaviour {
            Some(behaviour) => plan.with(behaviour.clone()),
            None => plan,
        })
    }
}

/// Counts a request under a path and hands out its credential.
pub(crate) fn count<'a>(
    voice: &dyn Voice,
    script: &Script,
    token: Option<&'a str>,
    path: &str,
    model: &str,
) -> Result<&'a str> {
    let Some(token) = token else {
        return Err(voice.no_credential().end(voice));
    };
    script.count(|stats| stats.count_request(path, token, model));
    Ok(token)
}

/// The words of the `x-sim` header.
pub(crate) fn words(request: &HttpRequest) -> Option<&str> {
    request.headers().get(WORDS)?.to_str().ok()
}

/// The plan of a model, changed by the header's words.
pub(crate) fn plan(voice: &dyn Voice, model: &str, words: Option<&str>) -> Result<Plan> {
    let plan = Plan::of_model(model).map_err(|_| voice.unknown_model(model).end(voice))?;
    match words {
        None => Ok(plan),
        Some(words) => plan
            .with_words(words)
            .map_err(|problem| voice.bad_request(&problem).end(voice)),
    }
}

/// Ends a request whose plan has no answer for it: with a refusal, in silence, or cut off.
pub(crate) async fn refuse(
    voice: &dyn Voice,
    plan: &Plan,
    script: &Script,
    request: &HttpRequest,
    token: &str,
    model: &Rc<str>,
) -> Result<()> {
    match &plan.behaviour {
        Behaviour::Refuse(refusal) => Err(voice::refuse(voice, refusal, token, model)),
        Behaviour::Hang => {
            let _flight = Flight::begin(script, model, false);
            pending().await
        }
        Behaviour::CutBeforeHeaders => {
            Flight::begin(script, model, false).end_with_cut();
            play::cut(request);
            pending().await
        }
        _ => Ok(()),
    }
}

/// The request as JSON, where the plan asks for it.
pub(crate) fn echo(plan: &Plan, request: &HttpRequest, body: &[u8]) -> Option<String> {
    if plan.behaviour != Behaviour::Echo {
        return None;
    }
    let headers = request::headers(request);
    let raw = String::from_utf8_lossy(body);
    let parsed = serde_json::from_slice(body).unwrap_or(Value::Null);
    let echo = json!({"path": request.path(), "headers": headers, "body": parsed, "raw": raw});
    Some(echo.to_string())
}
