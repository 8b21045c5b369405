//! The decisions of a token pool, pure: which token to lend, and what a report changes. No I/O, no
//! clock, no randomness of its own.

use std::{sync::Arc, time::Duration};

use troupe_protocol::failure::FailureKind;

use super::{
    stored::Place,
    token::{Availability, Identity, Token, TokenIndex},
};
use crate::credentials::{
    breaker::{Breaker, Gate},
    config::{PoolConfig, Strategy},
    cooldown::{self, ColdReason, Cooldown, Scope, Verdict},
    lease::{Outcome, Ticket, Trial},
};
use crate::supervision::clock::Monotonic;

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
    epoch: u32,
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

/// What a report changed: to be logged, and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Cooled {
        token: TokenIndex,
        /// `None`: for all models.
        model: Option<Arc<str>>,
        reason: ColdReason,
        rest: Duration,
    },
    /// A rest is over and a success followed.
    Recovered {
        token: TokenIndex,
        model: Option<Arc<str>>,
    },
    Disabled {
        token: TokenIndex,
        recheck_in: Duration,
    },
    Enabled {
        token: TokenIndex,
    },
    BreakerOpened {
        rest: Duration,
    },
    BreakerClosed,
}

impl Change {
    /// The token, and the model if only one is concerned, whose stored state changed.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Cooled { token, model, .. } | Self::Recovered { token, model } => {
                Some((*token, model.clone()))
            }
            Self::Disabled { token, .. } | Self::Enabled { token } => Some((*token, None)),
            Self::BreakerOpened { .. } | Self::BreakerClosed => None,
        }
    }
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

    /// Lends a token for `model` that is not in `exclude`, or says why not and until when.
    pub fn lease(
        &mut self,
        now: Monotonic,
        model: &str,
        exclude: &[TokenIndex],
        rng: u64,
    ) -> Decision {
        let probe = match self.breaker.gate(now) {
            Gate::Pass => false,
            Gate::Probe => true,
            Gate::Refuse { until } => return Decision::BreakerOpen { until },
        };
        let Some(place) = self.choose(now, model, exclude, rng) else {
            return self.why_none(now, model, exclude);
        };
        self.cursor = (place + 1) % self.tokens.len();
        if probe {
            self.breaker.probe_lent(now);
        }
        let token = &mut self.tokens[place];
        token.out += 1;
        let recheck = token.disabled.as_mut().is_some_and(|disabled| {
            disabled.checking = true;
            true
        });
        Decision::Lend(Ticket {
            token: token.identity.index,
            epoch: self.epoch,
            trial: Trial { probe, recheck },
        })
    }

    /// Takes a lease back and judges its outcome.
    pub fn report(
        &mut self,
        now: Monotonic,
        ticket: Ticket,
        model: &Arc<str>,
        outcome: Outcome,
        rng: u64,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        let place = ticket.token.0 as usize;
        let Some(token) = self.tokens.get_mut(place) else {
            return changes;
        };
        let mut trial = Trial::default();
        // A lease from before a restart is not among those that are counted now.
        if ticket.epoch == self.epoch {
            token.out = token.out.saturating_sub(1);
            trial = ticket.trial;
        }
        self.judge_upstream(now, trial.probe, outcome, &mut changes);
        if trial.recheck {
            self.judge_recheck(place, outcome, &mut changes);
        }
        match outcome {
            Outcome::Success => self.praise(now, place, model, &mut changes),
            Outcome::Failure(failure) => {
                changes.extend(self.sentence(now, place, model, failure, trial.recheck, rng));
            }
            Outcome::Dropped => {}
        }
        changes
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
        rng: u64,
    ) -> Option<usize> {
        let pick = |recheck: bool| {
            self.pick(rng, |token| {
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

    fn pick(&self, rng: u64, lendable: impl Fn(&Token) -> bool) -> Option<usize> {
        let count = self.tokens.len();
        let lendable = |place: &usize| lendable(&self.tokens[*place]);
        let ring = || (self.cursor..count).chain(0..self.cursor).filter(lendable);
        let row = || (0..count).filter(lendable);
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

    fn judge_upstream(
        &mut self,
        now: Monotonic,
        probe: bool,
        outcome: Outcome,
        changes: &mut Vec<Change>,
    ) {
        match outcome {
            Outcome::Dropped | Outcome::Failure(FailureKind::Cancelled) => {
                self.breaker.learnt_nothing(now, probe);
            }
            Outcome::Failure(
                FailureKind::Timeout
                | FailureKind::Network
                | FailureKind::Upstream
                | FailureKind::Overloaded { .. },
            ) => {
                if let Some(until) = self.breaker.fault(now, probe) {
                    changes.push(Change::BreakerOpened {
                        rest: until.saturating_sub(now),
                    });
                }
            }
            Outcome::Success | Outcome::Failure(_) => {
                if self.breaker.answered(probe) {
                    changes.push(Change::BreakerClosed);
                }
            }
        }
    }

    /// The result of a disabled token's trial. Whatever an upstream only says to a caller it knows
    /// enables the token; what tells nothing leaves the trial to the next request.
    fn judge_recheck(&mut self, place: usize, outcome: Outcome, changes: &mut Vec<Change>) {
        let token = &mut self.tokens[place];
        let known = matches!(
            outcome,
            Outcome::Success
                | Outcome::Failure(
                    FailureKind::RateLimited { .. }
                        | FailureKind::QuotaExhausted { .. }
                        | FailureKind::NotEntitled
                        | FailureKind::ContentPolicy
                )
        );
        if known && token.disabled.take().is_some() {
            changes.push(Change::Enabled {
                token: token.identity.index,
            });
        } else if let Some(disabled) = &mut token.disabled {
            disabled.checking = false;
        }
    }

    fn praise(
        &mut self,
        now: Monotonic,
        place: usize,
        model: &Arc<str>,
        changes: &mut Vec<Change>,
    ) {
        let token = &mut self.tokens[place];
        let index = token.identity.index;
        let (whole, single) = token.succeeded(now, model);
        let recovered = |model| Change::Recovered {
            token: index,
            model,
        };
        changes.extend(whole.then(|| recovered(None)));
        changes.extend(single.then(|| recovered(Some(Arc::clone(model)))));
    }

    fn sentence(
        &mut self,
        now: Monotonic,
        place: usize,
        model: &Arc<str>,
        failure: FailureKind,
        recheck: bool,
        rng: u64,
    ) -> Option<Change> {
        match cooldown::verdict(failure) {
            Verdict::Acquit => None,
            Verdict::Disable => self.disable(now, place, recheck),
            Verdict::Cool {
                scope,
                reason,
                asked,
            } => {
                let fault = matches!(reason, ColdReason::Fault | ColdReason::Overloaded);
                let spare = fault && asked.is_none() && !self.another_is_warm(now, place, model);
                if spare {
                    return None;
                }
                let model = (scope == Scope::Model).then_some(model);
                self.cool(now, place, model, reason, asked, rng)
            }
        }
    }

    /// Only the re-check itself counts against a token that is disabled already.
    fn disable(&mut self, now: Monotonic, place: usize, recheck: bool) -> Option<Change> {
        let token = &mut self.tokens[place];
        let refusals = match token.disabled {
            Some(disabled) if recheck => disabled.refusals.saturating_add(1),
            Some(_) => return None,
            None => 1,
        };
        let recheck_in = cooldown::recheck_after(&self.config, refusals);
        token.disable(refusals, now + recheck_in);
        Some(Change::Disabled {
            token: token.identity.index,
            recheck_in,
        })
    }

    /// Cools a token, or a token for one model; none if it was cold for longer anyway.
    fn cool(
        &mut self,
        now: Monotonic,
        place: usize,
        model: Option<&Arc<str>>,
        reason: ColdReason,
        asked: Option<Duration>,
        rng: u64,
    ) -> Option<Change> {
        let token = &mut self.tokens[place];
        let before = token.rest(model.map(|model| &**model));
        let row = before.map_or(0, |rest| rest.row(now, reason, &self.config));
        let rest = cooldown::span(&self.config, reason, asked, row, rng);
        let until = now + rest;
        let longer = before.is_none_or(|before| before.until < until);
        token.cool(
            now,
            model,
            Cooldown {
                until,
                reason,
                streak: row.saturating_add(1),
            },
        );
        longer.then(|| Change::Cooled {
            token: token.identity.index,
            model: model.cloned(),
            reason,
            rest,
        })
    }

    fn another_is_warm(&self, now: Monotonic, place: usize, model: &str) -> bool {
        self.tokens.iter().enumerate().any(|(other, token)| {
            other != place
                && token.disabled.is_none()
                && !matches!(token.availability(now, model, 0), Availability::Cold { .. })
        })
    }
}
