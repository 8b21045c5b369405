//! A job on its way to a thread, and its outcome on the way back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::QueryResult;
use tokio::sync::oneshot;

use crate::storage::{Connection, StorageError};

/// What to run and whom to tell.
pub(super) struct Job<T> {
    body: Body<T>,
    reply: oneshot::Sender<Result<T, StorageError>>,
}

type Body<T> = Box<dyn FnOnce(&mut Connection) -> QueryResult<T> + Send>;

/// A job of any type.
pub(super) trait AnyJob: Send {
    /// Whether somebody still waits for the outcome.
    fn is_wanted(&self) -> bool;
    /// Runs the body; a panic becomes [`StorageError::Panicked`]. Nobody is told yet.
    fn run(self: Box<Self>, conn: &mut Connection) -> Box<dyn Outcome>;
    /// Tells that the body was not run, and why.
    fn refuse(self: Box<Self>, error: StorageError);
}

/// What came out of a job, to be told when it holds.
pub(super) trait Outcome {
    /// Whether the body failed, so that its traces must be undone.
    fn is_failure(&self) -> bool;
    /// Tells the outcome, or `error` in its place.
    fn tell(self: Box<Self>, error: Option<StorageError>);
}

impl<T: Send + 'static> Job<T> {
    /// A job and the other end of its reply.
    pub(super) fn with_reply(
        body: impl FnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
    ) -> (Box<dyn AnyJob>, oneshot::Receiver<Result<T, StorageError>>) {
        let (reply, outcome) = oneshot::channel();
        let job = Self {
            body: Box::new(body),
            reply,
        };
        (Box::new(job), outcome)
    }
}

impl<T: Send + 'static> AnyJob for Job<T> {
    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn run(self: Box<Self>, conn: &mut Connection) -> Box<dyn Outcome> {
        let Self { body, reply } = *self;
        // the connection is rolled back and checked before it is used again
        let result = match catch_unwind(AssertUnwindSafe(|| body(conn))) {
            Ok(result) => result.map_err(StorageError::from),
            Err(_panic) => Err(StorageError::Panicked),
        };
        Box::new(Ran { result, reply })
    }

    fn refuse(self: Box<Self>, error: StorageError) {
        // a caller that is gone needs no answer
        let _ = self.reply.send(Err(error));
    }
}

struct Ran<T> {
    result: Result<T, StorageError>,
    reply: oneshot::Sender<Result<T, StorageError>>,
}

impl<T> Outcome for Ran<T> {
    fn is_failure(&self) -> bool {
        self.result.is_err()
    }

    fn tell(self: Box<Self>, error: Option<StorageError>) {
        let Self { result, reply } = *self;
        // a caller that is gone needs no answer
        let _ = reply.send(match error {
            Some(error) => Err(error),
            None => result,
        });
    }
}
