//! The part of a pool's state that outlives it, and where it is kept.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

use super::{
    day::OWN_DAY,
    policy::PoolState,
    token::{Token, TokenIndex},
};
use crate::{
    credentials::cooldown::{self, ColdReason, Cooldown},
    supervision::clock::{Clock, Monotonic, millis},
};

/// What is kept of a token for one model, or of the token as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredState {
    /// Never the token itself.
    pub token_hash: String,
    /// Empty: the token as a whole. [`OWN_DAY`]: the day of the token itself, which ends when a rest would.
    pub model: String,
    /// Milliseconds since 1970, UTC.
    pub cold_until_ms: Option<u64>,
    /// When the upstream refused it as invalid, milliseconds since 1970, UTC.
    pub disabled_at_ms: Option<u64>,
    /// A [`ColdReason`]'s code.
    pub reason: String,
    /// Refusals or coolings in a row.
    pub failures: u32,
}

/// A write: rows to put in place of what was there, and rows to delete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateWrite {
    pub put: Vec<StoredState>,
    /// Token hash and model of each.
    pub delete: Vec<(String, String)>,
    /// When the rows were like this, milliseconds since 1970, UTC.
    pub at_ms: u64,
}

impl StateWrite {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.delete.is_empty()
    }
}

/// Where pools keep what must outlive them. Errors are texts for the log, without secrets; both
/// calls must end in a bounded time.
pub trait StateStore: Send + Sync {
    /// All that is kept for a provider.
    fn load(&self, provider: &Arc<str>) -> BoxFuture<'static, Result<Vec<StoredState>, String>>;

    /// Applies a write as one.
    fn save(
        &self,
        provider: &Arc<str>,
        write: StateWrite,
    ) -> BoxFuture<'static, Result<(), String>>;
}

/// One moment on both clocks, to go from the one to the other.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub now: Monotonic,
    pub wall_ms: u64,
}

impl Moment {
    /// The present moment.
    #[must_use]
    pub fn of(clock: &Clock) -> Self {
        Self {
            now: clock.now(),
            wall_ms: clock.wall_ms(),
        }
    }

    pub(super) fn wall_ms_at(self, at: Monotonic) -> u64 {
        let left = millis(at.saturating_sub(self.now));
        self.wall_ms.saturating_add(left)
    }

    /// The past comes out as now.
    pub(super) fn monotonic_at(self, wall_ms: u64) -> Monotonic {
        let left = Duration::from_millis(wall_ms.saturating_sub(self.wall_ms));
        self.now + left.min(cooldown::LONGEST)
    }
}

/// The place of one row: a token, and a model or the token as a whole.
pub type Place = (TokenIndex, Option<Arc<str>>);

