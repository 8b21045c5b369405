//! What every route does with a request first: who asks, for which model, and what is to happen.

use std::{future::pending, rc::Rc};

use actix_web::{HttpRequest, Result};
use serde_json::{Value, json};

use crate::{
    behaviour::Behaviour,
    plan::Plan,
    play::{self, Flight},
    refusal, request,
    script::Script,
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
    pub(crate) fn of(script: &Script, request: &'a HttpRequest, body: &'a [u8]) -> Result<Self> {
        let token = request::bearer(request).ok_or_else(refusal::no_credential)?;
        let path = request.path();
        let model = request::string(body, "\"model\"").unwrap_or_default();
        script.count(|stats| stats.count_request(path, token, model));
        if model.is_empty() {
            return Err(refusal::bad_request("you must provide a model parameter"));
        }
        Ok(Self {
            token,
            model,
            words: words(request),
            behaviour: script.next(path, token, model),
        })
    }

    /// What is to be done, all told.
    pub(crate) fn plan(&self) -> Result<Plan> {
        let plan = plan(self.model, self.words)?;
        Ok(match &self.behaviour {
            Some(behaviour) => plan.with(behaviour.clone()),
            None => plan,
        })
    }
}

/// The words of the `x-sim` header.
pub(crate) fn words(request: &HttpRequest) -> Option<&str> {
    request.headers().get(WORDS)?.to_str().ok()
}

/// The plan of a model, changed by the header's words.
pub(crate) fn plan(model: &str, words: Option<&str>) -> Result<Plan> {
    let plan = Plan::of_model(model).map_err(|_| refusal::unknown_model(model))?;
    match words {
        None => Ok(plan),
        Some(words) => plan
            .with_words(words)
            .map_err(|problem| refusal::bad_request(&problem)),
    }
}

/// Ends a request whose plan has no answer for it: with a refusal, in silence, or cut off.
pub(crate) async fn refuse(
    plan: &Plan,
    script: &Script,
    request: &HttpRequest,
    token: &str,
    model: &Rc<str>,
) -> Result<()> {
    match &plan.behaviour {
        Behaviour::Refuse(refusal) => Err(refusal::answer(refusal, token, model)),
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
    let headers: serde_json::Map<String, Value> = request
        .headers()
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into(),
            )
        })
        .collect();
    let raw = String::from_utf8_lossy(body);
    let parsed = serde_json::from_slice(body).unwrap_or(Value::Null);
    let echo = json!({"path": request.path(), "headers": headers, "body": parsed, "raw": raw});
    Some(echo.to_string())
}
