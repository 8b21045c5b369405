//! What a run adds up.

use std::{cell::RefCell, collections::BTreeMap, time::Instant};

use crate::{client::Exchange, histogram::Histogram};

/// Figures of all exchanges so far. One thread does everything, so cells suffice.
#[derive(Debug, Default)]
pub struct Totals {
    /// From the start (or the due time) to the answer's last byte.
    pub latency: RefCell<Histogram>,
    /// From the start (or the due time) to the first byte of the body.
    pub first_byte: RefCell<Histogram>,
    /// From each event of a stream to the next; 0 for events that came in one read.
    pub gaps: RefCell<Histogram>,
    pub counts: RefCell<Counts>,
}

/// How much was done.
#[derive(Debug, Default, Clone)]
pub struct Counts {
    /// Whole and correct answers.
    pub answers: u64,
    pub events: u64,
    pub body_bytes: u64,
    pub connections: u64,
    /// Failures by text.
    pub failures: BTreeMap<String, u64>,
}

impl Totals {
    /// Counts an exchange that was due (or began) at `start`.
    pub fn add(&self, start: Instant, exchange: &Exchange) {
        self.latency.borrow_mut().record(exchange.end - start);
        self.first_byte
            .borrow_mut()
            .record(exchange.first_byte - start);
        let mut counts = self.counts.borrow_mut();
        counts.answers += 1;
        counts.events += exchange.events;
        counts.body_bytes += exchange.body_bytes;
    }

    /// Counts a connection that was opened.
    pub fn add_connection(&self) {
        self.counts.borrow_mut().connections += 1;
    }

    /// Counts a failure under its text.
    pub fn add_failure(&self, failure: impl ToString) {
        *self
            .counts
            .borrow_mut()
            .failures
            .entry(failure.to_string())
            .or_default() += 1;
    }
}