impl PoolState {
    /// Every place about which something may be stored.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let of_token = |token: &Token| {
            let index = token.identity.index;
            let models = token
                .models
                .keys()
                .map(move |model| (index, Some(Arc::clone(model))));
            std::iter::once((index, None))
                .chain(token.day_place())
                .chain(models)
                .collect::<Vec<_>>()
        };
        self.tokens.iter().flat_map(of_token).collect()
    }

    /// The write that brings what is stored about `places` up to date.
    pub fn write_of(&self, moment: Moment, places: impl IntoIterator<Item = Place>) -> StateWrite {
        let mut write = StateWrite {
            at_ms: moment.wall_ms,
            ..StateWrite::default()
        };
        for (index, model) in places {
            let Some(token) = self.tokens.get(index.0 as usize) else {
                continue;
            };
            let model = model.as_deref();
            match self.stored(token, moment, model) {
                Some(row) => write.put.push(row),
                None => {
                    let model = model.unwrap_or_default().to_owned();
                    write.delete.push((token.identity.hash.clone(), model));
                }
            }
        }
        write
    }

    fn stored(&self, token: &Token, moment: Moment, model: Option<&str>) -> Option<StoredState> {
        if model == Some(OWN_DAY) {
            return token.stored_day(moment);
        }
        let rest = token.rest(model).filter(|rest| rest.is_cold(moment.now));
        let disabled = token.disabled.filter(|_| model.is_none());
        if rest.is_none() && disabled.is_none() {
            return None;
        }
        let reason = rest.map_or(ColdReason::Invalid, |rest| rest.reason);
        let failures = disabled.map(|disabled| disabled.refusals);
        Some(StoredState {
            token_hash: token.identity.hash.clone(),
            model: model.unwrap_or_default().to_owned(),
            cold_until_ms: rest.map(|rest| moment.wall_ms_at(rest.until)),
            disabled_at_ms: disabled.map(|disabled| {
                let pause = cooldown::recheck_after(&self.config, disabled.refusals);
                moment
                    .wall_ms_at(disabled.recheck_at)
                    .saturating_sub(millis(pause))
            }),
            reason: reason.code().to_owned(),
            failures: failures.or(rest.map(|rest| rest.streak)).unwrap_or(1),
        })
    }

    /// Takes over what was stored. Returns the write that clears away what is over: thawed rows,
    /// and rows of tokens that are no longer configured.
    pub fn restore(&mut self, moment: Moment, rows: Vec<StoredState>) -> StateWrite {
        let mut over = StateWrite::default();
        for row in rows {
            if !self.restore_one(moment, &row) {
                over.delete.push((row.token_hash, row.model));
            }
        }
        over
    }

    /// False if the row says nothing any more.
    fn restore_one(&mut self, moment: Moment, row: &StoredState) -> bool {
        let known = |token: &&mut Token| token.identity.hash == row.token_hash;
        let Some(token) = self.tokens.iter_mut().find(known) else {
            return false;
        };
        if row.model == OWN_DAY {
            return token.resume_day(moment, row);
        }
        let cold_until_ms = row.cold_until_ms.filter(|until| *until > moment.wall_ms);
        if let Some(until_ms) = cold_until_ms {
            let rest = Cooldown {
                until: moment.monotonic_at(until_ms),
                reason: ColdReason::from_code(&row.reason),
                streak: row.failures.max(1),
            };
            let model: Option<Arc<str>> = Some(row.model.as_str().into());
            token.cool(
                moment.now,
                model.filter(|model| !model.is_empty()).as_ref(),
                rest,
            );
        }
        if let Some(disabled_at_ms) = row.disabled_at_ms {
            let refusals = row.failures.max(1);
            let pause = cooldown::recheck_after(&self.config, refusals);
            let recheck_ms = disabled_at_ms.saturating_add(millis(pause));
            token.disable(refusals, moment.monotonic_at(recheck_ms));
        }
        cold_until_ms.is_some() || row.disabled_at_ms.is_some()
    }
}

#[cfg(test)]
mod tests {
    use troupe_protocol::failure::{FailureKind, QuotaScope};

    use super::*;
    use crate::credentials::{
        config::{PoolConfig, Strategy},
        lease::Outcome,
        token_pool::{
            policy::Decision,
            policy_tests::{config, identities, secs},
            token::Availability,
        },
    };

    const BEFORE: Moment = Moment {
        now: Duration::from_secs(5_000),
        wall_ms: 1_700_000_000_000,
    };

    /// The same moment plus `later`, on the clocks of a process that started just before it.
    fn in_another_process(later: Duration) -> Moment {
        Moment {
            now: secs(1),
            wall_ms: BEFORE.wall_ms + millis(later),
        }
    }

    fn pool(tokens: usize) -> PoolState {
        PoolState::new(config(Strategy::ExhaustFirst), &identities(tokens), 0)
    }

    /// A pool whose tokens met these failures with model `m`, one after the other.
    fn pool_after(tokens: usize, failures: &[FailureKind]) -> PoolState {
        let mut pool = pool(tokens);
        for failure in failures {
            let Decision::Lend(ticket) = pool.lease(BEFORE.now, "m", &[], None, 0) else {
                panic!("no token left");
            };
            let outcome = Outcome::Failure(*failure);
            pool.report(BEFORE.now, ticket, &"m".into(), outcome, 0);
        }
        pool
    }

    fn restored(pool: &PoolState, later: Duration) -> (PoolState, Moment, StateWrite) {
        let rows = pool.write_of(BEFORE, pool.places()).put;
        let moment = in_another_process(later);
        let mut restored = self::pool(pool.tokens.len());
        let over = restored.restore(moment, rows);
        (restored, moment, over)
    }

