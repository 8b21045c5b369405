//! The decisions of a token pool, pure: no I/O, no clock, no randomness of its own. Here: which token
//! to lend. What comes of it is judged in [`judgement`](super::judgement).

use std::{sync::Arc, time::Duration};

use super::token::{Availability, Identity, Token, TokenIndex};
use crate::credentials::{
    breaker::{Breaker, Gate},
    config::{PoolConfig, Strategy},
    cooldown::{self, ColdReason},
    lease::{Ticket, Trial},
};
use crate::{affinity::Affinity, supervision::clock::Monotonic};

/// The state of a pool.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct PoolState {
    pub config: PoolConfig,
    pub tokens: Vec<Token>,
    pub breaker: Breaker,
    /// Where round robin goes on.
    cursor: usize,
    /// Tells leases of this state from those lent before a restart.
    pub(super) epoch: u32,
}

/// The answer to a request for a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Lend(Ticket),
    /// None can be lent yet. `until` is the first thaw among those that only time keeps away, and
    /// `reason` that token's; `Busy` if a lease that comes back may come first.
    Wait {
        until: Option<Monotonic>,
        reason: ColdReason,
    },
    /// Every token of the pool is in the caller's list of excluded ones.
    NoneLeft,
    /// The circuit breaker holds everybody back.
    BreakerOpen {
        until: Monotonic,
    },
}

impl PoolState {
    /// A pool of `identities` against which nothing is known. `epoch` must differ from that of any
    /// state before it whose leases may still be out.
    #[must_use]
    pub fn new(config: PoolConfig, identities: &[Arc<Identity>], epoch: u32) -> Self {
        let open_for = Duration::from_millis(config.breaker_open_ms).min(cooldown::LONGEST);
        Self {
            breaker: Breaker::new(config.breaker_threshold, open_for),
            tokens: identities.iter().cloned().map(Token::new).collect(),
            config,
            cursor: 0,
            epoch,
        }
    }

    /// Lends a token for `model` that is not in `exclude`, or says why not and until when. A conversation
    /// gets the token that it prefers among those that can be lent.
    pub fn lease(
        &mut self,
        now: Monotonic,
        model: &str,
        exclude: &[TokenIndex],
        affinity: Option<Affinity>,
        rng: u64,
    ) -> Decision {
        let probe = match self.breaker.gate(now) {
            Gate::Pass => false,
            Gate::Probe => true,
            Gate::Refuse { until } => return Decision::BreakerOpen { until },
        };
        let Some(place) = self.choose(now, model, exclude, affinity, rng) else {
            return self.why_none(now, model, exclude);
        };
        self.cursor = (place + 1) % self.tokens.len();
        if probe {
            self.breaker.probe_lent(now);
        }
        let token = &mut self.tokens[place];
        token.out += 1;
        token.identity.day.used(now);
        let recheck = token.disabled.as_mut().is_some_and(|disabled| {
            disabled.checking = true;
            true
        });
        Decision::Lend(Ticket {
            token: token.identity.index,
            epoch: self.epoch,
            trial: Trial { probe, recheck },
            standing: false,
        })
    }

    /// Forgets everything held against one token, or against all and the upstream. False if there
    /// is no such token.
    pub fn reset(&mut self, token: Option<TokenIndex>) -> bool {
        match token {
            Some(index) => match self.tokens.get_mut(index.0 as usize) {
                Some(token) => token.reset(),
                None => return false,
            },
            None => {
                self.tokens.iter_mut().for_each(Token::reset);
                self.breaker.reset();
            }
        }
        true
    }

    /// The place of the token to lend. A request risks at most one re-check, on its first try,
    /// unless nothing else is left.
    fn choose(
        &self,
        now: Monotonic,
        model: &str,
        exclude: &[TokenIndex],
        affinity: Option<Affinity>,
        rng: u64,
    ) -> Option<usize> {
        let affinity = affinity.filter(|_| self.config.sticks());
        let pick = |recheck: bool| {
            self.pick(affinity, rng, |token| {
                !exclude.contains(&token.identity.index)
                    && match self.availability(token, now, model) {
                        Availability::Ready => true,
                        Availability::RecheckDue => recheck,
                        Availability::Busy | Availability::Cold { .. } => false,
                    }
            })
        };
        pick(exclude.is_empty()).or_else(|| pick(true))
    }

    fn pick(
        &self,
        affinity: Option<Affinity>,
        rng: u64,
        lendable: impl Fn(&Token) -> bool,
    ) -> Option<usize> {
        let count = self.tokens.len();
        let lendable = |place: &usize| lendable(&self.tokens[*place]);
        let ring = || (self.cursor..count).chain(0..self.cursor).filter(lendable);
        let row = || (0..count).filter(lendable);
        if let Some(affinity) = affinity {
            return row().max_by_key(|place| affinity.rank(self.tokens[*place].identity.lot));
        }
        match self.config.strategy {
            Strategy::RoundRobin => ring().next(),
            // The first of several minima: in turn among equals.
            Strategy::LeastBusy => ring().min_by_key(|place| self.tokens[*place].out),
            Strategy::ExhaustFirst => row().next(),
            Strategy::Random => {
                let choices = row().count() as u64;
                row().nth(rng.checked_rem(choices)? as usize)
            }
        }
    }

    fn availability(&self, token: &Token, now: Monotonic, model: &str) -> Availability {
        token.availability(now, model, self.config.per_token_concurrency)
    }

    fn why_none(&self, now: Monotonic, model: &str, exclude: &[TokenIndex]) -> Decision {
        let mut allowed = self
            .tokens
            .iter()
            .filter(|token| !exclude.contains(&token.identity.index))
            .peekable();
        if allowed.peek().is_none() {
            return Decision::NoneLeft;
        }
        let mut first_thaw: Option<(Monotonic, ColdReason)> = None;
        let mut busy = false;
        for token in allowed {
            match self.availability(token, now, model) {
                Availability::Cold { until, reason } => {
                    if first_thaw.is_none_or(|(first, _)| until < first) {
                        first_thaw = Some((until, reason));
                    }
                }
                Availability::Ready | Availability::RecheckDue | Availability::Busy => busy = true,
            }
        }
        Decision::Wait {
            until: first_thaw.map(|(until, _)| until),
            reason: match first_thaw {
                Some((_, reason)) if !busy => reason,
                _ => ColdReason::Busy,
            },
        }
    }
}
