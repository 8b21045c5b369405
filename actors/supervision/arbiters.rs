//! The threads that actors live on, by name. A slow actor only hurts those it shares a name with.

use std::collections::HashMap;

use actix_rt::{Arbiter, ArbiterHandle};

/// Named arbiters; one that died or froze is replaced under the same name.
#[derive(Default)]
pub(super) struct Arbiters(HashMap<&'static str, Arbiter>);

impl Arbiters {
    /// The living arbiter of that name, started if need be.
    pub fn get(&mut self, name: &'static str) -> ArbiterHandle {
        let dead = self
            .0
            .get(name)
            .is_none_or(|arbiter| !arbiter.spawn_fn(|| ()));
        if dead {
            self.0.insert(name, Arbiter::new());
        }
        self.0[name].handle()
    }

    /// Gives a thread up: it ends when it next runs, and the next [`get`](Self::get) starts a new one.
    pub fn condemn(&mut self, name: &'static str) {
        if let Some(arbiter) = self.0.remove(name) {
            arbiter.stop();
        }
    }

    /// Ends all threads after what they are doing now.
    pub fn stop(&mut self) {
        for (_, arbiter) in self.0.drain() {
            arbiter.stop();
        }
    }
}