    fn rate_limited(seconds: u64) -> FailureKind {
        FailureKind::RateLimited {
            retry_after: Some(secs(seconds)),
        }
    }

    #[test]
    fn a_rest_goes_on_in_another_process_with_the_time_that_is_left() {
        let (pool, moment, over) = restored(&pool_after(1, &[rate_limited(90)]), secs(30));
        let cold = Availability::Cold {
            until: moment.now + secs(60),
            reason: ColdReason::RateLimited,
        };
        assert_eq!(pool.tokens[0].availability(moment.now, "m", 0), cold);
        assert_eq!(
            pool.tokens[0].availability(moment.now, "x", 0),
            Availability::Ready
        );
        assert!(over.is_empty());
    }

    #[test]
    fn what_is_over_is_cleared_away() {
        let (pool, moment, over) = restored(&pool_after(1, &[rate_limited(90)]), secs(90));
        assert_eq!(
            pool.tokens[0].availability(moment.now, "m", 0),
            Availability::Ready
        );
        assert_eq!(
            over.delete,
            [(pool.tokens[0].identity.hash.clone(), "m".to_owned())]
        );
    }

    #[test]
    fn a_refused_token_stays_disabled_until_its_check() {
        let refused = pool_after(1, &[FailureKind::AuthInvalid]);
        let (pool, moment, _) = restored(&refused, secs(200));
        let cold = Availability::Cold {
            until: moment.now + secs(400),
            reason: ColdReason::Invalid,
        };
        assert_eq!(pool.tokens[0].availability(moment.now, "m", 0), cold);
        let (pool, moment, over) = restored(&refused, secs(10_000));
        assert_eq!(
            pool.tokens[0].availability(moment.now, "m", 0),
            Availability::RecheckDue
        );
        assert!(over.is_empty());
    }

    #[test]
    fn a_token_may_be_cold_and_disabled() {
        let quota = FailureKind::QuotaExhausted {
            scope: QuotaScope::Credential,
            retry_after: Some(secs(7_200)),
        };
        let mut pool = pool_after(1, &[quota]);
        pool.tokens[0].disable(3, BEFORE.now + secs(2_400));
        let row = &pool.write_of(BEFORE, pool.places()).put[0];
        assert_eq!((&*row.reason, row.failures), ("quota_exhausted", 3));
        assert_eq!(row.disabled_at_ms, Some(BEFORE.wall_ms));
        assert_eq!(row.cold_until_ms, Some(BEFORE.wall_ms + 7_200_000));
        let (pool, moment, _) = restored(&pool, secs(0));
        let disabled = pool.tokens[0].disabled.unwrap();
        assert_eq!(
            (disabled.refusals, disabled.recheck_at),
            (3, moment.now + secs(2_400))
        );
        assert!(pool.tokens[0].cooldown.is_some());
    }

    #[test]
    fn places_without_anything_to_keep_are_deleted() {
        let pool = pool(2);
        let write = pool.write_of(BEFORE, pool.places());
        assert!(write.put.is_empty());
        assert_eq!(write.delete.len(), 2);
    }

    #[test]
    fn rows_of_tokens_that_are_gone_are_cleared_away() {
        let rows = pool_after(2, &[rate_limited(90), rate_limited(90)]);
        let rows = rows.write_of(BEFORE, rows.places()).put;
        let mut smaller = pool(1);
        let over = smaller.restore(in_another_process(secs(1)), rows);
        let places: Vec<_> = over.delete.iter().map(|(_, model)| &**model).collect();
        assert_eq!(places, [OWN_DAY, "m"]);
    }

    #[test]
    fn a_clock_that_ran_away_cannot_overflow() {
        let row = StoredState {
            token_hash: identities(1)[0].hash.clone(),
            model: String::new(),
            cold_until_ms: Some(u64::MAX),
            disabled_at_ms: Some(u64::MAX),
            reason: "quota_exhausted".to_owned(),
            failures: u32::MAX,
        };
        let mut pool = PoolState::new(PoolConfig::default(), &identities(1), 0);
        pool.restore(in_another_process(secs(0)), vec![row]);
        let until = pool.tokens[0].cooldown.map(|rest| rest.until);
        assert_eq!(until, Some(secs(1) + cooldown::LONGEST));
    }
}
