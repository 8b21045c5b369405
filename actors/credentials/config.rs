//! `[pool]` of the configuration: how tokens are lent and cooled.

use serde::{Deserialize, Serialize};

/// Which of the tokens that may be lent is lent next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// One after the other, skipping what is cold.
    #[default]
    RoundRobin,
    /// Any, with equal chance.
    Random,
    /// The one with the fewest leases out.
    LeastBusy,
    /// The first in the list until it cools, then the next.
    ExhaustFirst,
}

/// Settings of a token pool; each provider may override the section as `pool = { … }`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoolConfig {
    pub strategy: Strategy,
    /// Whether a conversation gets the same token each time, while it can be lent.
    pub sticky: bool,
    /// The most leases of one token at a time; 0 = as many as the upstream is known to bear, else no limit.
    pub per_token_concurrency: u32,
    /// How long a request waits, in all its attempts, for tokens to thaw before it is refused.
    pub max_wait_ms: u64,
    /// Upstream calls of one request, failovers included. Tokens that the upstream turns away do not count.
    pub max_attempts: usize,
    /// Requests that may wait for a thaw at the same time.
    pub max_waiting: usize,
    /// Cooldown after a rate limit that named no time; doubles with each in a row.
    pub rate_limit_cooldown_ms: u64,
    /// Cooldown after overload, time-out, network or upstream faults; doubles with each in a row.
    pub fault_cooldown_ms: u64,
    /// The longest cooldown that we choose ourselves. What the upstream asks for is not shortened.
    pub max_cooldown_ms: u64,
    /// Cooldown after an exhausted quota that named no time.
    pub quota_cooldown_ms: u64,
    /// Share of a cooldown that is added at random, 0.0 to 1.0.
    pub jitter: f64,
    /// When a token that was refused as invalid is tried again.
    pub invalid_recheck_seconds: u64,
    /// Faults in a row, over all tokens, that open the provider's circuit breaker.
    pub breaker_threshold: u32,
    /// How long the breaker stays open before one probe request is let through.
    pub breaker_open_ms: u64,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            strategy: Strategy::RoundRobin,
            sticky: true,
            per_token_concurrency: 0,
            max_wait_ms: 5_000,
            max_attempts: 4,
            max_waiting: 1_000,
            rate_limit_cooldown_ms: 1_000,
            fault_cooldown_ms: 250,
            max_cooldown_ms: 60_000,
            quota_cooldown_ms: 3_600_000,
            jitter: 0.1,
            invalid_recheck_seconds: 600,
            breaker_threshold: 10,
            breaker_open_ms: 2_000,
        }
    }
}

impl PoolConfig {
    /// Whether conversations matter for the choice of a token. With `exhaust_first` all of them get the
    /// same one anyway.
    #[must_use]
    pub fn sticks(&self) -> bool {
        self.sticky && self.strategy != Strategy::ExhaustFirst
    }
}
