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
    time::Duration,
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
    writes: SyncSender<Box<dyn AnyJob>>,
    reads: SyncSender<Box<dyn AnyJob>>,
    timeout: Duration,
    threads: Vec<JoinHandle<()>>,
}

impl Engine {
    /// Starts the threads and lets them connect; returns at once. Until the first connection stands and the schema is
    /// up to date, jobs wait or are refused as [`StorageError::Unavailable`].
    ///
    /// # Errors
    /// [`StorageError::Url`], or [`StorageError::Unavailable`] if the system gives no thread.
    pub fn launch(config: &StorageConfig) -> Result<Self, StorageError> {
        let url = DatabaseUrl::parse(&config.database_url)?;
        let timeout = Duration::from_millis(config.query_timeout_ms);
        let schema = Arc::<Schema>::default();
        let link = |read_only| {
            let options = ConnectionOptions {
                busy_timeout: Duration::from_millis(config.busy_timeout_ms),
                statement_timeout: timeout,
                read_only,
            };
            Link::new(url.clone(), options, schema.clone())
        };
        let (writes, write_queue) = mpsc::sync_channel(WRITE_QUEUE);
        let (reads, read_queue) = mpsc::sync_channel(READ_QUEUE);
        let writer = link(false);
        let mut threads = vec![spawn("storage-writer", move || {
            writer::run(writer, &write_queue)
        })?];
        let read_queue = Arc::new(Mutex::new(read_queue));
        for _ in 0..config.readers.max(1) {
            let (reader, queue) = (link(true), read_queue.clone());
            threads.push(spawn("storage-reader", move || {
                readers::run(reader, &queue)
            })?);
        }
        Ok(Self {
            writes,
            reads,
            timeout,
            threads,
        })
    }

    /// As [`Self::launch`], but waits until the database can be used: for commands and checks. Blocks.
    ///
    /// # Errors
    /// As [`Self::launch`], or the reason why the database cannot be used.
    pub fn start(config: &StorageConfig) -> Result<Self, StorageError> {
        let engine = Self::launch(config)?;
        let (job, outcome) = Job::with_reply(|_| Ok(()));
        put(&engine.writes, job)?;
        outcome.blocking_recv().unwrap_or_else(|_| Err(stopped()))?;
        Ok(engine)
    }

    /// Queues `job` for a reader, here and now; it cannot write. See [`Self::write`] for the rest.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn read<T, F>(&self, job: F) -> impl Future<Output = Result<T, StorageError>> + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
    {
        let (job, outcome) = Job::with_reply(job);
        answer(put(&self.reads, job), outcome, self.timeout)
    }

    /// Queues `job` for the writer, here and now. It runs in a transaction of its own, and the returned future answers
    /// after the commit. If that is dropped while the job is still queued, the job does not run.
    ///
    /// Jobs of one engine follow each other, but other nodes write to the same PostgreSQL: what a job reads in order to
    /// write must be read `FOR UPDATE`, or the statement must do both at once.
    ///
    /// # Errors
    /// [`StorageError`]. After [`StorageError::Timeout`] and [`StorageError::Unavailable`] the job may have been
    /// committed all the same, so what is repeated must be idempotent.
    pub fn write<T, F>(&self, job: F) -> impl Future<Output = Result<T, StorageError>> + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
    {
        let (job, outcome) = Job::with_reply(job);
        answer(put(&self.writes, job), outcome, self.timeout)
    }

    /// Takes no more jobs, lets the threads finish what is queued, and blocks until they have ended, no longer than
    /// `patience`. `false` if one was still busy then; it ends by itself later.
    pub fn stop(self, patience: Duration) -> bool {
        let Self {
            writes,
            reads,
            threads,
            ..
        } = self;
        // the threads end when their queues are closed and empty
        drop((writes, reads));
        let (done, all_ended) = mpsc::channel();
        let join = move || {
            for thread in threads {
                // panics are caught inside, so there is nothing to learn from the results
                let _ = thread.join();
            }
            // nobody may be waiting any more
            let _ = done.send(());
        };
        spawn("storage-stop", join).is_ok() && all_ended.recv_timeout(patience).is_ok()
    }
}

async fn answer<T>(
    queued: Result<(), StorageError>,
    outcome: oneshot::Receiver<Result<T, StorageError>>,
    timeout: Duration,
) -> Result<T, StorageError> {
    queued?;
    match tokio::time::timeout(timeout, outcome).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_closed)) => Err(stopped()),
        Err(_elapsed) => Err(StorageError::Timeout),
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

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StorageError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|error| StorageError::Unavailable(format!("no thread: {error}")))
}

#[cfg(test)]
mod tests;
