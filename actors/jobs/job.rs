//! A job as its app sees it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{
    draw::Harvest, learnt, order::JobOrder, route::Others, submission::Submission,
    webhooks::Callback,
};
use crate::storage::queries::jobs::JobRow;

/// How far a job is. The last three are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, derive_more::Display, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    #[display("pending")]
    Pending,
    #[display("processing")]
    Processing,
    /// Between two attempts.
    #[display("retrying")]
    Retrying,
    #[display("completed")]
    Completed,
    #[display("failed")]
    Failed,
    #[display("cancelled")]
    Cancelled,
}

impl State {
    /// The state of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let all = [
            Self::Pending,
            Self::Processing,
            Self::Retrying,
            Self::Completed,
            Self::Failed,
            Self::Cancelled,
        ];
        all.into_iter().find(|state| state.to_string() == name)
    }

    /// Whether it is to be begun, for the first time or again.
    #[must_use]
    pub fn waits(self) -> bool {
        matches!(self, Self::Pending | Self::Retrying)
    }

    /// Whether nothing changes any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// Why a job, or one picture of it, failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFailure {
    /// The failure's kind: `content_policy`, `timeout`, …; `interrupted` where the process ended while it was
    /// perhaps drawn, `storage` where the gateway could not keep what was drawn.
    pub kind: String,
    /// The upstream's own code, where it gave one; else the kind.
    pub code: String,
    /// For people.
    pub message: String,
}

/// What came of one picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum JobResult {
    Made {
        /// In the media store: the last part of its link.
        name: String,
        mime: String,
        bytes: u64,
        width: Option<u32>,
        height: Option<u32>,
        revised_prompt: Option<String>,
        seed: Option<u64>,
    },
    Failed {
        error: JobFailure,
    },
}

/// All that came of a job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Yield {
    pub results: Vec<JobResult>,
    /// The upstream's own `usage`.
    pub usage: Option<Value>,
}

/// A part of a job that is done while others are not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The job's revision since it is known.
    pub revision: u32,
    #[serde(flatten)]
    pub output: Yield,
}

/// Those of a job, by their places.
pub type Parts = BTreeMap<usize, Part>;

impl Yield {
    /// All that came of the parts of a job, in their order, with the first `usage`.
    #[must_use]
    pub fn of(parts: Harvest) -> Self {
        parts.into_values().fold(Self::default(), |mut all, part| {
            all.results.extend(part.results);
            all.usage = all.usage.or(part.usage);
            all
        })
    }

    /// How many pictures were made.
    #[must_use]
    pub fn made(&self) -> usize {
        let made = |result: &&JobResult| matches!(result, JobResult::Made { .. });
        self.results.iter().filter(made).count()
    }
}

/// What a job costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// That were made.
    pub pictures: usize,
    /// Credits, times a million.
    pub micro_credits: i64,
}

impl Cost {
    /// At a price for one picture.
    #[must_use]
    pub fn of(output: &Yield, price: i64) -> Self {
        let pictures = output.made();
        Self {
            pictures,
            micro_credits: price.saturating_mul(i64::try_from(pictures).unwrap_or(i64::MAX)),
        }
    }
}

/// A job to be done.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// From [`fresh_id`].
    pub id: String,
    pub app_id: String,
    /// The call that submits it.
    pub call_id: String,
    /// As the client named it.
    pub model: String,
    pub provider: String,
    /// The full id at the catalog, `provider/model`.
    pub target: String,
    /// What the upstream calls it.
    pub upstream_model: String,
    /// Higher ones go first.
    pub priority: i32,
    /// Credits for one picture, times a million.
    pub price: i64,
    pub order: JobOrder,
    /// Who else may do it.
    pub others: Option<Others>,
    /// Who is told of its end, beside the app's own endpoints.
    pub callback: Option<Callback>,
    /// What its pictures are tagged with.
    pub tags: Vec<String>,
    /// That no other job is to have.
    pub submission: Option<Submission>,
}

/// A new job's id, needed before it is submitted: its input files are stored in its name.
#[must_use]
pub fn fresh_id() -> String {
    format!("job_{}", Uuid::now_v7().simple())
}

