//! What `/metrics` shows of the edge.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use troupe_actors::accounts::calls::Outcome;

/// The edge's counters, and the registry that all parts have registered theirs with.
pub struct Metrics {
    registry: Registry,
    requests: Family<OutcomeLabel, Counter>,
    under_way: Gauge,
    panics: Counter,
    overhead: Histogram,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: String,
}

/// Upper bounds in seconds: the gateway's own time is tens of microseconds when all is well.
const OVERHEAD_BUCKETS: [f64; 10] = [
    0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.02, 0.1, 1.0,
];

impl Metrics {
    /// Adds the edge's metrics to `registry`.
    pub fn new(mut registry: Registry) -> Self {
        let requests = Family::default();
        let under_way = Gauge::default();
        let panics = Counter::default();
        let overhead = Histogram::new(OVERHEAD_BUCKETS);
        registry.register("troupe_requests", "Requests by outcome", requests.clone());
        registry.register(
            "troupe_requests_under_way",
            "Requests that are being answered",
            under_way.clone(),
        );
        registry.register(
            "troupe_handler_panics",
            "Panics in HTTP handlers, each answered with 500",
            panics.clone(),
        );
        registry.register(
            "troupe_overhead_seconds",
            "Time before the first byte that was not spent waiting for the upstream",
            overhead.clone(),
        );
        Self {
            registry,
            requests,
            under_way,
            panics,
            overhead,
        }
    }

    pub fn began(&self) {
        self.under_way.inc();
    }

    pub fn ended(&self, outcome: Outcome) {
        self.under_way.dec();
        let outcome = outcome.to_string();
        self.requests.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    pub fn overhead(&self, seconds: f64) {
        self.overhead.observe(seconds);
    }

    pub fn panicked(&self) {
        self.panics.inc();
    }

    /// The text that Prometheus scrapes.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // writing to a String cannot fail
        let _ = encode(&mut text, &self.registry);
        text
    }
}
