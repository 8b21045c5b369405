//! How long models take whose pictures pass by the jobs, since they are known to be quick: one that becomes slow draws
//! for jobs again.

use std::sync::Arc;

use super::{
    actor::Jobs,
    messages::{Took, tell},
};
use crate::supervision::{Clock, Handle, clock::Monotonic};

/// Runs while an upstream draws, and tells how long that was when it is dropped: also when the client has gone
/// meanwhile, who perhaps went because it was long.
pub struct Stopwatch {
    model: Arc<str>,
    clock: Clock,
    begun: Monotonic,
    manager: Handle<Jobs>,
}

impl Stopwatch {
    pub(super) fn start(model: &str, clock: &Clock, manager: &Handle<Jobs>) -> Self {
        Self {
            model: model.into(),
            clock: clock.clone(),
            begun: clock.now(),
            manager: manager.clone(),
        }
    }
}

impl Drop for Stopwatch {
    fn drop(&mut self) {
        let took = self.clock.now().saturating_sub(self.begun);
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let model = self.model.clone();
        tell(&self.manager, Took { model, took_ms });
    }
}
