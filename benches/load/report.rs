//! The one line of JSON that a run ends with.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::{histogram::Histogram, totals::Totals};

/// Figures of a run. Times are in microseconds where the name says so.
#[derive(Debug, Serialize)]
pub struct Report {
    seconds: f64,
    answers: u64,
    answers_per_second: f64,
    events: u64,
    body_bytes: u64,
    connections_opened: u64,
    /// Empty in a clean run.
    failures: BTreeMap<String, u64>,
    latency_us: Times,
    first_byte_us: Times,
    event_gap_us: Times,
}

/// A histogram in figures.
#[derive(Debug, Serialize)]
struct Times {
    p50: f64,
    p90: f64,
    p99: f64,
    max: f64,
    /// Middle and count of each filled bucket.
    buckets: Vec<(f64, u64)>,
}

impl Report {
    /// Sums up a run that took `elapsed`.
    pub fn new(totals: &Totals, elapsed: Duration) -> Self {
        let counts = totals.counts.borrow().clone();
        Self {
            seconds: elapsed.as_secs_f64(),
            answers: counts.answers,
            answers_per_second: counts.answers as f64 / elapsed.as_secs_f64(),
            events: counts.events,
            body_bytes: counts.body_bytes,
            connections_opened: counts.connections,
            failures: counts.failures,
            latency_us: Times::of(&totals.latency.borrow()),
            first_byte_us: Times::of(&totals.first_byte.borrow()),
            event_gap_us: Times::of(&totals.gaps.borrow()),
        }
    }

    /// Whether there were answers, and all of them right.
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty() && self.answers > 0
    }
}

impl Times {
    fn of(histogram: &Histogram) -> Self {
        Self {
            p50: histogram.quantile_us(0.5),
            p90: histogram.quantile_us(0.9),
            p99: histogram.quantile_us(0.99),
            max: histogram.quantile_us(1.0),
            buckets: histogram.buckets_us().collect(),
        }
    }
}
