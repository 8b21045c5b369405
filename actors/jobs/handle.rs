//! The way to jobs.

use std::{sync::Arc, time::Duration};

use derive_more::{Display, Error, From};
use futures_util::{Stream, StreamExt as _, future::ready, stream};
use prometheus_client::registry::Registry;
use tokio::sync::{OnceCell, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{
    actor::{Jobs, Setup},
    charge::Passed,
    config::JobsConfig,
    draw::Draw,
    events::Event,
    job::{Job, NewJob, Outlook, State},
    messages::{Cancel, Count, Counts, Follow, Introduce, Look, Submit},
    metrics::JobsMetrics,
    node::Node,
    pace::Stopwatch,
    patience::until_answered,
    policy::Full,
    standing::Standing,
    store::{Kept, Store},
    submission::{Again, Submission},
    waiting::{Files, News, Teller, Waiting},
    watcher::Watcher,
    webhooks::Outbox,
    workers::Workers,
};
use crate::{
    storage::{
        Database, StorageError,
        queries::jobs::{JobFilter, JobRow},
    },
    supervision::{AskError, ChildSpec, Clock, Handle, Tree, TreeError},
};

/// Why there is no job. What is merely not there is no error.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error, From)]
pub enum JobError {
    /// Too many wait.
    #[display("{_0}")]
    Full(Full),
    /// Another job was submitted with the same key, for something else.
    #[display("the key was used for something else")]
    OtherBody,
    /// The table was not reached, see [`StorageError::is_temporary`].
    #[display("jobs cannot be reached: {_0}")]
    Database(StorageError),
    /// The manager did not answer. A job may have been submitted all the same.
    #[display("jobs cannot be reached: {_0}")]
    Unavailable(AskError),
}

/// What a list of jobs is to hold. `None` = any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    pub state: Option<State>,
    /// As the client named it.
    pub model: Option<String>,
    /// Only those before the one of that id.
    pub before: Option<String>,
    /// The most.
    pub limit: usize,
}

/// Submits jobs, and tells of them. Cheap to clone, valid over restarts of the actor.
#[derive(Clone)]
pub struct JobsHandle {
    manager: Handle<Jobs>,
    pub(super) store: Store,
    setup: Arc<Setup>,
}

/// How long a submission may take: a commit that may wait behind others.
const SUBMIT_WAIT: Duration = Duration::from_secs(30);
/// How long an answer is held back for its charge.
const CHARGE_WAIT: Duration = Duration::from_secs(2);

impl JobsHandle {
    /// Starts the manager as `jobs/manager`, after all that draws. The ends of jobs are told through `outbox`.
    ///
    /// # Errors
    /// [`TreeError`] when it does not come up.
    pub async fn start(
        tree: &Tree,
        config: &JobsConfig,
        clock: &Clock,
        database: &Database,
        draw: impl Draw,
        node: Node,
        outbox: Outbox,
    ) -> Result<Self, TreeError> {
        let store = Store {
            database: database.clone(),
            clock: clock.clone(),
            node,
            outbox,
            metrics: JobsMetrics::default(),
        };
        let setup = Arc::new(Setup {
            config: config.clone(),
            store: store.clone(),
            draw: Arc::new(draw),
            workers: Workers::default(),
            quick: Arc::default(),
            draining: CancellationToken::new(),
            manager: OnceCell::new(),
        });
        let of_actor = setup.clone();
        let spec = ChildSpec::new("jobs/manager", "jobs", move || {
            Ok(Jobs::new(of_actor.clone()))
        });
        let manager = tree.start(spec).await?;
        // its mailbox is there: nothing but a fall this very moment could lose it, and then its table is read later
        if let Err(error) = manager.tell(Introduce(manager.clone())) {
            log::error!("jobs do not begin: {error}");
        }
        Ok(Self {
            manager,
            store,
            setup,
        })
    }

    /// Has a job done. It is in the table when this returns; where there is one with its submission, that is returned.
    ///
    /// # Errors
    /// [`JobError`].
    pub async fn submit(&self, new: NewJob) -> Result<Job, JobError> {
        let row = self.manager.ask_within(SUBMIT_WAIT, Submit(new)).await??;
        Ok(self.seen(row).await)
    }

