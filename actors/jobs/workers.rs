//! The workers that live, whatever becomes of the actor that began them: it must not begin a second one for the same
//! job. Locked, not owned by an actor, since a worker is known to live by itself alone.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_rt::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{
    actor::{Jobs, Setup},
    handle::JobError,
    job::NewJob,
    messages::{Ended, tell},
    policy::Entry,
    store::Kept,
    waiting::Teller,
    worker::Worker,
};
use crate::{
    pictures::Held,
    storage::queries::jobs::JobRow,
    supervision::{Handle, tasks::Tasks},
};

/// See the module's head. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Workers {
    tasks: Tasks,
    alive: Arc<Mutex<HashMap<Arc<str>, Life>>>,
}

struct Life {
    token: CancellationToken,
    /// Whether the job's row says so, too.
    has_begun: bool,
    /// Whether it was begun for somebody who waits.
    at_once: bool,
    /// Whether the row has what the upstream can be asked by after a restart.
    is_held: bool,
}

/// Out of the list when dropped, also by a panic or with its thread.
struct Alive {
    id: Arc<str>,
    workers: Workers,
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.workers.with(|alive| alive.remove(&self.id));
    }
}

/// How long upstreams may take to hear that something is not wanted any more.
const CALL_OFF: Duration = Duration::from_secs(60);

impl Workers {
    pub fn ids(&self) -> Vec<Arc<str>> {
        self.with(|alive| alive.keys().cloned().collect())
    }

    /// Those whose jobs are in this node's name.
    pub fn begun(&self) -> Vec<Arc<str>> {
        self.with(|alive| {
            let begun = alive.iter().filter(|(_, life)| life.has_begun);
            begun.map(|(id, _)| id.clone()).collect()
        })
    }

    pub fn note_begun(&self, id: &str) {
        self.note(id, |life| life.has_begun = true);
    }

    /// Whether the job's row has what its upstream can be asked by.
    pub fn note_held(&self, id: &str, is_held: bool) {
        self.note(id, |life| life.is_held = is_held);
    }

    pub fn is_at_once(&self, id: &str) -> bool {
        self.with(|alive| alive.get(id).is_some_and(|life| life.at_once))
    }

    /// How many would be lost with the process.
    pub fn tied(&self) -> usize {
        self.with(|alive| alive.values().filter(|life| !life.is_held).count())
    }

    fn note(&self, id: &str, note: impl FnOnce(&mut Life)) {
        self.with(|alive| {
            if let Some(life) = alive.get_mut(id) {
                note(life);
            }
        });
    }

    /// The job is not wanted any more, or not here: its worker stops. False where none has begun that would tell the
    /// upstreams.
    pub fn cancel(&self, id: &str) -> bool {
        let life = |life: &Life| (life.token.clone(), life.has_begun);
        let found = self.with(|alive| alive.get(id).map(life));
        found.is_some_and(|(token, has_begun)| {
            token.cancel();
            has_begun
        })
    }

    /// Tells upstreams that what they have taken for a job is not wanted any more.
    pub fn call_off(&self, setup: &Arc<Setup>, row: &JobRow, held: Vec<Held>) {
        if held.is_empty() {
            return;
        }
        let (setup, row) = (setup.clone(), row.clone());
        let task = async move {
            let told = timeout(CALL_OFF, setup.draw.cancel(&row, held));
            if told.await.is_err() {
                log::info!("job {} may go on upstream, which did not answer", row.id);
            }
        };
        self.tasks.spawn("job/call_off", task, |_| ());
    }

    /// Begins a job, unless somebody is at it.
    pub fn spawn(&self, setup: &Arc<Setup>, entry: &Entry, manager: Handle<Jobs>) {
        if let Some((alive, worker)) = self.enlist(setup, entry.id.clone(), &manager) {
            self.run(manager, alive, async move {
                worker.work(Teller::default()).await
            });
        }
    }

    /// Begins a job that is new, in a task of this thread. `stored` is told once it is in the table, or why it is
    /// not; `place` is kept until the worker has ended.
    pub fn begin(
        &self,
        setup: &Arc<Setup>,
        new: NewJob,
        manager: Handle<Jobs>,
        (teller, place): (Teller, impl Sized + 'static),
        stored: impl FnOnce(Result<Kept, JobError>) + 'static,
    ) {
        let Some((alive, worker)) = self.enlist(setup, new.id.as_str().into(), &manager) else {
            return;
        };
        self.note(&new.id, |life| life.at_once = true);
        self.run(manager, alive, async move {
            let row = worker.work_on_new(new, teller, stored).await;
            drop(place);
            row
        });
    }

    /// Sees to a write that must not be lost with whoever wants it.
    pub fn keep(&self, write: impl AsyncFnOnce(CancellationToken) + 'static) {
        let shutdown = self.tasks.shutdown();
        let task = async move { write(shutdown).await };
        self.tasks.spawn("write", task, |_| ());
    }

    /// Asks all to end: what upstreams have taken is asked for at the next start.
    pub async fn finish(&self) {
        self.tasks.finish().await;
    }

    /// None where somebody is at it.
    fn enlist(
        &self,
        setup: &Arc<Setup>,
        id: Arc<str>,
        manager: &Handle<Jobs>,
    ) -> Option<(Alive, Worker)> {
        let token = CancellationToken::new();
        let life = Life {
            token: token.clone(),
            has_begun: false,
            at_once: false,
            is_held: false,
        };
        let is_new = self.with(|alive| {
            let is_new = !alive.contains_key(&id);
            if is_new {
                alive.insert(id.clone(), life);
            }
            is_new
        });
        let alive = || Alive {
            id: id.clone(),
            workers: self.clone(),
        };
        is_new.then(alive).map(|alive| {
            let worker = Worker {
                setup: setup.clone(),
                id: id.clone(),
                token,
                shutdown: self.tasks.shutdown(),
                manager: manager.clone(),
            };
            (alive, worker)
        })
    }

    fn run(
        &self,
        manager: Handle<Jobs>,
        alive: Alive,
        work: impl Future<Output = Option<JobRow>> + 'static,
    ) {
        let (id, reporter) = (alive.id.clone(), manager.clone());
        let task = async move {
            let row = work.await;
            let id = alive.id.clone();
            drop(alive);
            tell(&manager, Ended { id, row });
        };
        self.tasks.spawn("job", task, move |_| {
            tell(&reporter, Ended { id, row: None });
        });
    }

    fn with<T>(&self, look: impl FnOnce(&mut HashMap<Arc<str>, Life>) -> T) -> T {
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        look(&mut alive)
    }
}
