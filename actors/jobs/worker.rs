//! One job on its way: begun in the table, drawn, ended in the table. It reports once, whatever happens.

use std::{cell::RefCell, collections::HashMap, rc::Rc, sync::Arc, time::Duration};

use actix_rt::time::sleep;
use futures_util::future::LocalBoxFuture;
use tokio::select;
use tokio_util::sync::CancellationToken;

use super::{
    actor::Setup,
    job::JobFailure,
    messages::{Begun, Ended},
    patience::until_answered,
    policy::{Entry, Fault, Verdict, verdict},
    store::{End, HeldParts, Store, held_of},
};
use crate::{
    pictures::{Held, Tickets},
    storage::{StorageError, queries::jobs::JobRow},
    supervision::{Handle, tasks::Tasks},
};

/// The workers that live, whatever becomes of the actor that began them: it must not begin a second one for the same
/// job. Locked, not owned by an actor, since a worker is known to live by itself alone.
#[derive(Clone, Default)]
pub(super) struct Workers {
    tasks: Tasks,
    alive: Arc<std::sync::Mutex<HashMap<Arc<str>, CancellationToken>>>,
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

impl Workers {
    pub fn ids(&self) -> Vec<Arc<str>> {
        self.with(|alive| alive.keys().cloned().collect())
    }

    /// The job is not wanted any more: its worker stops.
    pub fn cancel(&self, id: &str) {
        if let Some(token) = self.with(|alive| alive.get(id).cloned()) {
            token.cancel();
        }
    }

    /// Begins a job, unless somebody is at it.
    pub fn spawn(&self, setup: &Arc<Setup>, entry: &Entry, manager: Handle<super::Jobs>) {
        let (id, token) = (entry.id.clone(), CancellationToken::new());
        let taken = self.with(|alive| alive.insert(id.clone(), token.clone()));
        if let Some(earlier) = taken {
            self.with(|alive| alive.insert(id, earlier));
            return;
        }
        let alive = Alive {
            id: id.clone(),
            workers: self.clone(),
        };
        let (worker, reporter) = (
            Worker {
                setup: setup.clone(),
                id: id.clone(),
                token,
            },
            manager.clone(),
        );
        let task = async move {
            let _alive = alive;
            let row = worker.work(&manager).await;
            tell(
                &manager,
                Ended {
                    id: worker.id.clone(),
                    row,
                },
            );
        };
        self.tasks.spawn("job", task, move |_| {
            tell(&reporter, Ended { id, row: None });
        });
    }

    /// Asks all to end: what upstreams have taken is asked for at the next start.
    pub async fn finish(&self) {
        self.tasks.finish().await;
    }

    fn with<T>(&self, look: impl FnOnce(&mut HashMap<Arc<str>, CancellationToken>) -> T) -> T {
        let mut alive = self
            .alive
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        look(&mut alive)
    }
}

fn tell<M>(manager: &Handle<super::Jobs>, message: M)
where
    super::Jobs: crate::supervision::Receive<M>,
    M: actix::Message<Result = ()> + Send + 'static,
{
    if let Err(error) = manager.tell(message) {
        // its next look at the table finds out
        log::warn!("a job's report was lost: {error}");
    }
}

struct Worker {
    setup: Arc<Setup>,
    id: Arc<str>,
    token: CancellationToken,
}

/// What is drawn at once gets so long to be done when the process ends: it cannot be asked for later.
const LAST_STROKES: Duration = Duration::from_millis(2_500);

impl Worker {
    /// The row as it is then; none if it is finished by somebody else, or unknown.
    async fn work(&self, manager: &Handle<super::Jobs>) -> Option<JobRow> {
        let store = &self.setup.store;
        let row = self
            .until_stored(async || store.begin(&self.id).await)
            .await??;
        let (id, started_at) = (self.id.clone(), row.started_at);
        tell(manager, Begun { id, started_at });
        let parts = Rc::new(Parts {
            held: RefCell::new(held_of(row.tickets.as_deref())),
            worker: self,
        });
        let shutdown = self.setup.workers.tasks.shutdown();
        if let Some(late) = self.late(&row, Duration::ZERO, "it waited too long") {
            return self
                .until_stored(async || store.end(&self.id, late.clone()).await)
                .await?;
        }
        let drawn = select! {
            drawn = self.setup.draw.draw(&row, &*parts) => drawn,
            () = self.token.cancelled() => {
                let held = parts.held.borrow().values().cloned().collect();
                self.setup.draw.cancel(&row, held).await;
                return None;
            }
            // the next start goes on from what is in the table
            () = parts.leave(&shutdown) => return None,
        };
        let end = match drawn {
            Ok(output) => End::Completed(output),
            Err(fault) => self.judge(fault, &row, !parts.held.borrow().is_empty()),
        };
        log_end(&row, &end);
        self.until_stored(async || store.end(&self.id, end.clone()).await)
            .await?
    }

