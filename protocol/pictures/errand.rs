//! The conversation between an errand and whoever runs it.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{call::Call, failure::Failure, order::part_at};
use crate::retry_after::{parse_retry_after, parse_retry_after_ms};

/// An order on its way at one upstream, with one credential. Knows neither network nor clock.
pub trait Errand: Send {
    /// What to do next. After [`Step::Done`] or [`Step::Failed`] it is not asked again.
    fn next(&mut self, heard: Heard<'_>) -> Step;

    /// What is needed to go on after a restart, once the upstream has taken the order as a task: kept before
    /// anything else is done. It holds no credential.
    fn ticket(&self) -> Option<Ticket> {
        None
    }
}

/// What became of the last step.
#[derive(Debug, Clone, Copy)]
pub enum Heard<'a> {
    /// Nothing yet: the errand begins, or goes on from its ticket.
    Start,
    /// The answer to the last call, of whatever status.
    Answer(Answer<'a>),
    /// An event of the last call's answer. The next step may be [`Step::Listen`].
    Event {
        name: &'a str,
        data: &'a str,
        now: SystemTime,
    },
    /// The answer's events are over.
    End,
}

/// An upstream's answer. Long base64 was put aside: it stands in `body` as marks, see [`Source`].
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    pub status: u16,
    /// Names in lower case.
    pub headers: &'a [(String, String)],
    /// JSON for the most part; for a picture or video sent bare, its mark alone.
    pub body: &'a [u8],
    /// When it came, for quotas that come back at a time of day.
    pub now: SystemTime,
}

impl Answer<'_> {
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(self.body).unwrap_or_default()
    }

    /// The body as text, such as the mark of a bare picture.
    #[must_use]
    pub fn text(&self) -> &str {
        str::from_utf8(self.body).unwrap_or_default()
    }

    /// How long the upstream asks to stay away.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let ms = self.header("retry-after-ms").and_then(parse_retry_after_ms);
        ms.or_else(|| parse_retry_after(self.header("retry-after")?, self.now))
    }
}

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Make this call.
    Call(Box<Call>),
    /// Wait, then make this call.
    After(Duration, Box<Call>),
    /// Wait for the next event.
    Listen,
    /// It is over, and something was made.
    Done(Outcome),
    /// It is over, and nothing was made.
    Failed(Failure),
}

impl Step {
    #[must_use]
    pub fn call(call: Call) -> Self {
        Self::Call(Box::new(call))
    }

    #[must_use]
    pub fn after(wait: Duration, call: Call) -> Self {
        Self::After(wait, Box::new(call))
    }

    /// It is over, one way or the other.
    #[must_use]
    pub fn end(result: Result<Outcome, Failure>) -> Self {
        result.map_or_else(Self::Failed, Self::Done)
    }
}

/// What was made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// One for each picture or video, in their order; single ones may have failed.
    pub results: Vec<Result<Made, Failure>>,
    /// The upstream's own `usage`.
    pub usage: Option<Value>,
}

impl Outcome {
    /// Of pictures without anything to be said about each.
    #[must_use]
    pub fn of(sources: impl IntoIterator<Item = Source>) -> Self {
        let made = |source| {
            Ok(Made {
                source,
                revised_prompt: None,
            })
        };
        Self {
            results: sources.into_iter().map(made).collect(),
            usage: None,
        }
    }
}

/// One picture or video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub source: Source,
    pub revised_prompt: Option<String>,
}

/// Where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A link. `credential` = it is only given to who shows the credential, which goes to the operator's
    /// hosts alone.
    Link { url: String, credential: bool },
    /// The file at that place among those put aside from the last answer.
    Part(usize),
    /// Base64 that is too short to have been put aside.
    Base64(String),
}

impl Source {
    /// A link that anybody can follow.
    #[must_use]
    pub fn link(url: impl Into<String>) -> Self {
        Self::Link {
            url: url.into(),
            credential: false,
        }
    }

    /// See [`Order::source`](super::Order::source).
    pub(super) fn read(text: &str, nonce: u64) -> Self {
        if text.starts_with("http://") || text.starts_with("https://") {
            return Self::link(text);
        }
        let base64 = match text.strip_prefix("data:") {
            Some(data) => data.split_once(',').map_or("", |(_, base64)| base64),
            None => text,
        };
        match part_at(base64, nonce) {
            Some(at) => Self::Part(at),
            None => Self::Base64(base64.to_owned()),
        }
    }
}

/// What an upstream gave for an order that it has taken as a task: its id, and what else its questions need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticket(pub Value);

#[cfg(test)]
mod tests {
    use super::{super::order::part_mark, *};

    #[test]
    fn texts_are_links_parts_or_base64() {
        let mark = part_mark(9, 2);
        for (text, source) in [
            (
                "https://a/b.png".to_owned(),
                Source::link("https://a/b.png"),
            ),
            (mark.clone(), Source::Part(2)),
            (format!("data:image/png;base64,{mark}"), Source::Part(2)),
            (
                "data:image/png;base64,QUJD".to_owned(),
                Source::Base64("QUJD".to_owned()),
            ),
            ("QUJD".to_owned(), Source::Base64("QUJD".to_owned())),
        ] {
            assert_eq!(Source::read(&text, 9), source, "{text}");
        }
    }
}
