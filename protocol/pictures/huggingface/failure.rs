//! What is wrong, in the words of Spaces, of ZeroGPU, and of the router.
//!
//! | words, or status | means |
//! |---|---|
//! | `exceeded your … GPU quota`, `… GPU runs limit`, `GPU quota exceeded`, `pending credits exceeded` | the token's quota, until the clock in the text, else until 24 hours after its first use |
//! | 402, `monthly included credits` | the token's quota, until the next month |
//! | `reached its GPU limit`, `queue timeout`, `No GPU was available`, `Queue is full`, 503, a page of HTML | the Space is too busy, asleep or being built |
//! | `worker error`, `GPU task aborted`, `illegal duration`, other errors of a Space | the Space failed |
//! | `nsfw content`, `content_policy_violation` | refused content |

use std::{borrow::Cow, time::Duration};

use serde_json::Value;

use super::super::{Answer, Failure, failure::said, reset};
use crate::failure::{FailureKind, QuotaScope};

/// In characters.
const BEGINNING: usize = 100;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Space,
    Router,
}

/// The classifier of failed answers. An event's error is the body of an answer of status 200.
pub(super) fn classify(answer: &Answer<'_>, place: Place) -> Failure {
    let text = words_of(answer.body);
    let general = Failure::of(answer);
    let kind = by_words(&text)
        .or_else(|| by_body(answer))
        .or_else(|| by_status(answer, place));
    let message = match text.is_empty() {
        true => silent(answer, place).into(),
        false => text,
    };
    Failure {
        kind: kind.unwrap_or(general.kind),
        status: (answer.status != 200).then_some(answer.status),
        ..Failure::new(general.kind, &message)
    }
}

/// The message of a body in any of the shapes seen: JSON of all kinds, a JSON string, plain text.
fn words_of(body: &[u8]) -> Cow<'_, str> {
    let known = said(body);
    if !known.is_empty() {
        return known.into();
    }
    match serde_json::from_slice(body) {
        Ok(Value::String(text)) => text.into(),
        Ok(Value::Object(fields)) => {
            let text = ["error", "title", "message"]
                .iter()
                .find_map(|name| fields.get(*name)?.as_str());
            text.unwrap_or_default().to_owned().into()
        }
        Ok(_) => "".into(),
        Err(_) if is_page(body) => "".into(),
        Err(_) => String::from_utf8_lossy(body),
    }
}

fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

/// What is said of a failure whose upstream says nothing.
fn silent(answer: &Answer<'_>, place: Place) -> &'static str {
    match (place, answer.status) {
        (Place::Router, _) => "the provider behind the router failed without saying why",
        (Place::Space, 404) => {
            "there is no such Space or function; set `space` and `api_name` of the model's options"
        }
        (Place::Space, 200) if !is_page(answer.body) => {
            "the Space failed without saying why; try again, or set another `space` in the model's options"
        }
        (Place::Space, _) => "the Space is asleep, being built, or broken; try again in a minute",
    }
}

/// Only the beginning counts, behind the name of an exception: an error that quotes a prompt takes no token out.
fn by_words(text: &str) -> Option<FailureKind> {
    let text = text.to_ascii_lowercase();
    let end = text
        .char_indices()
        .nth(BEGINNING)
        .map_or(text.len(), |(at, _)| at);
    let (text, whole) = (&text[..end], &text);
    let has = |words: &[&str]| words.iter().any(|words| text.contains(words));
    if has(&[
        "reached its gpu limit",
        "queue timeout",
        "no gpu was available",
        "queue is full",
    ]) {
        return Some(FailureKind::Overloaded { retry_after: None });
    }
    if says_gpu_quota(text) {
        return Some(reset::clock_in(whole).map_or(DAY, quota));
    }
    if has(&["worker error", "gpu task aborted", "illegal duration"]) {
        return Some(FailureKind::Upstream);
    }
    has(&["nsfw content"]).then_some(FailureKind::ContentPolicy)
}

/// `You have exceeded your free ZeroGPU quota (…`, whatever it calls the plan.
fn says_gpu_quota(text: &str) -> bool {
    let yours = text
        .split_once("exceeded your ")
        .is_some_and(|(_, rest)| rest.contains("gpu quota") || rest.contains("gpu runs limit"));
    yours || text.contains("gpu quota exceeded") || text.contains("pending credits exceeded")
}

/// What the docs of ZeroGPU say: quotas reset 24 hours after the first use.
const DAY: FailureKind = FailureKind::QuotaExhausted {
    scope: QuotaScope::CredentialDay,
    retry_after: None,
};

fn quota(until: Duration) -> FailureKind {
    FailureKind::QuotaExhausted {
        scope: QuotaScope::Credential,
        retry_after: Some(until.max(Duration::from_secs(1))),
    }
}

/// What some say in fields of their own.
fn by_body(answer: &Answer<'_>) -> Option<FailureKind> {
    let body = answer.json();
    if body.pointer("/detail/0/type")? == "content_policy_violation" {
        return Some(FailureKind::ContentPolicy);
    }
    None
}

fn by_status(answer: &Answer<'_>, place: Place) -> Option<FailureKind> {
    match (place, answer.status) {
        (Place::Router, 402) => Some(quota(reset::next_month(answer.now))),
        (Place::Router, 403 | 429) if answer.text().contains("monthly included credits") => {
            Some(quota(reset::next_month(answer.now)))
        }
        (Place::Router, 503) => Some(FailureKind::Overloaded {
            retry_after: answer.retry_after().or_else(|| loading(answer)),
        }),
        // what is not an error by its status, but was taken for one: a task that failed, an unreadable answer
        (Place::Router, 200..300) => Some(FailureKind::Upstream),
        (Place::Router, _) => None,
        (Place::Space, 401) if answer.text().contains("Not authenticated") => {
            // the app's own login, which no token of the hub opens
            Some(FailureKind::Upstream)
        }
        (Place::Space, 401 | 429 | 408 | 504) => None,
        (Place::Space, 502 | 503) => Some(FailureKind::Overloaded {
            retry_after: answer.retry_after(),
        }),
        (Place::Space, 200) if is_page(answer.body) => {
            Some(FailureKind::Overloaded { retry_after: None })
        }
        (Place::Space, _) => Some(FailureKind::Upstream),
    }
}

/// `{"error": "Model … is currently loading", "estimated_time": 20.0}`
fn loading(answer: &Answer<'_>) -> Option<Duration> {
    let seconds = answer.json().get("estimated_time")?.as_f64()?;
    Duration::try_from_secs_f64(seconds).ok()
}
