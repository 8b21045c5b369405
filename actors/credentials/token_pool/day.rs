//! The day of a token, for upstreams that count a quota for 24 hours from the first use.
//!
//! Threads that lend to themselves begin it without a hop; the actor finds it begun, and has it stored.

use std::{
    mem,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use troupe_protocol::failure::{FailureKind, QuotaScope};

use super::{
    policy::PoolState,
    stored::{Moment, Place, StoredState},
    token::Token,
};
use crate::supervision::clock::{Monotonic, millis};

/// Where a token's day is stored, in place of a model: no model has such a name.
pub const OWN_DAY: &str = "\u{1}own day";

/// The reason of such a row.
const REASON: &str = "own_day";

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The shortest rest when a day that should have ended is said to be used up.
const SHORTEST: Duration = Duration::from_secs(60);

/// A day that begins with the first use after the one before has ended.
#[derive(Debug, Default)]
pub struct OwnDay {
    /// Milliseconds on the monotonic clock; 0 = it was never used.
    ends: AtomicU64,
}

impl OwnDay {
    /// The token is used: that begins a day, if none is under way.
    pub fn used(&self, now: Monotonic) {
        let ends = self.ends.load(Relaxed);
        if ends <= millis(now) {
            // whoever is faster begins the same day
            let next = millis(now.saturating_add(DAY));
            let _ = self.ends.compare_exchange(ends, next, Relaxed, Relaxed);
        }
    }

    /// When the last day that began ends, or has ended; zero if none began.
    #[must_use]
    pub fn ends(&self) -> Monotonic {
        Duration::from_millis(self.ends.load(Relaxed))
    }

    /// The failure with what only the pool knows: when a day that is used up ends.
    #[must_use]
    pub fn dated(&self, now: Monotonic, failure: FailureKind) -> FailureKind {
        match failure {
            FailureKind::QuotaExhausted {
                scope: scope @ QuotaScope::CredentialDay,
                retry_after: None,
            } => FailureKind::QuotaExhausted {
                scope,
                retry_after: Some(self.ends().saturating_sub(now).max(SHORTEST)),
            },
            failure => failure,
        }
    }

    /// Goes on with a day that began before this process did.
    fn resume(&self, ends: Monotonic) {
        self.ends.fetch_max(millis(ends), Relaxed);
    }
}

impl Token {
    /// The place of its day's row, if it has ever been used.
    pub(super) fn day_place(&self) -> Option<Place> {
        let index = self.identity.index;
        (!self.identity.day.ends().is_zero()).then(|| (index, Some(OWN_DAY.into())))
    }

    /// The row of its day; none if that is over.
    pub(super) fn stored_day(&self, moment: Moment) -> Option<StoredState> {
        let ends = self.identity.day.ends();
        (ends > moment.now).then(|| StoredState {
            token_hash: self.identity.hash.clone(),
            model: OWN_DAY.to_owned(),
            cold_until_ms: Some(moment.wall_ms_at(ends)),
            disabled_at_ms: None,
            reason: REASON.to_owned(),
            failures: 0,
        })
    }

    /// Takes over the day of a row. False if that is over.
    pub(super) fn resume_day(&mut self, moment: Moment, row: &StoredState) -> bool {
        let ends_ms = row.cold_until_ms.filter(|ends| *ends > moment.wall_ms);
        let Some(ends_ms) = ends_ms else {
            return false;
        };
        let ends = moment.monotonic_at(ends_ms);
        self.identity.day.resume(ends.min(moment.now + DAY));
        self.noted_day = self.identity.day.ends();
        true
    }
}

impl PoolState {
    /// The places of days that have begun since this was asked last.
    pub fn begun_days(&mut self) -> Vec<Place> {
        let tokens = self.tokens.iter_mut();
        let begun = tokens.filter_map(|token| {
            let ends = token.identity.day.ends();
            let noted = mem::replace(&mut token.noted_day, ends);
            (noted != ends).then(|| token.day_place()).flatten()
        });
        begun.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::{
        config::Strategy,
        lease::Outcome,
        token_pool::{
            policy::Decision,
            policy_tests::{config, identities, secs},
        },
    };

    const HOUR: u64 = 3600;
    const USED_UP: FailureKind = FailureKind::QuotaExhausted {
        scope: QuotaScope::CredentialDay,
        retry_after: None,
    };

    fn pool() -> PoolState {
        PoolState::new(config(Strategy::ExhaustFirst), &identities(1), 0)
    }

    fn used(pool: &mut PoolState, now: Monotonic, outcome: Outcome) {
        let Decision::Lend(ticket) = pool.lease(now, "m", &[], None, 0) else {
            panic!("none was lent");
        };
        pool.report(now, ticket, &"m".into(), outcome, 0);
    }

    /// How long it rests when it is used up at that time.
    fn rest(pool: &mut PoolState, now: Monotonic) -> Duration {
        used(pool, now, Outcome::Failure(USED_UP));
        let rest = pool.tokens[0].cooldown.expect("a rest");
        rest.until - now
    }

    #[test]
    fn a_used_up_token_rests_until_a_day_after_its_first_use() {
        let mut pool = pool();
        let first = secs(1_000);
        for hours in [0, 3, 7] {
            used(&mut pool, first + secs(hours * HOUR), Outcome::Success);
        }
        assert_eq!(rest(&mut pool, first + secs(10 * HOUR)), secs(14 * HOUR));
        // the next day begins with the next use
        let next = first + secs(30 * HOUR);
        assert_eq!(rest(&mut pool, next), secs(24 * HOUR));
    }

    #[test]
    fn a_day_that_ends_meanwhile_is_a_short_rest() {
        let day = OwnDay::default();
        day.used(secs(5));
        let left = |now| day.dated(now, USED_UP).retry_after();
        assert_eq!(left(secs(24 * HOUR)), Some(SHORTEST));
        assert_eq!(left(secs(25 * HOUR)), Some(SHORTEST));
        assert_eq!(left(secs(4 * HOUR + 5)), Some(secs(20 * HOUR)));
    }

    #[test]
    fn other_failures_and_times_of_the_upstream_stay_as_they_are() {
        let day = OwnDay::default();
        day.used(secs(5));
        let said = FailureKind::QuotaExhausted {
            scope: QuotaScope::CredentialDay,
            retry_after: Some(secs(7)),
        };
        for failure in [said, FailureKind::AuthInvalid] {
            assert_eq!(day.dated(secs(6), failure), failure);
        }
    }

    #[test]
    fn a_day_goes_on_in_another_process() {
        let mut before = pool();
        let first = Moment {
            now: secs(50_000),
            wall_ms: 1_700_000_000_000,
        };
        used(&mut before, first.now, Outcome::Success);
        let begun = before.begun_days();
        assert_eq!(begun.len(), 1);
        assert!(before.begun_days().is_empty(), "it is noted once");
        let rows = before.write_of(first, begun).put;

        let mut after = pool();
        let start = Moment {
            now: secs(1),
            wall_ms: first.wall_ms + 10 * HOUR * 1_000,
        };
        assert!(after.restore(start, rows.clone()).is_empty());
        assert!(after.begun_days().is_empty(), "it is stored already");
        assert_eq!(rest(&mut after, start.now), secs(14 * HOUR));

        let late = Moment {
            wall_ms: first.wall_ms + 24 * HOUR * 1_000,
            ..start
        };
        let mut after = pool();
        let over = after.restore(late, rows).delete;
        assert_eq!(over[0].1, OWN_DAY);
        assert_eq!(rest(&mut after, late.now), secs(24 * HOUR));
    }

    #[test]
    fn a_clock_that_ran_away_makes_no_longer_day() {
        let mut pool = pool();
        let row = StoredState {
            token_hash: pool.tokens[0].identity.hash.clone(),
            model: OWN_DAY.to_owned(),
            cold_until_ms: Some(u64::MAX),
            disabled_at_ms: None,
            reason: REASON.to_owned(),
            failures: 0,
        };
        let start = Moment {
            now: secs(1),
            wall_ms: 1,
        };
        assert!(pool.restore(start, vec![row]).is_empty());
        assert_eq!(rest(&mut pool, secs(1)), DAY);
    }
}