    fn judge(&self, fault: Fault, row: &JobRow, held: bool) -> End {
        let config = &self.setup.config;
        let fault = Fault { held, ..fault };
        log::info!(
            "job {} did not come: {}: {}",
            row.id,
            fault.kind,
            fault.message
        );
        let attempts = u32::try_from(row.attempts).unwrap_or_default();
        let failed = |kind: String, message: String| {
            End::Failed(JobFailure {
                code: fault.code.clone(),
                kind,
                message,
            })
        };
        let (wait, counts) = match verdict(&fault, attempts, config) {
            Verdict::Retry(wait) => (wait, true),
            Verdict::Rest(wait) => (wait, false),
            Verdict::Fail => return failed(fault.kind.to_string(), fault.message.clone()),
        };
        let late = self.late(row, wait, &fault.message);
        late.unwrap_or(End::Again { wait, counts })
    }

    /// The end of a job that would have to be done after its time.
    fn late(&self, row: &JobRow, wait: Duration, why: &str) -> Option<End> {
        let hours = self.setup.config.max_hours;
        let end = row.created_at + i64::from(hours) * 3_600_000;
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let is_late = self.setup.store.now().saturating_add(wait_ms) > end;
        is_late.then(|| {
            End::Failed(JobFailure {
                kind: "timeout".to_owned(),
                code: "timeout".to_owned(),
                message: format!("it was not done within jobs.max_hours ({hours}): {why}"),
            })
        })
    }

    /// Tries a write until the database has taken or refused it. None when the process ends, or when it refused.
    async fn until_stored<T>(
        &self,
        write: impl AsyncFnMut() -> Result<T, StorageError>,
    ) -> Option<T> {
        let shutdown = self.setup.workers.tasks.shutdown();
        until_answered(&shutdown, &format!("job {}", self.id), write).await
    }
}

fn log_end(row: &JobRow, end: &End) {
    match end {
        End::Completed(_) => log::debug!("job {} is done", row.id),
        End::Failed(failure) => {
            log::info!(
                "job {} failed: {}: {}",
                row.id,
                failure.kind,
                failure.message
            );
        }
        End::Again { wait, .. } => {
            log::info!("job {} is tried again in {} ms", row.id, wait.as_millis());
        }
    }
}

/// The tickets of one job, in its row.
struct Parts<'w> {
    held: RefCell<HeldParts>,
    worker: &'w Worker,
}

impl Parts<'_> {
    /// Returns when the process ends and there is no use in going on.
    async fn leave(&self, shutdown: &CancellationToken) {
        shutdown.cancelled().await;
        if self.held.borrow().is_empty() {
            sleep(LAST_STROKES).await;
        }
    }
}

impl Tickets for Parts<'_> {
    fn held(&self, part: usize) -> Option<Held> {
        self.held.borrow().get(&part).cloned()
    }

    fn hold(&self, part: usize, held: Option<Held>) -> LocalBoxFuture<'_, ()> {
        match held {
            Some(held) => self.held.borrow_mut().insert(part, held),
            None => self.held.borrow_mut().remove(&part),
        };
        Box::pin(async move {
            let store: &Store = &self.worker.setup.store;
            let write = async || {
                let parts = self.held.borrow().clone();
                store.hold(&self.worker.id, &parts).await
            };
            // without the table's word it goes on all the same: the upstream is at work
            let _ = self.worker.until_stored(write).await;
        })
    }
}
