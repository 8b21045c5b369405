//! What a report changes in a pool: rests, refusals, re-checks, the circuit breaker. Pure.

use std::{sync::Arc, time::Duration};

use troupe_protocol::failure::FailureKind;

use super::{
    policy::PoolState,
    stored::Place,
    token::{Availability, TokenIndex},
};
use crate::{
    credentials::{
        cooldown::{self, ColdReason, Cooldown, Scope, Verdict},
        lease::{Outcome, Ticket, Trial},
    },
    supervision::clock::Monotonic,
};

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
        if ticket.epoch == self.epoch && !ticket.standing {
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
        let failure = self.tokens[place].identity.day.dated(now, failure);
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
