//! Restart events: what ops watch.

use std::{collections::VecDeque, sync::Arc};

use serde::Serialize;
use uuid::Uuid;

use super::fall::Fall;

/// One fall and what follows from it.
#[derive(Debug, Clone, Serialize)]
pub struct RestartEvent {
    /// Counts the events of this process, from 1.
    pub seq: u64,
    /// Unique over processes; the same event is stored once however often it is written.
    pub id: Uuid,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    pub path: Arc<str>,
    #[serde(flatten)]
    pub fall: Fall,
    /// Falls of this node since the process started, this one included.
    pub count: u64,
    /// Until it is restarted; none when its parent restarts instead.
    pub backoff_ms: Option<u64>,
}

/// The newest events, bounded. Whoever stores them reads from where they left off.
#[derive(Debug)]
pub(super) struct EventLog {
    events: VecDeque<RestartEvent>,
    next_seq: u64,
}

/// How many events are kept for a reader that is behind.
const KEPT: usize = 4_096;

impl EventLog {
    pub fn new() -> Self {
        Self {
            events: VecDeque::new(),
            next_seq: 1,
        }
    }

    /// Adds an event; its `seq` is set here and returned.
    pub fn push(&mut self, mut event: RestartEvent) -> u64 {
        event.seq = self.next_seq;
        self.next_seq += 1;
        if self.events.len() == KEPT {
            self.events.pop_front();
        }
        self.events.push_back(event);
        self.next_seq - 1
    }

    /// Up to `limit` events after `seq`, oldest first.
    pub fn after(&self, seq: u64, limit: usize) -> Vec<RestartEvent> {
        let newer = self.events.iter().filter(|event| event.seq > seq);
        newer.take(limit).cloned().collect()
    }
}
