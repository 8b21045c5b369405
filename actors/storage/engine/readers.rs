//! The threads that read, all from one queue.

use std::sync::{Mutex, PoisonError, mpsc::Receiver};

use crate::storage::StorageError;

use super::{job::AnyJob, link::Link};

/// Runs jobs until the queue is closed and empty.
pub(super) fn run(mut link: Link, queue: &Mutex<Receiver<Box<dyn AnyJob>>>) {
    while let Some(job) = next(queue) {
        if !job.is_wanted() {
            continue;
        }
        let outcome = match link.connection() {
            Ok(conn) => job.run(conn),
            Err(error) => {
                job.refuse(error);
                continue;
            }
        };
        let broke = outcome.is_failure() && !link.survives();
        outcome.tell(broke.then(|| StorageError::Unavailable("the connection broke".to_owned())));
    }
}

/// The idle readers take turns in waiting: whoever holds the lock gets the next job.
fn next(queue: &Mutex<Receiver<Box<dyn AnyJob>>>) -> Option<Box<dyn AnyJob>> {
    queue
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .recv()
        .ok()
}
