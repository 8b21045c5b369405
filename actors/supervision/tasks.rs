//! Tracked tasks: work beside the actors that has an owner, a name and an end.
//!
//! A bare spawn loses its panics and outlives a shutdown. A tracked task's panic is logged and
//! counted by its owner, and the owner can cancel and await all of them.

use std::{future::Future, panic::AssertUnwindSafe};

use futures_util::FutureExt as _;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::fall::payload_text;

/// The tasks of one owner. Cheap to clone; tasks live on the thread that spawned them.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

impl Tasks {
    /// Spawns a task. When it panics, the panic is logged and `on_panic` gets its message.
    pub fn spawn<F>(&self, name: &'static str, task: F, on_panic: impl FnOnce(&str) + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        let guarded = async move {
            if let Err(payload) = AssertUnwindSafe(task).catch_unwind().await {
                let message = payload_text(payload.as_ref());
                log::error!("task {name} panicked: {message}");
                on_panic(message);
            }
        };
        actix_rt::spawn(self.tracker.track_future(guarded));
    }

    /// Done when the owner wants its tasks to end; long ones select on it.
    #[must_use]
    pub fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// How many are under way.
    #[must_use]
    pub fn count(&self) -> usize {
        self.tracker.len()
    }

    /// Asks all to end and waits for them; bound the wait by a time-out.
    pub async fn finish(&self) {
        self.shutdown.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use super::*;

    #[actix_rt::test]
    async fn a_panicking_task_is_reported_and_still_counted_out() {
        let tasks = Tasks::default();
        let seen = Rc::new(Cell::new(false));
        let report = seen.clone();
        tasks.spawn("explosive", async { panic!("bang") }, move |message| {
            assert_eq!(message, "bang");
            report.set(true);
        });
        tasks.finish().await;
        assert!(seen.get());
        assert_eq!(tasks.count(), 0);
    }

    #[actix_rt::test]
    async fn finish_waits_for_those_that_watch_the_shutdown() {
        let tasks = Tasks::default();
        let shutdown = tasks.shutdown();
        tasks.spawn("patient", async move { shutdown.cancelled().await }, |_| ());
        tasks.finish().await;
        assert_eq!(tasks.count(), 0);
    }
}
