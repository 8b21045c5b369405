//! The table's transitions. Each returns after its commit; a finished job is never changed.

use std::{collections::BTreeMap, time::Duration};

use super::{
    config::JobsConfig,
    job::{JobFailure, NewJob, State, Yield},
    metrics::JobsMetrics,
    pictures::keep_pictures,
    webhooks::Outbox,
};
use crate::{
    pictures::Held,
    storage::{
        Database, StorageError,
        queries::jobs::{self, JobBrief, JobChange, JobFilter, JobRow},
    },
    supervision::Clock,
};

/// Reads and writes jobs. Cheap to clone.
#[derive(Clone)]
pub(super) struct Store {
    pub database: Database,
    pub clock: Clock,
    pub outbox: Outbox,
    pub metrics: JobsMetrics,
}

/// Tickets by the parts that they belong to.
pub(super) type HeldParts = BTreeMap<usize, Held>;

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    Completed(Yield),
    Failed(JobFailure),
    /// Another attempt follows after a wait. `counts` = this one was one.
    Again {
        wait: Duration,
        counts: bool,
    },
}

/// The newest completed jobs that durations are learnt from at the start.
const REMEMBERED: usize = 500;

impl Store {
    pub fn now(&self) -> i64 {
        i64::try_from(self.clock.wall_ms()).unwrap_or(i64::MAX)
    }

    pub async fn insert(&self, new: NewJob) -> Result<JobRow, StorageError> {
        let callback = new.callback;
        let row = JobRow {
            action: word(&new.order.action),
            draft: json(&new.order),
            id: new.id,
            app_id: new.app_id,
            call_id: new.call_id,
            model: new.model,
            provider: new.provider,
            target: new.target,
            upstream_model: new.upstream_model,
            priority: new.priority,
            state: State::Pending.to_string(),
            revision: 0,
            attempts: 0,
            interruptions: 0,
            tickets: None,
            results: None,
            error: None,
            created_at: self.now(),
            started_at: None,
            wake_at: None,
            finished_at: None,
            prompt: new.order.prompt.clone(),
            tags: (!new.tags.is_empty()).then(|| json(&new.tags)),
        };
        let insert = move |conn: &mut _| {
            jobs::insert(conn, &row)?;
            if let Some(callback) = callback {
                Outbox::expect(conn, &row.id, callback)?;
            }
            Ok(row)
        };
        self.database.write(insert).await
    }

    pub async fn get(&self, id: &str) -> Result<Option<JobRow>, StorageError> {
        let id = id.to_owned();
        self.database.read(move |conn| jobs::get(conn, &id)).await
    }

    pub async fn list(
        &self,
        filter: JobFilter,
        before: Option<String>,
        limit: usize,
    ) -> Result<Vec<JobRow>, StorageError> {
        let list = move |conn: &mut _| jobs::list(conn, &filter, before.as_deref(), limit);
        self.database.read(list).await
    }

    pub async fn unfinished(&self) -> Result<Vec<JobBrief>, StorageError> {
        self.database.read(jobs::unfinished).await
    }

    pub async fn durations(&self) -> Result<Vec<(String, i64)>, StorageError> {
        let durations = |conn: &mut _| jobs::durations(conn, REMEMBERED);
        self.database.read(durations).await
    }

    /// An attempt begins; one that only asks for what upstreams have taken goes on with the last. None if the job
    /// is finished, or not there.
    pub async fn begin(&self, id: &str) -> Result<Option<JobRow>, StorageError> {
        let now = self.now();
        let began = move |row: &JobRow| {
            let resumes = row.tickets.is_some();
            // a restart of the gateway is no attempt of its own
            let counts = !resumes || row.state != State::Processing.to_string();
            JobChange {
                attempts: row.attempts + i32::from(counts),
                started_at: row.started_at.filter(|_| resumes).or(Some(now)),
                wake_at: None,
                ..to(State::Processing, row)
            }
        };
        self.change(id, began).await
    }

    /// Notes what upstreams gave.
    pub async fn hold(&self, id: &str, parts: &HeldParts) -> Result<bool, StorageError> {
        let (id, parts) = (id.to_owned(), (!parts.is_empty()).then(|| json(parts)));
        let hold = move |conn: &mut _| jobs::hold(conn, &id, parts.as_deref());
        self.database.write(hold).await
    }

