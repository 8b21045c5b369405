//! What `/metrics` shows of the edge.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use troupe_actors::accounts::calls::Outcome;
use troupe_protocol::failure::FailureKind;

/// The edge's counters, and the registry that all parts have registered theirs with.
pub struct Metrics {
    registry: Registry,
    requests: Family<OutcomeLabel, Counter>,
    under_way: Gauge,
    panics: Counter,
    overhead: Histogram,
    fallbacks: Family<FallbackLabels, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: String,
}

/// All but the kind are names of the configuration, so there are only so many.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct FallbackLabels {
    route: String,
    from: String,
    to: String,
    kind: String,
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
        let fallbacks = Family::default();
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
        registry.register(
            "troupe_route_fallbacks",
            "Requests that a route sent on to its next target",
            fallbacks.clone(),
        );
        Self {
            registry,
            requests,
            under_way,
            panics,
            overhead,
            fallbacks,
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

    /// A route went on after a failure: its name, and the full ids from which and to which it went.
    pub fn fell_back(&self, [route, from, to]: [&str; 3], kind: FailureKind) {
        let labels = FallbackLabels {
            route: route.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            kind: kind.to_string(),
        };
        self.fallbacks.get_or_create(&labels).inc();
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