    /// Has a job done at once, by a worker on this thread, for somebody who waits for it. It is in the table when this
    /// returns, also where this is dropped before. Where there is one with its submission, that is waited for. `files` are its inputs as they came; `place` is kept until the worker
    /// has ended, whoever waits.
    ///
    /// # Errors
    /// [`JobError::Database`], [`JobError::OtherBody`].
    pub async fn begin(
        &self,
        new: NewJob,
        files: Files,
        place: impl Sized + 'static,
    ) -> Result<Waiting, JobError> {
        let (teller, news) = Teller::new(files);
        let (told, stored) = oneshot::channel();
        let tell = move |outcome| {
            // an error means that nobody waits any more
            let _ = told.send(outcome);
        };
        let manager = self.manager.clone();
        let workers = &self.setup.workers;
        workers.begin(&self.setup, new, manager, (teller, place), tell);
        // an error means that its task fell before it was stored
        match stored.await.map_err(|_| StorageError::Busy)?? {
            Kept::New(row) => Ok(Waiting::of(&row.id, news)),
            Kept::Earlier(row) => self.wait_for(&row.app_id, &row.id).await,
        }
    }

    /// The job that this app has submitted with that key before, as it stands.
    ///
    /// # Errors
    /// [`JobError::Database`], [`JobError::OtherBody`].
    pub async fn submitted(
        &self,
        submission: &Submission,
        again: Again,
    ) -> Result<Option<Job>, JobError> {
        match self.store.submitted(submission, again).await? {
            Some(row) => Ok(Some(self.seen(row).await)),
            None => Ok(None),
        }
    }

    /// Somebody waits for a job that was begun before: of that he is told the end.
    ///
    /// # Errors
    /// [`JobError::Database`].
    pub async fn wait_for(&self, app_id: &str, id: &str) -> Result<Waiting, JobError> {
        let events = self.watch(app_id, id, 0).await?;
        let (store, of) = (self.store.clone(), id.to_owned());
        let end = async move {
            // they end with the job
            events?.for_each(async |_| ()).await;
            store.get(&of).await.ok().flatten().map(News::end_of)
        };
        let news = stream::once(end).filter_map(ready);
        Ok(Waiting::of(id, news))
    }

    /// The job of that id; none if this app has no such job, or not any more.
    ///
    /// # Errors
    /// [`JobError::Database`].
    pub async fn get(&self, app_id: &str, id: &str) -> Result<Option<Job>, JobError> {
        match self.own(app_id, id).await? {
            Some(row) => Ok(Some(self.seen(row).await)),
            None => Ok(None),
        }
    }

    /// An app's jobs, newest first.
    ///
    /// # Errors
    /// [`JobError::Database`].
    pub async fn list(&self, app_id: &str, wish: Wish) -> Result<Vec<Job>, JobError> {
        let filter = JobFilter {
            app_id: Some(app_id.to_owned()),
            state: wish.state.map(|state| state.to_string()),
            model: wish.model,
            ..JobFilter::default()
        };
        let rows = self.store.list(filter, wish.before, wish.limit).await?;
        let outlooks = self.outlooks(&rows).await;
        let now = self.store.now();
        let jobs = rows.into_iter().zip(outlooks);
        Ok(jobs
            .map(|(row, outlook)| Job::of(row, outlook, now))
            .collect())
    }

    /// Ends a job, also upstream where that can be told; it is final when this returns. A job that was finished
    /// already is given as it is. None if this app has no such job.
    ///
    /// # Errors
    /// [`JobError`].
    pub async fn cancel(&self, app_id: &str, id: &str) -> Result<Option<Job>, JobError> {
        let Some(row) = self.own(app_id, id).await? else {
            return Ok(None);
        };
        if row.finished_at.is_none() {
            let asked = self.manager.ask_within(SUBMIT_WAIT, Cancel(id.to_owned()));
            asked.await??;
        }
        self.get(app_id, id).await
    }

    /// Removes a finished job and the rows of its pictures; false if this app has no such job. Their files are the
    /// caller's affair.
    ///
    /// # Errors
    /// [`JobError::Database`].
    pub async fn forget(&self, app_id: &str, id: &str) -> Result<bool, JobError> {
        let row = self.own(app_id, id).await?;
        match row.filter(|row| row.finished_at.is_some()) {
            Some(row) => Ok(self.store.forget(row.id).await?),
            None => Ok(false),
        }
    }