    /// An attempt has ended. None if the job is finished already, or not there.
    pub async fn end(&self, id: &str, end: End) -> Result<Option<JobRow>, StorageError> {
        let now = self.now();
        let ended = move |row: &JobRow| match &end {
            End::Completed(output) => JobChange {
                results: Some(json(output)),
                finished_at: Some(now),
                ..to(State::Completed, row)
            },
            End::Failed(failure) => JobChange {
                error: Some(json(failure)),
                finished_at: Some(now),
                ..to(State::Failed, row)
            },
            End::Again { wait, counts } => {
                let state = if *counts {
                    State::Retrying
                } else {
                    State::Pending
                };
                let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                JobChange {
                    attempts: (row.attempts - i32::from(!*counts)).max(0),
                    wake_at: Some(now.saturating_add(wait)),
                    ..to(state, row)
                }
            }
        };
        self.change(id, ended).await
    }

    /// Nobody wants it any more. None if it is finished already, or not there.
    pub async fn cancel(&self, id: &str) -> Result<Option<JobRow>, StorageError> {
        let now = self.now();
        let cancelled = move |row: &JobRow| JobChange {
            finished_at: Some(now),
            ..to(State::Cancelled, row)
        };
        self.change(id, cancelled).await
    }

    /// An attempt was lost with the process, and may have been drawn: it waits for one more, or has failed.
    pub async fn interrupt(
        &self,
        id: &str,
        config: &JobsConfig,
    ) -> Result<Option<JobRow>, StorageError> {
        let (now, again) = (self.now(), config.retry_interrupted);
        let interrupted = move |row: &JobRow| {
            let interruptions = row.interruptions + 1;
            // it has come to an end since it was looked at
            if row.state != State::Processing.to_string() {
                let state = State::parse(&row.state).unwrap_or(State::Pending);
                return JobChange {
                    wake_at: row.wake_at,
                    ..to(state, row)
                };
            }
            if again && row.interruptions == 0 {
                return JobChange {
                    interruptions,
                    ..to(State::Retrying, row)
                };
            }
            let message = "the gateway was stopped while the upstream was perhaps at work on it; submit it again if \
                           you want to risk paying twice";
            JobChange {
                interruptions,
                error: Some(json(&JobFailure {
                    kind: "interrupted".to_owned(),
                    code: "interrupted".to_owned(),
                    message: message.to_owned(),
                })),
                finished_at: Some(now),
                ..to(State::Failed, row)
            }
        };
        self.change(id, interrupted).await
    }

    /// Deletes a finished job; says whether there was one.
    pub async fn forget(&self, id: String) -> Result<bool, StorageError> {
        let delete = move |conn: &mut _| jobs::delete(conn, &[id]);
        Ok(self.database.write(delete).await? > 0)
    }

    async fn change(
        &self,
        id: &str,
        to: impl FnOnce(&JobRow) -> JobChange + Send + 'static,
    ) -> Result<Option<JobRow>, StorageError> {
        let (id, outbox, now) = (id.to_owned(), self.outbox.clone(), self.now());
        let change = move |conn: &mut _| {
            let open = jobs::get(conn, &id)?.filter(|row| row.finished_at.is_none());
            let Some(row) = open else {
                return Ok((None, false));
            };
            let changed = jobs::change(conn, &id, &to(&row))?;
            let Some(row) = changed.as_ref().filter(|row| row.finished_at.is_some()) else {
                return Ok((changed, false));
            };
            keep_pictures(conn, row)?;
            let is_told = outbox.note(conn, row, now)?;
            Ok((changed, is_told))
        };
        let (changed, is_told) = self.database.write(change).await?;
        if is_told {
            self.outbox.wake();
        }
        if let Some(row) = changed.as_ref().filter(|row| row.finished_at.is_some()) {
            self.metrics.ended(&row.state);
        }
        Ok(changed)
    }
}

/// The tickets of a row.
pub(super) fn held_of(tickets: Option<&str>) -> HeldParts {
    let read = tickets.and_then(|tickets| serde_json::from_str(tickets).ok());
    read.unwrap_or_default()
}

/// What a row becomes in a state, all else as it was.
fn to(state: State, row: &JobRow) -> JobChange {
    JobChange {
        state: state.to_string(),
        attempts: row.attempts,
        interruptions: row.interruptions,
        tickets: row.tickets.clone(),
        results: None,
        error: None,
        started_at: row.started_at,
        wake_at: None,
        finished_at: None,
    }
}

#[expect(
    clippy::expect_used,
    reason = "plain structs with text keys: their JSON cannot fail"
)]
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("plain data is JSON")
}

/// The name of an enum's variant.
fn word(value: &impl serde::Serialize) -> String {
    json(value).trim_matches('"').to_owned()
}
