//! What can be seen of an actor from outside without asking it: counters and its last fall.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
};

use arc_swap::ArcSwapOption;
use derive_more::Display;
use serde::Serialize;

use super::fall::Fall;

/// Where an actor stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum State {
    #[display("starting")]
    Starting,
    #[display("up")]
    Up,
    /// Down, waiting for its backoff to pass.
    #[display("restarting")]
    Restarting,
    /// Stopped for good.
    #[display("stopped")]
    Stopped,
}

impl State {
    fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Starting,
            1 => Self::Up,
            2 => Self::Restarting,
            _ => Self::Stopped,
        }
    }
}

/// Counters of one actor over all its lives. Written by its guardian, its cell and its handles.
#[derive(Debug)]
pub struct Vitals {
    path: Arc<str>,
    state: AtomicU8,
    since_ms: AtomicU64,
    generation: AtomicU64,
    sent: AtomicU64,
    settled: AtomicU64,
    handled: AtomicU64,
    restarts: AtomicU64,
    last_fall: ArcSwapOption<Fall>,
}

impl Vitals {
    pub(super) fn new(path: Arc<str>) -> Self {
        Self {
            path,
            state: AtomicU8::new(State::Starting as u8),
            since_ms: AtomicU64::new(0),
            generation: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            settled: AtomicU64::new(0),
            handled: AtomicU64::new(0),
            restarts: AtomicU64::new(0),
            last_fall: ArcSwapOption::empty(),
        }
    }

    /// The actor's path in the tree.
    pub fn path(&self) -> &Arc<str> {
        &self.path
    }

    pub fn state(&self) -> State {
        State::from_code(self.state.load(Relaxed))
    }

    /// When the present state began, milliseconds since 1970.
    pub fn since_ms(&self) -> u64 {
        self.since_ms.load(Relaxed)
    }

    /// Messages sent and not yet handled, skipped or lost.
    pub fn depth(&self) -> u64 {
        let settled = self.settled.load(Relaxed);
        self.sent.load(Relaxed).saturating_sub(settled)
    }

    pub fn handled(&self) -> u64 {
        self.handled.load(Relaxed)
    }

    pub fn restarts(&self) -> u64 {
        self.restarts.load(Relaxed)
    }

    pub fn last_fall(&self) -> Option<Arc<Fall>> {
        self.last_fall.load_full()
    }

    /// Which life this is; an instance whose number is no longer current must not act any more.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Relaxed)
    }

    pub(super) fn next_generation(&self) -> u64 {
        self.generation.fetch_add(1, Relaxed) + 1
    }

    pub(super) fn enter(&self, state: State, now_ms: u64) {
        self.state.store(state as u8, Relaxed);
        self.since_ms.store(now_ms, Relaxed);
    }

    pub(super) fn fell(&self, fall: Fall) -> u64 {
        self.last_fall.store(Some(Arc::new(fall)));
        self.restarts.fetch_add(1, Relaxed) + 1
    }

    pub(super) fn count_handled(&self) {
        self.handled.fetch_add(1, Relaxed);
    }
}

/// Counts one message in at its making and out at its drop, wherever that happens: after it was
/// handled, when actix skips it because nobody waits any more, or when the mailbox goes down with it.
#[derive(Debug)]
pub(super) struct Receipt(Arc<Vitals>);

impl Receipt {
    pub(super) fn new(vitals: &Arc<Vitals>) -> Self {
        vitals.sent.fetch_add(1, Relaxed);
        Self(vitals.clone())
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.0.settled.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_what_is_neither_handled_nor_lost() {
        let vitals = Arc::new(Vitals::new("a".into()));
        let first = Receipt::new(&vitals);
        let _second = Receipt::new(&vitals);
        drop(first);
        assert_eq!(vitals.depth(), 1);
    }
}
