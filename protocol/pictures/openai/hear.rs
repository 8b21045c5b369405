//! What OpenAI answers: videos, and why not.

use serde_json::Value;

use super::super::{
    Answer, Call, Failure, Outcome, Source, Taken, Task, Ticket,
    failure::said,
    polled,
    reset::{next_month, span_in},
};
use crate::{
    failure::{FailureKind, QuotaScope},
    openai::classify::classify_event,
};

/// A video on its way.
pub(super) struct Film {
    /// `…/videos`
    pub(super) videos: String,
}

impl Task for Film {
    fn taken(&mut self, answer: &Answer<'_>) -> Result<Taken, Failure> {
        let id = polled::id(&answer.json()["id"]).ok_or_else(|| Failure::malformed("id"))?;
        Ok(Taken::Task(Ticket(id.into())))
    }

    fn ask(&self, ticket: &Ticket) -> Call {
        Call::get(self.url(&ticket.0))
    }

    fn progress(&mut self, answer: &Answer<'_>) -> Result<Option<Outcome>, Failure> {
        let json = answer.json();
        match json["status"].as_str() {
            Some("completed") => Ok(Some(self.made(&json)?)),
            Some("failed") => Err(failed(&json["error"])),
            Some("cancelled" | "canceled") => Err(Failure::new(
                FailureKind::Cancelled,
                "the video was cancelled",
            )),
            // queued, in_progress, and what else there may come to be
            _ => Ok(None),
        }
    }

    fn refused(&self, answer: &Answer<'_>) -> Failure {
        classify(answer)
    }
}

impl Film {
    fn url(&self, id: &Value) -> String {
        format!("{}/{}", self.videos, polled::id(id).unwrap_or_default())
    }

    fn made(&self, json: &Value) -> Result<Outcome, Failure> {
        polled::id(&json["id"]).ok_or_else(|| Failure::malformed("id"))?;
        Ok(Outcome::of([Source::Link {
            url: format!("{}/content", self.url(&json["id"])),
            credential: true,
        }]))
    }
}

/// Why a video failed: `{"code", "message"}`. Its code is looked at as that of an error in a stream.
fn failed(error: &Value) -> Failure {
    let text = error["message"].as_str().unwrap_or("the video failed");
    let wrapped = serde_json::json!({"error": error}).to_string();
    let failure = Failure::new(classify_event(wrapped.as_bytes()), text);
    match error["code"].as_str() {
        Some(code) => failure.with_code(code),
        None => failure,
    }
}

/// What a failed answer means. Where no header says when to come again, the text does; a spending limit is
/// one of a month.
pub(super) fn classify(answer: &Answer<'_>) -> Failure {
    let mut failure = Failure::of(answer);
    let json = answer.json();
    let code = json["error"]["code"].as_str();
    let text = said(answer.body);
    failure.kind = match failure.kind {
        FailureKind::RateLimited { retry_after: None } => FailureKind::RateLimited {
            retry_after: span_in(&text),
        },
        FailureKind::QuotaExhausted { .. } if code == Some("billing_hard_limit_reached") => {
            FailureKind::QuotaExhausted {
                scope: QuotaScope::Credential,
                retry_after: Some(next_month(answer.now)),
            }
        }
        // such a model is another account's
        FailureKind::InvalidRequest if code == Some("model_not_found") => FailureKind::NotEntitled,
        kind => kind,
    };
    match code {
        Some(code) => failure.with_code(code),
        None => failure,
    }
}