/// A job as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub id: String,
    pub model: String,
    pub provider: String,
    pub upstream_model: String,
    /// `generate`, `edit`, ….
    pub action: String,
    pub state: State,
    /// Grows with every change of the state.
    pub revision: u32,
    pub attempts: u32,
    pub priority: i32,
    /// 0–100; 100 for completed ones alone. Estimated.
    pub progress: u8,
    /// How many are begun before it and with it: 1 = it is next. For those that wait.
    pub position: Option<usize>,
    /// Until it is done, as far as can be told; in seconds.
    pub estimated_seconds: Option<u64>,
    /// What is wanted; none where it cannot be read any more.
    pub order: Option<JobOrder>,
    /// What came of it so far.
    pub output: Yield,
    /// Since which revision each of the results is known; none for those of the end.
    pub known_since: Vec<Option<u32>>,
    /// Of a completed one.
    pub cost: Option<Cost>,
    /// Why it failed.
    pub error: Option<JobFailure>,
    /// What its last attempt came to, of one that waits for the next.
    pub setback: Option<JobFailure>,
    /// It is not begun before this time, of one that rests. In milliseconds since 1970, as the others.
    pub wake_at: Option<i64>,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
}

/// What the actor knows of a job beyond its row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outlook {
    pub position: Option<usize>,
    /// How long its model takes, in milliseconds.
    pub takes_ms: u64,
    /// Until it is begun, in milliseconds.
    pub wait_ms: u64,
}

impl Job {
    /// A row as it is at `now`, in milliseconds since 1970.
    #[must_use]
    pub fn of(row: JobRow, outlook: Outlook, now: i64) -> Self {
        let state = State::parse(&row.state).unwrap_or(State::Failed);
        let begun = row.started_at.unwrap_or(now);
        let elapsed = u64::try_from(now.saturating_sub(begun)).unwrap_or_default();
        let wake_at = row.wake_at.filter(|at| state.waits() && *at > now);
        let rest = u64::try_from(wake_at.map_or(0, |at| at - now)).unwrap_or_default();
        let left = match state {
            State::Processing => outlook.takes_ms.saturating_sub(elapsed).max(1_000),
            _ => rest + outlook.wait_ms + outlook.takes_ms,
        };
        let fault = read(row.error.as_deref());
        let (setback, error) = match state.waits() {
            true => (fault, None),
            false => (None, fault),
        };
        let parts = parts_of(&row);
        let output: Yield = read(row.results.as_deref()).unwrap_or_else(|| so_far(&parts));
        Self {
            progress: match state {
                State::Completed => 100,
                State::Processing => learnt::progress(elapsed, outlook.takes_ms),
                _ => 0,
            },
            position: outlook.position.filter(|_| !state.is_final()),
            estimated_seconds: (!state.is_final()).then(|| left.div_ceil(1_000)),
            order: serde_json::from_str(&row.draft).ok(),
            known_since: known_since(&output, &parts),
            cost: (state == State::Completed).then(|| Cost::of(&output, row.price)),
            output,
            error,
            setback,
            wake_at,
            id: row.id,
            model: row.model,
            provider: row.provider,
            upstream_model: row.upstream_model,
            action: row.action,
            state,
            revision: u32::try_from(row.revision).unwrap_or_default(),
            attempts: u32::try_from(row.attempts).unwrap_or_default(),
            priority: row.priority,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        }
    }
}

/// The parts of a job that are done while others are not.
pub(super) fn parts_of(row: &JobRow) -> Parts {
    read(row.made.as_deref()).unwrap_or_default()
}

/// What came of each of them.
pub(super) fn so_far_by_place(parts: &Parts) -> Harvest {
    let parts = parts.iter();
    parts
        .map(|(place, part)| (*place, part.output.clone()))
        .collect()
}

/// What came of all of them.
pub(super) fn so_far(parts: &Parts) -> Yield {
    Yield::of(so_far_by_place(parts))
}

fn known_since(output: &Yield, parts: &Parts) -> Vec<Option<u32>> {
    let since = |result: &JobResult| {
        let mut parts = parts.values();
        let part = parts.find(|part| part.output.results.contains(result))?;
        Some(part.revision)
    };
    output.results.iter().map(since).collect()
}

fn read<T: serde::de::DeserializeOwned>(json: Option<&str>) -> Option<T> {
    serde_json::from_str(json?).ok()
}
