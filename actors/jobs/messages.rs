//! What the job manager takes.

use std::sync::Arc;

use actix::Message;
use tokio::sync::watch;

use super::{
    actor::Jobs,
    handle::JobError,
    job::{NewJob, Outlook},
    policy::Entry,
    standing::Standing,
};
use crate::{
    storage::queries::jobs::JobRow,
    supervision::{Handle, Receive},
};

/// What a worker reports; the next look at the table finds out what was lost.
pub(super) fn tell<M>(manager: &Handle<Jobs>, message: M)
where
    Jobs: Receive<M>,
    M: Message<Result = ()> + Send + 'static,
{
    if let Err(error) = manager.tell(message) {
        log::warn!("a job's report was lost: {error}");
    }
}

/// The way back for workers, sent once after the first start.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Introduce(pub Handle<Jobs>);

/// A job is to be done; the answer comes after the commit.
#[derive(Message)]
#[rtype(result = "Result<JobRow, JobError>")]
pub(super) struct Submit(pub NewJob);

/// A job is not wanted any more; the answer comes after the commit, and is none where it was finished already.
#[derive(Message)]
#[rtype(result = "Result<Option<JobRow>, JobError>")]
pub(super) struct Cancel(pub String);

/// A worker was begun for a new job, which runs already.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Adopt {
    pub entry: Entry,
    pub started_at: Option<i64>,
}

impl Adopt {
    pub fn of(row: &JobRow) -> Self {
        Self {
            entry: Entry {
                at_once: true,
                ..Entry::of(row)
            },
            started_at: row.started_at,
        }
    }
}

/// A running job has gone to another provider.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Moved {
    pub entry: Entry,
}

impl Moved {
    pub fn of(row: &JobRow) -> Self {
        Self {
            entry: Entry::of(row),
        }
    }
}

/// A worker's attempt has begun, or a part of it is done.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Begun {
    pub id: Arc<str>,
    pub started_at: Option<i64>,
}

/// A worker has ended, with the row as it left it. None = somebody else finished the job, or nobody knows.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Ended {
    pub id: Arc<str>,
    pub row: Option<JobRow>,
}

/// How things look for jobs: their ids and models.
#[derive(Message)]
#[rtype(result = "Vec<Outlook>")]
pub(super) struct Look(pub Vec<(String, String)>);

/// An upstream was asked past the jobs, and was so long at it.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Took {
    pub model: Arc<str>,
    pub took_ms: u64,
}

/// Somebody wants to know when there is something new about a job.
#[derive(Message)]
#[rtype(result = "watch::Receiver<Standing>")]
pub(super) struct Follow(pub String);

/// How many jobs there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// That wait or rest.
    pub queued: usize,
    pub running: usize,
}

/// Somebody counts.
#[derive(Message)]
#[rtype(result = "Counts")]
pub(super) struct Count;
