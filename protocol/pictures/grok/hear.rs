//! What xAI answers: pictures, videos, and why not.

use serde_json::Value;

use super::super::{
    Answer, Call, Failure, Order, Outcome, Source, Taken, Task, Ticket, data, failure::said, polled,
};
use crate::failure::{FailureKind, QuotaScope};

/// The pictures of an answer, without those that its moderation keeps back.
pub(super) fn pictures(order: &Order, answer: &Answer<'_>) -> Result<Outcome, Failure> {
    if !answer.is_success() {
        return Err(classify(answer));
    }
    let json = answer.json();
    let mut outcome = data::read(order, &json)?;
    for (at, result) in outcome.results.iter_mut().enumerate() {
        if json["data"][at]["respect_moderation"] == false {
            *result = Err(kept_back());
        }
    }
    Ok(outcome)
}

fn kept_back() -> Failure {
    Failure::new(
        FailureKind::ContentPolicy,
        "the upstream's moderation keeps the result back",
    )
}

/// A video on its way.
pub(super) struct Film {
    /// `…/videos`
    pub(super) videos: String,
}

impl Task for Film {
    fn taken(&mut self, answer: &Answer<'_>) -> Result<Taken, Failure> {
        let id = polled::id(&answer.json()["request_id"]);
        let id = id.ok_or_else(|| Failure::malformed("request_id"))?;
        Ok(Taken::Task(Ticket(id.into())))
    }

    fn ask(&self, ticket: &Ticket) -> Call {
        let id = polled::id(&ticket.0).unwrap_or_default();
        Call::get(format!("{}/{id}", self.videos))
    }

    fn progress(&mut self, answer: &Answer<'_>) -> Result<Option<Outcome>, Failure> {
        let json = answer.json();
        let video = &json["video"];
        let url = video["url"].as_str().filter(|url| !url.is_empty());
        match (json["status"].as_str(), url) {
            (Some("done") | None, _) if video["respect_moderation"] == false => Err(kept_back()),
            (Some("done") | None, Some(url)) => Ok(Some(Outcome {
                usage: Some(json["usage"].clone()).filter(Value::is_object),
                ..Outcome::of([Source::link(url)])
            })),
            (Some("done"), None) => Err(Failure::malformed("video")),
            (Some("failed" | "error"), _) => Err(failed(&json["error"])),
            (Some("expired"), _) => Err(Failure::new(
                FailureKind::Upstream,
                "the upstream let the video expire before it was made",
            )),
            // pending, and what else there may come to be
            _ => Ok(None),
        }
    }

    fn refused(&self, answer: &Answer<'_>) -> Failure {
        classify(answer)
    }
}

/// Why a video failed: `{"code", "message"}`, or a text.
fn failed(error: &Value) -> Failure {
    let text = error["message"].as_str().or_else(|| error.as_str());
    let text = text.unwrap_or("the video failed");
    let kind = match error["code"].as_str() {
        _ if speaks_of_content(text) => FailureKind::ContentPolicy,
        Some("invalid_argument") => FailureKind::InvalidRequest,
        Some("permission_denied") => FailureKind::NotEntitled,
        _ => FailureKind::Upstream,
    };
    let failure = Failure::new(kind, text);
    match error["code"].as_str() {
        Some(code) => failure.with_code(code),
        None => failure,
    }
}

/// What a failed answer means. Teams without credits are told so with 403 or 429.
pub(super) fn classify(answer: &Answer<'_>) -> Failure {
    let mut failure = Failure::of(answer);
    let text = said(answer.body).to_lowercase();
    let no_credits = ["doesn't have any credits", "used all available credits"];
    failure.kind = match answer.status {
        400 | 403 | 422 if speaks_of_content(&text) => FailureKind::ContentPolicy,
        403 | 429 if no_credits.iter().any(|words| text.contains(words)) => {
            FailureKind::QuotaExhausted {
                scope: QuotaScope::Credential,
                retry_after: answer.retry_after(),
            }
        }
        404 if text.contains("does not have access to it") => FailureKind::NotEntitled,
        _ => failure.kind,
    };
    failure
}

/// By how its texts begin: further on, they may quote the prompt.
fn speaks_of_content(text: &str) -> bool {
    let text = text.to_lowercase();
    [
        "generated image rejected by content moderation",
        "generated video rejected by content moderation",
        "content violates usage guidelines",
        "prompt rejected by content moderation",
    ]
    .iter()
    .any(|words| text.starts_with(words))
}
