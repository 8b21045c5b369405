//! What is told, in whose words, and to whom.

use derive_more::Display;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::jobs::job::{Job, State};

/// What receivers are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize, Deserialize)]
pub enum Topic {
    #[display("job.completed")]
    #[serde(rename = "job.completed")]
    JobCompleted,
    #[display("job.failed")]
    #[serde(rename = "job.failed")]
    JobFailed,
    #[display("job.cancelled")]
    #[serde(rename = "job.cancelled")]
    JobCancelled,
}

impl Topic {
    /// All that there are.
    pub const ALL: [Self; 3] = [Self::JobCompleted, Self::JobFailed, Self::JobCancelled];

    /// What a job is told of in that state.
    #[must_use]
    pub fn of(state: State) -> Option<Self> {
        match state {
            State::Completed => Some(Self::JobCompleted),
            State::Failed => Some(Self::JobFailed),
            State::Cancelled => Some(Self::JobCancelled),
            State::Pending | State::Processing | State::Retrying => None,
        }
    }

    /// The topic of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|topic| topic.to_string() == name)
    }

    /// A list as it is stored.
    pub(super) fn join(topics: &[Self]) -> String {
        let names: Vec<String> = topics.iter().map(Self::to_string).collect();
        names.join(",")
    }

    /// The list of a stored text.
    pub(super) fn split(text: &str) -> Vec<Self> {
        text.split(',').filter_map(Self::parse).collect()
    }
}

/// In whose words a receiver is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display)]
pub enum Shape {
    /// Standard Webhooks: `{type, timestamp, data}`.
    #[display("standard")]
    Standard,
    /// Imagine Server's `{taskId, provider, status, result?, error?}`, with its signature beside the standard ones.
    #[display("imagine")]
    Imagine,
}

impl Shape {
    /// The shape of that name; what is unknown is standard.
    pub(super) fn parse(name: &str) -> Self {
        match name {
            "imagine" => Self::Imagine,
            _ => Self::Standard,
        }
    }
}

/// Where the end of a single job is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// Let through by [`WebhooksHandle::vet`](super::WebhooksHandle::vet).
    pub url: String,
    pub shape: Shape,
}

/// Writes messages: the edge knows how jobs look from outside.
pub trait Tell: Send + Sync + 'static {
    /// The body that tells of a job which has ended so; `at` is in milliseconds since 1970.
    fn body(&self, shape: Shape, topic: Topic, job: &Job, at: i64) -> String;
}

/// Scheme, host and port: whoever answers there answers for all URLs of it.
pub(super) fn receiver(url: &str) -> String {
    let url = Url::parse(url).map(|url| url.origin().ascii_serialization());
    url.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_stored_by_their_names() {
        assert_eq!(
            Topic::join(&Topic::ALL),
            "job.completed,job.failed,job.cancelled"
        );
        assert_eq!(Topic::split("job.failed,job.unheard"), [Topic::JobFailed]);
        assert_eq!(Topic::of(State::Retrying), None);
        for shape in [Shape::Standard, Shape::Imagine] {
            assert_eq!(Shape::parse(&shape.to_string()), shape);
        }
    }

    #[test]
    fn urls_of_one_server_are_one_receiver() {
        assert_eq!(
            receiver("https://Example.org:443/a?b"),
            "https://example.org"
        );
        assert_eq!(receiver("http://example.org:81/a"), "http://example.org:81");
    }
}
