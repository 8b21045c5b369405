//! The supervision tree: what keeps every actor alive, and shows how it fares.
//!
//! | room | what it is for |
//! |---|---|
//! | [`cell`] | the actix actor around each [`Behaviour`]: counting, rebuilding, the watchdog's answer |
//! | `guardian` | the future that restarts one actor after a panic or a stop |
//! | `tree` | the supervisor: escalation, dead threads, frozen actors, ordered start and stop |
//! | `child` | child specs, and the control the tree has over a child |
//! | [`handle`] | typed and bounded calls |
//! | [`policy`] | when to restart and when to escalate; pure |
//! | [`fall`], [`event`], [`snapshot`] | what ops see |
//! | `watchdog` | pings from another thread |
//! | [`tasks`] | tracked tasks beside the actors |
//! | [`clock`] | time, injected |
//!
//! An actor is a [`Behaviour`] that [`Receive`]s messages. [`Tree::start`] gives it a [`ChildSpec`]'s
//! path and thread, and returns a [`Handle`] that stays valid over restarts:
//!
//! ```no_run
//! # use actix::Message;
//! # use troupe_actors::supervision::{Behaviour, ChildSpec, Ctx, Handle, Receive, Tree};
//! struct Counter { count: u64 }
//! impl Behaviour for Counter {}
//!
//! #[derive(Message)]
//! #[rtype(result = "u64")]
//! struct Add(u64);
//!
//! impl Receive<Add> for Counter {
//!     type Reply = u64;
//!     fn receive(&mut self, Add(n): Add, _: &mut Ctx<Self>) -> u64 { self.count += n; self.count }
//! }
//!
//! # async fn example(tree: Tree) -> Result<(), Box<dyn std::error::Error>> {
//! let spec = ChildSpec::new("examples/counter", "examples", || Ok(Counter { count: 0 }));
//! let counter: Handle<Counter> = tree.start(spec).await?;
//! let sum = counter.ask(Add(1)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Replies are actix's: `u64`, `()`, `Option`, `Vec`, `Result` as they are, other values as
//! `MessageResult<Deliver<M>>`, slow work as `ResponseFuture<T>`. A reload of durable state goes into
//! `started` as `ctx.wait(actix::fut::wrap_future::<_, Cell<Self>>(future).map(|loaded, cell, ctx| …))`:
//! the mailbox waits for it, and so does the ordered start.

mod arbiters;
pub mod cell;
mod child;
pub mod clock;
pub mod config;
pub mod event;
pub mod fall;
mod guardian;
pub mod handle;
mod metrics;
pub mod policy;
pub mod snapshot;
pub mod tasks;
#[cfg(test)]
mod tests;
mod tree;
pub mod vitals;
mod watchdog;

use std::{sync::Arc, time::Duration};

use actix::Addr;
use tokio::sync::watch;

pub use self::{
    cell::{Behaviour, Cell, Ctx, Deliver, Disturbance, Receive, StartError},
    child::ChildSpec,
    clock::Clock,
    config::SupervisionConfig,
    event::RestartEvent,
    fall::Fall,
    handle::{AskError, Handle},
    metrics::RestartMetrics,
    snapshot::TreeSnapshot,
    tree::TreeError,
};

use self::{
    child::Child,
    tree::{
        NewsDesk, Supervisor,
        requests::{Adopt, Dismiss, Disturb, EventsAfter, GetSnapshot, StopAll},
    },
};

/// The way to the supervisor. Cheap to clone.
#[derive(Clone)]
pub struct Tree {
    supervisor: Addr<Supervisor>,
    newest: watch::Receiver<u64>,
    config: Arc<SupervisionConfig>,
    clock: Clock,
}

/// How long an admin's question to the supervisor may take.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

impl Tree {
    /// Plants the root on the present arbiter, which nothing else should block. `on_give_up` ends the
    /// process: when even the root falls too often, when the supervisor itself falls, or when too many
    /// threads hang.
    #[must_use]
    pub fn plant(
        config: SupervisionConfig,
        clock: Clock,
        metrics: RestartMetrics,
        on_give_up: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let (sender, newest) = watch::channel(0);
        let on_give_up = Arc::new(on_give_up);
        let supervisor =
            Supervisor::start(config.clone(), clock.clone(), metrics, sender, on_give_up);
        Self {
            supervisor,
            newest,
            config: Arc::new(config),
            clock,
        }
    }

    /// Starts a child and returns when it is ready.
    ///
    /// # Errors
    /// [`TreeError::StartTimeout`] with the reason of its last fall; it goes on trying meanwhile.
    pub async fn start<A: Behaviour>(&self, spec: ChildSpec<A>) -> Result<Handle<A>, TreeError> {
        let desk = NewsDesk(self.supervisor.clone());
        let child = Child::new(&spec, &self.config, &self.clock, desk);
        let handle = child.handle();
        let adopt = Adopt {
            control: Arc::new(child),
            arbiter: spec.arbiter,
            start_wait: spec.start_wait,
            contained: spec.contained,
        };
        let adopted = self.supervisor.send(adopt).await;
        adopted.map_err(|_| TreeError::NoSupervisor)??;
        Ok(handle)
    }

    /// Stops one child, drained, and takes it out of the tree.
    pub async fn dismiss(&self, path: &str) {
        let path = path.to_owned();
        // an error means that there is no tree left to take it out of
        let _ = self.supervisor.send(Dismiss { path }).await;
    }

    /// The tree as it stands.
    ///
    /// # Errors
    /// [`TreeError::NoSupervisor`].
    pub async fn snapshot(&self) -> Result<TreeSnapshot, TreeError> {
        let asked = self.supervisor.send(GetSnapshot).timeout(ANSWER_WAIT).await;
        asked.map_err(|_| TreeError::NoSupervisor)
    }

    /// Restarts an actor or group by hand, or injects a fault. An actor that is down is started.
    ///
    /// # Errors
    /// [`TreeError::NoSuchActor`], [`TreeError::Down`] for faults.
    pub async fn disturb(&self, path: &str, disturbance: Disturbance) -> Result<(), TreeError> {
        let path = path.to_owned();
        let asked = self.supervisor.send(Disturb { path, disturbance });
        let answer = asked.timeout(ANSWER_WAIT).await;
        answer.map_err(|_| TreeError::NoSupervisor)?
    }

    /// Up to `limit` restart events after the one numbered `seq`, oldest first.
    ///
    /// # Errors
    /// [`TreeError::NoSupervisor`].
    pub async fn events_after(
        &self,
        seq: u64,
        limit: usize,
    ) -> Result<Vec<RestartEvent>, TreeError> {
        let asked = self.supervisor.send(EventsAfter { seq, limit });
        let answer = asked.timeout(ANSWER_WAIT).await;
        answer.map_err(|_| TreeError::NoSupervisor)
    }

    /// The number of the newest restart event; changes wake its readers.
    #[must_use]
    pub fn newest_event(&self) -> watch::Receiver<u64> {
        self.newest.clone()
    }

    /// Stops everything, last started first, each drained within its bounded wait.
    pub async fn stop(&self) {
        // an error means that there is nothing left to stop
        let _ = self.supervisor.send(StopAll).await;
    }
}
