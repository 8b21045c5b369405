//! The one thread that writes. Jobs that piled up while it was busy share the next commit.

use std::{iter, sync::mpsc::Receiver};

use diesel::QueryResult;

use crate::storage::{Connection, StorageError};

use super::{
    job::{AnyJob, Outcome},
    link::Link,
};

/// The most jobs in one transaction: bounds what a crash or a lost connection undoes.
const BATCH: usize = 128;

type Jobs = Vec<Box<dyn AnyJob>>;

/// Runs jobs until the queue is closed and empty.
pub(super) fn run(mut link: Link, queue: &Receiver<Box<dyn AnyJob>>) {
    // the readers wait for the schema, so do not wait for the first job; what fails here is told to that job
    let _ = link.connection();
    while let Ok(first) = queue.recv() {
        let batch: Jobs = iter::once(first)
            .chain(queue.try_iter())
            .take(BATCH)
            .filter(|job| job.is_wanted())
            .collect();
        if batch.is_empty() {
            continue;
        }
        match begin(&mut link) {
            Ok(conn) => {
                if !run_batch(conn, batch) {
                    link.survives();
                }
            }
            Err(error) => {
                link.survives();
                refuse(batch, &error);
            }
        }
    }
}

/// Opens a transaction. If the connection turns out to have died while it was idle, tries a new one: no job has run yet.
fn begin(link: &mut Link) -> Result<&mut Connection, StorageError> {
    if let Err(error) = link.connection()?.begin() {
        if link.survives() {
            return Err(StorageError::of_connection(error));
        }
        link.connection()?
            .begin()
            .map_err(StorageError::of_connection)?;
    }
    link.connection()
}

/// Runs `batch` in the open transaction, each job in a savepoint, and tells the outcomes after the commit.
/// `false` if the transaction failed as a whole.
fn run_batch(conn: &mut Connection, batch: Jobs) -> bool {
    let mut jobs = batch.into_iter();
    let mut outcomes = Vec::with_capacity(jobs.len());
    let mut intact = Ok(());
    for job in jobs.by_ref() {
        let (outcome, savepoint) = run_in_savepoint(conn, job);
        outcomes.extend(outcome);
        if savepoint.is_err() {
            intact = Err(StorageError::Unavailable("the connection broke".to_owned()));
            break;
        }
    }
    let error = intact.and_then(|()| Ok(conn.commit()?)).err();
    for outcome in outcomes {
        outcome.tell(error.clone());
    }
    if let Some(error) = &error {
        refuse(jobs.collect(), error);
    }
    error.is_none()
}

/// The outcome of one job, and whether the transaction around it can go on.
fn run_in_savepoint(
    conn: &mut Connection,
    job: Box<dyn AnyJob>,
) -> (Option<Box<dyn Outcome>>, QueryResult<()>) {
    if let Err(error) = conn.begin() {
        job.refuse(StorageError::Unavailable("the connection broke".to_owned()));
        return (None, Err(error));
    }
    let outcome = job.run(conn);
    let savepoint = if outcome.is_failure() {
        // one level is the batch's own transaction; a panic may have left more open than the job's
        conn.rollback_to(1)
    } else {
        conn.commit()
    };
    (Some(outcome), savepoint)
}

fn refuse(jobs: Jobs, error: &StorageError) {
    for job in jobs {
        job.refuse(error.clone());
    }
}