    /// What is new about a job since the event numbered `after`, as it comes, until its end; 0 = from now on, its
    /// present state first. None if this app has no such job.
    ///
    /// # Errors
    /// [`JobError::Database`].
    pub async fn watch(
        &self,
        app_id: &str,
        id: &str,
        after: u64,
    ) -> Result<Option<impl Stream<Item = Event> + use<>>, JobError> {
        if self.own(app_id, id).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(Watcher::new(self, app_id, id, after).events()))
    }

    /// Charges pictures that were made past the jobs. The charge is in the table when this returns, once, also where
    /// this is dropped before; while the database is away it waits there alone.
    pub async fn charge(&self, passed: Passed) {
        let (done, written) = oneshot::channel::<()>();
        let row = passed.charge(self.store.now());
        let store = self.store.clone();
        self.setup.workers.keep(async move |shutdown| {
            let write = async || store.charge(row.clone()).await;
            if until_answered(&shutdown, "a charge", write).await.is_none() {
                let (call, cost) = (&row.job_id, row.micro_credits);
                log::error!("the charge of call {call} is lost: {cost} millionths of a credit");
            }
            drop(done);
        });
        // either way it is seen to
        let _ = actix_rt::time::timeout(CHARGE_WAIT, written).await;
    }

    /// How many jobs there are.
    ///
    /// # Errors
    /// [`JobError::Unavailable`].
    pub async fn counts(&self) -> Result<Counts, JobError> {
        Ok(self.manager.ask(Count).await?)
    }

    /// Begins nothing any more but what somebody waits for: the rest is done after the next start.
    pub fn drain(&self) {
        self.setup.draining.cancel();
    }

    /// How many are being drawn that could not be asked for after a restart.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.setup.workers.tied()
    }

    /// Whether a model is known not to try the patience of clients. One that was never seen is not.
    #[must_use]
    pub fn is_quick(&self, model: &str) -> bool {
        self.setup.quick.has(model)
    }

    /// To be held while an upstream draws for a request that is no job.
    #[must_use]
    pub fn stopwatch(&self, model: &str) -> Stopwatch {
        Stopwatch::start(model, &self.store.clock, &self.manager)
    }

    /// Registers what is counted of jobs.
    pub fn register(&self, registry: &mut Registry) {
        self.store.metrics.register(registry);
    }

    /// When it is worth looking at a job again, in seconds.
    #[must_use]
    pub fn look_again(&self, job: &Job) -> u64 {
        job.estimated_seconds.unwrap_or(1).clamp(1, 30)
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &JobsConfig {
        &self.setup.config
    }

    /// The actor's handle, for tests that make it fall.
    #[cfg(test)]
    pub(super) fn manager(&self) -> &Handle<Jobs> {
        &self.manager
    }

    /// The table, for tests that play another node.
    #[cfg(test)]
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// What tells from now on that there is something new about a job; none while the manager is down.
    pub(super) async fn news(&self, id: &str) -> Option<watch::Receiver<Standing>> {
        self.manager.ask(Follow(id.to_owned())).await.ok()
    }

    async fn own(&self, app_id: &str, id: &str) -> Result<Option<JobRow>, JobError> {
        let row = self.store.get(id).await?;
        Ok(row.filter(|row| row.app_id == app_id))
    }

    pub(super) async fn seen(&self, row: JobRow) -> Job {
        let outlook = self.outlooks(std::slice::from_ref(&row)).await;
        Job::of(
            row,
            outlook.first().copied().unwrap_or_default(),
            self.store.now(),
        )
    }

    /// One for each row. Without the manager's answer they say nothing, which is no reason to fail.
    pub(super) async fn outlooks(&self, rows: &[JobRow]) -> Vec<Outlook> {
        let asked = rows.iter().map(|row| (row.id.clone(), row.model.clone()));
        let looked = self.manager.ask(Look(asked.collect())).await;
        looked.unwrap_or_else(|_| vec![Outlook::default(); rows.len()])
    }
}
