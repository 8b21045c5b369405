//! The table's transitions. Each returns after its commit; a finished job is never changed.

use diesel::QueryResult;

use super::{
    charge::charge,
    config::JobsConfig,
    handle::JobError,
    job::{NewJob, State, Yield},
    metrics::JobsMetrics,
    node::Node,
    pictures::keep_pictures,
    route::{Choice, Others},
    submission::{Again, Submission},
    transition::{End, HeldParts, begun, cancelled, ended, json, lost, recorded, to, turned, word},
    webhooks::{Callback, Outbox},
};
use crate::{
    storage::{
        Connection, Database, StorageError,
        queries::{
            charges::{self, ChargeRow},
            jobs::{self, JobBrief, JobChange, JobFilter, JobRow},
        },
    },
    supervision::Clock,
};

/// Reads and writes jobs. Cheap to clone.
#[derive(Clone)]
pub(super) struct Store {
    pub database: Database,
    pub clock: Clock,
    pub node: Node,
    pub outbox: Outbox,
    pub metrics: JobsMetrics,
}

/// What became of a new job.
#[derive(Debug)]
pub(super) enum Kept {
    New(JobRow),
    /// There was one with its submission.
    Earlier(JobRow),
}

/// The newest completed jobs that durations are learnt from at the start.
const REMEMBERED: usize = 500;

impl Store {
    pub fn now(&self) -> i64 {
        i64::try_from(self.clock.wall_ms()).unwrap_or(i64::MAX)
    }

    /// Stores a job to be begun later.
    pub async fn insert(&self, new: NewJob) -> Result<Kept, JobError> {
        let (callback, submission) = (new.callback.clone(), new.submission.clone());
        let row = self.row(new);
        self.keep(row, callback, submission, Again::Always).await
    }

    /// Stores a job that is begun at once, which no other is told to begin.
    pub async fn insert_begun(&self, new: NewJob) -> Result<Kept, JobError> {
        let (callback, submission) = (new.callback.clone(), new.submission.clone());
        let now = self.now();
        let row = JobRow {
            state: State::Processing.to_string(),
            attempts: 1,
            started_at: Some(now),
            owner: Some(self.node.name().to_owned()),
            leased_until: self.node.leased_until(now),
            ..self.row(new)
        };
        self.keep(row, callback, submission, Again::UnlessLost)
            .await
    }

    async fn keep(
        &self,
        row: JobRow,
        callback: Option<Callback>,
        submission: Option<Submission>,
        again: Again,
    ) -> Result<Kept, JobError> {
        let wanted = submission.clone();
        let insert = move |conn: &mut _| {
            let earlier = match wanted {
                Some(submission) => insert_once(conn, &row, &submission, again)?,
                None => jobs::insert(conn, &row).map(|()| None)?,
            };
            if let Some(earlier) = earlier {
                return Ok(Kept::Earlier(earlier));
            }
            if let Some(callback) = callback {
                Outbox::expect(conn, &row.id, callback)?;
            }
            Ok(Kept::New(row))
        };
        match self.database.write(insert).await? {
            Kept::Earlier(row) if !is_of(&row, submission.as_ref()) => Err(JobError::OtherBody),
            kept => Ok(kept),
        }
    }

    /// The job that this app has submitted with that key before.
    pub async fn submitted(
        &self,
        submission: &Submission,
        again: Again,
    ) -> Result<Option<JobRow>, JobError> {
        let key = submission.key.clone();
        let find = move |conn: &mut _| jobs::submitted(conn, &key);
        let found = self.database.read(find).await?;
        let counts = |row: &JobRow| {
            row.created_at >= submission.since && !frees(again).contains(&row.state.as_str())
        };
        match found.filter(counts) {
            Some(row) if !is_of(&row, Some(submission)) => Err(JobError::OtherBody),
            found => Ok(found),
        }
    }

