//! The threads that talk to the database: one that writes and groups commits, several that read.
//!
//! diesel blocks, so nothing of it runs on the threads of the actors. Jobs go in through bounded queues and their
//! outcome comes back through a channel; nothing here waits without a limit. A database that is down or comes back
//! stops no thread: jobs are refused with [`StorageError::Unavailable`] until a connection stands again.

mod job;
mod link;
mod readers;
mod writer;

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{self, SyncSender, TrySendError},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use diesel::QueryResult;
use tokio::sync::oneshot;

use super::{Connection, ConnectionOptions, DatabaseUrl, StorageError, config::StorageConfig};
use job::{AnyJob, Job};
use link::{Link, Schema};

/// Writes that may wait for the writer.
const WRITE_QUEUE: usize = 1_024;
/// Reads that may wait for a reader.
const READ_QUEUE: usize = 256;

/// The running threads. Dropping it lets them finish what is queued and end; [`Engine::stop`] also waits for that.
pub struct Engine {
    queues: Queues,
    threads: Vec<JoinHandle<()>>,
    ended: mpsc::Receiver<()>,
}

/// The way into an engine. Cheap to clone; holds the threads' queues open.
#[derive(Clone)]
pub(super) struct Queues {
    writes: SyncSender<Box<dyn AnyJob>>,
    reads: SyncSender<Box<dyn AnyJob>>,
    timeout: Duration,
}

impl Engine {
    /// Starts the threads and lets them connect; returns at once. Until the first connection stands and the schema is
    /// up to date, jobs wait or are refused as [`StorageError::Unavailable`].
    ///
    /// # Errors
    /// [`StorageError::Url`], or [`StorageError::Unavailable`] if the system gives no thread.
    pub fn launch(config: &StorageConfig) -> Result<Self, StorageError> {
        let url = DatabaseUrl::parse(&config.database_url)?;
        let options = |read_only| ConnectionOptions {
            busy_timeout: Duration::from_millis(config.busy_timeout_ms),
            statement_timeout: Duration::from_millis(config.query_timeout_ms),
            read_only,
        };
        let (writes, write_queue) = mpsc::sync_channel(WRITE_QUEUE);
        let (reads, read_queue) = mpsc::sync_channel(READ_QUEUE);
        let (end, ended) = mpsc::channel();
        let schema = Arc::<Schema>::default();
        let writer = Link::new(url.clone(), options(false), schema.clone());
        let mut threads = vec![spawn("storage-writer", end.clone(), move || {
            writer::run(writer, &write_queue)
        })?];
        let read_queue = Arc::new(Mutex::new(read_queue));
        for _ in 0..config.readers.max(1) {
            let link = Link::new(url.clone(), options(true), schema.clone());
            let queue = read_queue.clone();
            threads.push(spawn("storage-reader", end.clone(), move || {
                readers::run(link, &queue)
            })?);
        }
        let timeout = Duration::from_millis(config.query_timeout_ms);
        Ok(Self {
            queues: Queues {
                writes,
                reads,
                timeout,
            },
            threads,
            ended,
        })
    }

    /// As [`Self::launch`], but waits until the database can be used: for commands and checks.
    ///
    /// # Errors
    /// As [`Self::launch`], or the reason why the database cannot be used.
    pub fn start(config: &StorageConfig) -> Result<Self, StorageError> {
        let engine = Self::launch(config)?;
        let (job, outcome) = Job::new(|_| Ok(()));
        engine.queues.put_write(job)?;
        outcome.blocking_recv().unwrap_or_else(|_| Err(stopped()))?;
        Ok(engine)
    }

    /// Runs `job` on a reader; it cannot write. See [`Self::write`] for the rest.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.queues.read(job).await
    }

    /// Runs `job` on the writer in a transaction of its own; answers after the commit. If the returned future is
    /// dropped while the job is still queued, the job does not run.
    ///
    /// # Errors
    /// [`StorageError`]. After [`StorageError::Timeout`] and [`StorageError::Unavailable`] the job may have been
    /// committed all the same, so what is repeated must be idempotent.
    pub async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.queues.write(job).await
    }

    /// The way in, to be held beside the engine.
    pub(super) fn queues(&self) -> Queues {
        self.queues.clone()
    }

    /// Takes no more jobs, lets the threads finish what is queued, and waits for them up to `patience`.
    /// `false` if a thread was still busy then; it ends by itself later.
    pub fn stop(self, patience: Duration) -> bool {
        let Self {
            queues,
            threads,
            ended,
        } = self;
        drop(queues);
        let deadline = Instant::now() + patience;
        let all_ended = threads.iter().all(|_| {
            ended
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
                .is_ok()
        });
        if all_ended {
            for thread in threads {
                // its panics are caught inside, so there is nothing to learn from the result
                let _ = thread.join();
            }
        }
        all_ended
    }
}

impl Queues {
    /// See [`Engine::read`].
    pub(super) async fn read<T: Send + 'static>(
        &self,
        body: impl FnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (job, outcome) = Job::new(body);
        put(&self.reads, job)?;
        self.outcome(outcome).await
    }

    /// See [`Engine::write`].
    pub(super) async fn write<T: Send + 'static>(
        &self,
        body: impl FnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (job, outcome) = Job::new(body);
        self.put_write(job)?;
        self.outcome(outcome).await
    }

    fn put_write(&self, job: Box<dyn AnyJob>) -> Result<(), StorageError> {
        put(&self.writes, job)
    }

    async fn outcome<T>(
        &self,
        outcome: oneshot::Receiver<Result<T, StorageError>>,
    ) -> Result<T, StorageError> {
        match tokio::time::timeout(self.timeout, outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_closed)) => Err(stopped()),
            Err(_elapsed) => Err(StorageError::Timeout),
        }
    }
}

fn put(queue: &SyncSender<Box<dyn AnyJob>>, job: Box<dyn AnyJob>) -> Result<(), StorageError> {
    queue.try_send(job).map_err(|error| match error {
        TrySendError::Full(_) => StorageError::Busy,
        TrySendError::Disconnected(_) => stopped(),
    })
}

fn stopped() -> StorageError {
    StorageError::Unavailable("the storage has stopped".to_owned())
}

/// A named thread that tells `end` when it is through, whatever way.
fn spawn(
    name: &str,
    end: mpsc::Sender<()>,
    body: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, StorageError> {
    /// Tells on drop, so that a panic tells too.
    struct End(mpsc::Sender<()>);
    impl Drop for End {
        fn drop(&mut self) {
            // nobody waits any more: that is fine
            let _ = self.0.send(());
        }
    }
    let end = End(end);
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let _end = end;
            body();
        })
        .map_err(|error| StorageError::Unavailable(format!("no thread: {error}")))
}

#[cfg(test)]
mod tests;
