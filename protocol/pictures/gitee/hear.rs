//! What Gitee AI answers: pictures, tasks, and why not.

use std::{sync::Arc, time::SystemTime};

use serde_json::Value;

use super::super::{
    Action, Answer, Call, Failure, Order, Outcome, Quota, Source, Taken, Task, Ticket, data,
    failure::said, polled, reset::beijing_midnight,
};
use crate::failure::{FailureKind, QuotaScope};

/// The pictures of an answer that has them: in a list, or one alone as the whole body.
pub(super) fn pictures(order: &Order, answer: &Answer<'_>) -> Result<Outcome, Failure> {
    if !answer.is_success() {
        return Err(classify(answer));
    }
    let json = answer.json();
    if json.is_object() || order.action != Action::Upscale {
        return data::read(order, &json);
    }
    match order.source(answer.text()) {
        picture @ Source::Part(_) => Ok(Outcome::of([picture])),
        _ => Err(Failure::malformed("picture")),
    }
}

/// An order that runs as a task.
pub(super) struct Job {
    /// `…/api/v1/task`
    pub(super) tasks: String,
    pub(super) order: Arc<Order>,
}

impl Task for Job {
    fn taken(&mut self, answer: &Answer<'_>) -> Result<Taken, Failure> {
        let id = polled::id(&answer.json()["task_id"]);
        let id = id.ok_or_else(|| Failure::malformed("task_id"))?;
        Ok(Taken::Task(Ticket(id.into())))
    }

    fn ask(&self, ticket: &Ticket) -> Call {
        let id = polled::id(&ticket.0).unwrap_or_default();
        Call::get(format!("{}/{id}", self.tasks))
    }

    fn progress(&mut self, answer: &Answer<'_>) -> Result<Option<Outcome>, Failure> {
        let json = answer.json();
        match json["status"].as_str() {
            Some("success") => self.made(&json).map(Some),
            Some("failure" | "failed") => Err(failed(&json, answer.now)),
            Some("cancelled" | "canceled") => Err(Failure::new(
                FailureKind::Cancelled,
                "the task was cancelled",
            )),
            // waiting, in_progress, and what else there may come to be
            _ => Ok(None),
        }
    }

    fn refused(&self, answer: &Answer<'_>) -> Failure {
        classify(answer)
    }
}

impl Job {
    fn made(&self, json: &Value) -> Result<Outcome, Failure> {
        let output = &json["output"];
        let link = ["file_url", "url"]
            .into_iter()
            .find_map(|name| output[name].as_str());
        let mut outcome = match link {
            Some(link) => Outcome::of([self.order.source(link)]),
            None => data::read(&self.order, output)?,
        };
        let usage = json.get("usage_info").filter(|usage| !usage.is_null());
        outcome.usage = usage.cloned();
        Ok(outcome)
    }
}

/// Why a task failed: `output.error`, a text or `{"code", "message"}`, or `output.message`.
fn failed(json: &Value, now: SystemTime) -> Failure {
    let output = &json["output"];
    let error = &output["error"];
    let texts = [
        error,
        &error["message"],
        &output["message"],
        &json["message"],
    ];
    let text = texts.iter().find_map(|text| text.as_str());
    let text = text.unwrap_or("the task failed");
    let failure = by_words(text, now).unwrap_or_else(|| {
        let asked_wrong = matches!(error["code"].as_u64(), Some(400 | 413 | 415 | 422));
        let kind = if asked_wrong {
            FailureKind::InvalidRequest
        } else {
            FailureKind::Upstream
        };
        Failure::new(kind, text)
    });
    match error["code"].as_u64() {
        Some(code) => failure.with_code(code),
        None => failure,
    }
}

/// What a failed answer means. The text stands under `message`, `error_message` or `error.message`.
pub(super) fn classify(answer: &Answer<'_>) -> Failure {
    let mut text = said(answer.body);
    if text.is_empty() {
        let json = answer.json();
        json["error_message"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut text);
    }
    let told = matches!(answer.status, 400..=403 | 429);
    let known = told.then(|| by_words(&text, answer.now)).flatten();
    let usual = Failure::of(answer);
    let failure = known.unwrap_or_else(|| Failure::new(usual.kind, &text));
    Failure {
        status: usual.status,
        ..failure
    }
}

/// The texts of `ai.gitee.com/docs/appendix/qa`, at the beginning alone: further on, a text may quote the prompt.
fn by_words(text: &str, now: SystemTime) -> Option<Failure> {
    let lower = text.to_lowercase();
    if lower.starts_with("today the free api access limit exceeded") {
        let wait = beijing_midnight(now);
        return Some(Failure::quota(QuotaScope::Credential, wait, text));
    }
    let words = [
        (
            "the access token cannot access any resources",
            FailureKind::AuthInvalid,
        ),
        (
            "resources are not purchased or authorized",
            FailureKind::NotEntitled,
        ),
        ("service not found", FailureKind::InvalidRequest),
    ];
    let (_, kind) = words
        .into_iter()
        .find(|(words, _)| lower.starts_with(words))?;
    Some(Failure::new(kind, text))
}

/// `{"available": 5, "max_concurrency": 5}`: tasks that the account may still begin.
pub(super) fn quota(answer: &Answer<'_>) -> Option<Quota> {
    let json = answer.json();
    Some(Quota {
        remaining: json["available"].as_f64()?,
        limit: json["max_concurrency"].as_f64(),
        unit: "concurrent tasks",
        resets_in: None,
    })
}