    fn row(&self, new: NewJob) -> JobRow {
        JobRow {
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
            price: new.price,
            made: None,
            others: new.others.as_ref().map(json),
            owner: None,
            leased_until: None,
            submission: new.submission.as_ref().map(|new| new.key.clone()),
            fingerprint: new.submission.map(|new| new.fingerprint),
            prompt: new.order.prompt.clone(),
            tags: (!new.tags.is_empty()).then(|| json(&new.tags)),
        }
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
    /// is finished, not there, or another node's.
    pub async fn begin(&self, id: &str) -> Result<Option<JobRow>, StorageError> {
        let (now, node) = (self.now(), self.node.clone());
        self.change(id, move |row| begun(row, &node, now)).await
    }

    /// The job goes to another target. None if it is not this node's any more.
    pub async fn turn(
        &self,
        id: &str,
        choice: Choice,
        others: Others,
    ) -> Result<Option<JobRow>, StorageError> {
        self.own_change(id, move |row| {
            turned(to(State::Processing, row), &choice, &others)
        })
        .await
    }

    /// A part is done while others are not. None if the job is not this node's any more.
    pub async fn record(
        &self,
        id: &str,
        place: usize,
        output: Yield,
    ) -> Result<Option<JobRow>, StorageError> {
        self.own_change(id, move |row| recorded(row, place, &output))
            .await
    }

    /// Notes what upstreams gave.
    pub async fn hold(&self, id: &str, parts: &HeldParts) -> Result<bool, StorageError> {
        let (id, owner) = (id.to_owned(), self.node.name().to_owned());
        let parts = (!parts.is_empty()).then(|| json(parts));
        let hold = move |conn: &mut _| jobs::hold(conn, &id, &owner, parts.as_deref());
        self.database.write(hold).await
    }

    /// An attempt has ended. None if the job is finished already, or not this node's any more.
    pub async fn end(&self, id: &str, end: End) -> Result<Option<JobRow>, StorageError> {
        let now = self.now();
        self.own_change(id, move |row| ended(row, &end, now)).await
    }

    /// Nobody wants it any more. None if it is finished already, or not there.
    pub async fn cancel(&self, id: &str) -> Result<Option<JobRow>, StorageError> {
        let now = self.now();
        self.change(id, move |row| Some(cancelled(row, now))).await
    }

    /// An attempt was lost with the process, and may have been drawn: it waits for one more, or has failed.
    pub async fn interrupt(
        &self,
        id: &str,
        config: &JobsConfig,
    ) -> Result<Option<JobRow>, StorageError> {
        let (now, again) = (self.now(), config.retry_interrupted);
        let node = self.node.clone();
        self.change(id, move |row| lost(row, &node, again, now))
            .await
    }

    /// Says that this node lives; returns the jobs that it is at. None where there is no other node.
    pub async fn renew(&self) -> Result<Option<Vec<String>>, StorageError> {
        let Some(until) = self.node.leased_until(self.now()) else {
            return Ok(None);
        };
        let owner = self.node.name().to_owned();
        let renew = move |conn: &mut _| jobs::renew(conn, &owner, until);
        self.database.write(renew).await.map(Some)
    }

    /// Stores a charge that no job is behind, unless it is there.
    pub async fn charge(&self, row: ChargeRow) -> Result<(), StorageError> {
        let write = move |conn: &mut _| charges::insert_once(conn, &row);
        self.database.write(write).await
    }

    /// Lets other nodes have the jobs that this one is at.
    pub async fn release(&self) -> Result<(), StorageError> {
        if self.node.lease().is_none() {
            return Ok(());
        }
        let owner = self.node.name().to_owned();
        let release = move |conn: &mut _| jobs::release(conn, &owner);
        self.database.write(release).await
    }

    /// Deletes a finished job; says whether there was one.
    pub async fn forget(&self, id: String) -> Result<bool, StorageError> {
        let delete = move |conn: &mut _| jobs::delete(conn, &[id]);
        Ok(self.database.write(delete).await? > 0)
    }

    /// Changes a job that this node is at.
    async fn own_change(
        &self,
        id: &str,
        to: impl Fn(&JobRow) -> JobChange + Send + 'static,
    ) -> Result<Option<JobRow>, StorageError> {
        let node = self.node.clone();
        let own = move |row: &JobRow| node.is(row.owner.as_deref()).then(|| to(row));
        self.change(id, own).await
    }

    async fn change(
        &self,
        id: &str,
        to: impl Fn(&JobRow) -> Option<JobChange> + Send + 'static,
    ) -> Result<Option<JobRow>, StorageError> {
        let (id, outbox, now) = (id.to_owned(), self.outbox.clone(), self.now());
        let change = move |conn: &mut _| {
            let changed = changed(conn, &id, to)?;
            let is_told = match &changed {
                Some(row) if row.finished_at.is_some() => finished(conn, row, &outbox, now)?,
                _ => false,
            };
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

/// Stores a job unless there is one with its submission, which is returned.
fn insert_once(
    conn: &mut Connection,
    row: &JobRow,
    submission: &Submission,
    again: Again,
) -> QueryResult<Option<JobRow>> {
    jobs::free_submission(conn, &submission.key, submission.since, frees(again))?;
    if jobs::insert_once(conn, row)? {
        return Ok(None);
    }
    // gone in between: whoever asks once more is the first
    let earlier = jobs::submitted(conn, &submission.key)?;
    earlier.ok_or(diesel::result::Error::NotFound).map(Some)
}

/// The states that free a job's key.
fn frees(again: Again) -> &'static [&'static str] {
    match again {
        Again::Always => &[],
        Again::UnlessLost => &["failed", "cancelled"],
    }
}

fn is_of(row: &JobRow, submission: Option<&Submission>) -> bool {
    row.fingerprint.as_ref() == submission.map(|submission| &submission.fingerprint)
}

/// Changes a job that is not finished, as it is when nobody else changes it.
fn changed(
    conn: &mut Connection,
    id: &str,
    to: impl Fn(&JobRow) -> Option<JobChange>,
) -> QueryResult<Option<JobRow>> {
    while let Some(row) = jobs::get(conn, id)?.filter(|row| row.finished_at.is_none())
        && let Some(next) = to(&row)
    {
        // none: another node was quicker, and what it did is looked at
        if let Some(row) = jobs::change(conn, id, row.revision, &next)? {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

/// What goes with the end of a job. True where somebody is told of it.
fn finished(conn: &mut Connection, row: &JobRow, outbox: &Outbox, now: i64) -> QueryResult<bool> {
    if let Some(charge) = charge(row) {
        charges::insert(conn, &charge)?;
    }
    keep_pictures(conn, row)?;
    outbox.note(conn, row, now)
}
