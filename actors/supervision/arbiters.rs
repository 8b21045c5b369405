//! The threads that actors live on, by name. A slow actor only hurts those it shares a name with.

use std::{collections::HashMap, future::pending};

use actix_rt::{Arbiter, ArbiterHandle};
use prometheus_client::metrics::gauge::Gauge;

/// Named arbiters; one that died or froze is replaced under the same name.
pub(super) struct Arbiters {
    named: HashMap<&'static str, Arbiter>,
    /// Condemned, and still in the call that they hang in.
    frozen: Gauge,
}

impl Arbiters {
    /// `frozen` shows the threads that were given up and have not ended.
    pub fn new(frozen: Gauge) -> Self {
        Self {
            named: HashMap::new(),
            frozen,
        }
    }

    /// The living arbiter of that name, started if need be.
    pub fn get(&mut self, name: &'static str) -> ArbiterHandle {
        let dead = self
            .named
            .get(name)
            .is_none_or(|arbiter| !arbiter.spawn_fn(|| ()));
        if dead {
            self.named.insert(name, Arbiter::new());
        }
        self.named[name].handle()
    }

    /// Gives a thread up: it ends when it next runs, and the next [`get`](Self::get) starts a new one.
    pub fn condemn(&mut self, name: &'static str) {
        if let Some(arbiter) = self.named.remove(name) {
            let held = Held::new(&self.frozen);
            // dropped with all that lives on the thread, when it ends; false = it has ended
            arbiter.spawn(async move {
                let _held = held;
                pending::<()>().await;
            });
            arbiter.stop();
        }
    }

    /// How many threads were given up and have not ended.
    pub fn frozen(&self) -> usize {
        usize::try_from(self.frozen.get()).unwrap_or_default()
    }

    /// Ends all threads after what they are doing now.
    pub fn stop(&mut self) {
        for (_, arbiter) in self.named.drain() {
            arbiter.stop();
        }
    }
}

/// Counts one thread from its condemnation to its end.
struct Held(Gauge);

impl Held {
    fn new(frozen: &Gauge) -> Self {
        frozen.inc();
        Self(frozen.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.dec();
    }
}
