//! What operators see of a pool.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use serde::Serialize;

use super::{
    policy::PoolState,
    token::{Token, TokenIndex},
};
use crate::{
    credentials::{
        breaker::BreakerView,
        config::Strategy,
        cooldown::{ColdReason, Cooldown, in_words},
    },
    supervision::clock::{Monotonic, millis},
};

/// A pool at a moment. Holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PoolSnapshot {
    pub provider: Arc<str>,
    pub strategy: Strategy,
    pub tokens: Vec<TokenSnapshot>,
    pub breaker: BreakerSnapshot,
    /// Requests that wait for a token.
    pub waiting: usize,
}

/// One token of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TokenSnapshot {
    pub index: TokenIndex,
    pub alias: Arc<str>,
    pub state: TokenState,
    /// Why it is not lent, in words with the time left.
    pub reason: Option<String>,
    /// Until it is lent again, or re-checked.
    pub thaws_in_ms: Option<u64>,
    pub leases_out: u32,
    /// The models for which alone it rests.
    pub models: Vec<ModelSnapshot>,
}

/// The states a token can be in, for all models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenState {
    Ready,
    /// As many leases are out as may be.
    Busy,
    Cold,
    /// Refused as invalid.
    Disabled,
    /// Refused as invalid; a request is finding out whether it still is.
    Checking,
}

/// A rest for one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelSnapshot {
    pub model: Arc<str>,
    pub reason: String,
    pub thaws_in_ms: u64,
}

/// The circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum BreakerSnapshot {
    Closed { faults_in_a_row: u32 },
    Open { probes_in_ms: u64 },
    HalfOpen,
}

impl PoolState {
    /// The state in the form that is shown.
    #[must_use]
    pub fn snapshot(&self, now: Monotonic, provider: Arc<str>, waiting: usize) -> PoolSnapshot {
        let limit = self.config.per_token_concurrency;
        PoolSnapshot {
            provider,
            strategy: self.config.strategy,
            tokens: self
                .tokens
                .iter()
                .map(|token| show(token, now, limit))
                .collect(),
            breaker: match self.breaker.view() {
                BreakerView::Closed { faults } => BreakerSnapshot::Closed {
                    faults_in_a_row: faults,
                },
                BreakerView::Open { until } => BreakerSnapshot::Open {
                    probes_in_ms: millis(until.saturating_sub(now)),
                },
                BreakerView::HalfOpen { .. } => BreakerSnapshot::HalfOpen,
            },
            waiting,
        }
    }
}

fn show(token: &Token, now: Monotonic, limit: u32) -> TokenSnapshot {
    let cold = token.cooldown.filter(|rest| rest.is_cold(now));
    let (state, reason, left) = match (token.disabled, cold) {
        (Some(disabled), _) if disabled.checking => {
            let reason = format!("{}, being re-checked", ColdReason::Invalid);
            (TokenState::Checking, Some(reason), None)
        }
        (Some(disabled), _) => {
            let left = disabled.recheck_at.saturating_sub(now);
            let reason = match left.is_zero() {
                true => format!("{}, re-checked with the next request", ColdReason::Invalid),
                false => format!("{}, re-checked in {}", ColdReason::Invalid, in_words(left)),
            };
            (TokenState::Disabled, Some(reason), Some(left))
        }
        (None, Some(rest)) => {
            let left = rest.until.saturating_sub(now);
            (TokenState::Cold, Some(thaws(&rest, left)), Some(left))
        }
        (None, None) if limit > 0 && token.out >= limit => {
            (TokenState::Busy, Some(ColdReason::Busy.to_string()), None)
        }
        (None, None) => (TokenState::Ready, None, None),
    };
    TokenSnapshot {
        index: token.identity.index,
        alias: Arc::clone(&token.identity.alias),
        state,
        reason,
        thaws_in_ms: left.map(millis),
        leases_out: token.out + token.identity.standing.load(Relaxed),
        models: cold_models(token, now),
    }
}

fn cold_models(token: &Token, now: Monotonic) -> Vec<ModelSnapshot> {
    let cold = token.models.iter().filter(|(_, rest)| rest.is_cold(now));
    let mut models: Vec<_> = cold
        .map(|(model, rest)| {
            let left = rest.until.saturating_sub(now);
            ModelSnapshot {
                model: Arc::clone(model),
                reason: thaws(rest, left),
                thaws_in_ms: millis(left),
            }
        })
        .collect();
    models.sort_by(|a, b| a.model.cmp(&b.model));
    models
}

fn thaws(rest: &Cooldown, left: Duration) -> String {
    format!("{}, thaws in {}", rest.reason, in_words(left))
}
