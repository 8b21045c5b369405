//! What `/metrics` shows of deliveries.

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

use super::policy::Verdict;

/// Counters of the process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct WebhookMetrics {
    delivered: Counter,
    failed: Counter,
    dead: Counter,
    pub pending: Gauge,
}

impl WebhookMetrics {
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "troupe_webhooks_delivered",
            "Messages that their receivers took",
            self.delivered.clone(),
        );
        registry.register(
            "troupe_webhooks_failed_attempts",
            "Attempts at a delivery that failed",
            self.failed.clone(),
        );
        registry.register(
            "troupe_webhooks_dead",
            "Messages that were given up",
            self.dead.clone(),
        );
        registry.register(
            "troupe_webhooks_pending",
            "Messages that are owed, as of a few seconds ago",
            self.pending.clone(),
        );
    }

    /// An attempt that ended so, and with which so many others were given up.
    pub fn count(&self, verdict: Verdict, buried: usize) {
        match verdict {
            Verdict::Delivered => self.delivered.inc(),
            Verdict::Again(_) => self.failed.inc(),
            Verdict::Dead | Verdict::Gone => {
                self.failed.inc();
                self.dead.inc_by(1 + buried as u64)
            }
        };
    }
}
