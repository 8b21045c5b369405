//! What an upstream saw: requests, streams, and clients that left.

use std::{
    collections::BTreeMap,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

/// The most distinct names that one table counts, and the most cancellations that are kept.
const KEPT: usize = 10_000;

/// Counts since the start or the last reset.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Stats {
    /// Requests to the API, control requests excluded.
    pub requests: u64,
    /// Requests by path.
    pub by_path: BTreeMap<String, u64>,
    /// Requests by the token of their credential.
    pub by_token: BTreeMap<String, u64>,
    /// Requests by model.
    pub by_model: BTreeMap<String, u64>,
    /// Event streams begun.
    pub streams_opened: u64,
    /// Event streams sent to their end.
    pub streams_completed: u64,
    /// Answers that we cut on purpose.
    pub cuts: u64,
    /// Played answers (streams, hangs, slow ones) under way now.
    pub open: u64,
    /// Answers whose client went away before the end.
    pub cancelled: u64,
    /// The same one by one, the last ones only where there are many.
    pub cancellations: Vec<Cancellation>,
}

/// A client that went away before its answer's end.
#[derive(Debug, Clone, Serialize)]
pub struct Cancellation {
    /// The model asked for.
    pub model: String,
    /// Events that had been sent.
    pub events: u32,
    /// When the close was noticed, for a test in the same process.
    #[serde(skip)]
    pub at: Option<Instant>,
    /// The same in milliseconds since 1970, for a test in another one.
    pub at_unix_ms: u64,
}

impl Stats {
    /// Requests of one token.
    #[must_use]
    pub fn token(&self, token: &str) -> u64 {
        self.by_token.get(token).copied().unwrap_or(0)
    }

    /// Requests for one model.
    #[must_use]
    pub fn model(&self, model: &str) -> u64 {
        self.by_model.get(model).copied().unwrap_or(0)
    }

    /// Requests to one path.
    #[must_use]
    pub fn path(&self, path: &str) -> u64 {
        self.by_path.get(path).copied().unwrap_or(0)
    }

    pub(crate) fn count_request(&mut self, path: &str, token: &str, model: &str) {
        self.requests += 1;
        bump(&mut self.by_path, path);
        bump(&mut self.by_token, token);
        if !model.is_empty() {
            bump(&mut self.by_model, model);
        }
    }

    pub(crate) fn count_cancellation(&mut self, model: &str, events: u32) {
        self.cancelled += 1;
        if self.cancellations.len() == KEPT {
            self.cancellations.remove(0);
        }
        let unix = SystemTime::now().duration_since(UNIX_EPOCH);
        self.cancellations.push(Cancellation {
            model: model.to_owned(),
            events,
            at: Some(Instant::now()),
            at_unix_ms: unix.map_or(0, |age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
        });
    }
}

fn bump(table: &mut BTreeMap<String, u64>, name: &str) {
    if let Some(count) = table.get_mut(name) {
        *count += 1;
    } else if table.len() < KEPT {
        table.insert(name.to_owned(), 1);
    }
}
