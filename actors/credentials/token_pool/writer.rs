//! Write-behind of a pool's state: many changes, few writes, bounded memory while the store is away.

use std::{collections::HashSet, mem, sync::Arc};

use futures_util::future::BoxFuture;

use super::{
    policy::PoolState,
    stored::{Moment, Place, StateStore, StateWrite, StoredState},
};

/// Places noted one by one; past that, all of the state is written.
const MAX_NOTED: usize = 1_024;

/// Knows what the store does not know yet.
pub struct Writer {
    provider: Arc<str>,
    store: Arc<dyn StateStore>,
    noted: HashSet<Place>,
    /// Everything must be written: too much changed, or a write failed.
    all: bool,
    /// Rows that were over at the start.
    over: StateWrite,
    /// A write is on its way, or its timer is.
    scheduled: bool,
    failing: bool,
}

/// What to do after a write.
#[derive(Debug, PartialEq, Eq)]
pub enum After {
    Idle,
    /// More has changed meanwhile.
    More,
    /// Try again later.
    Failed,
}

impl Writer {
    #[must_use]
    pub fn new(provider: Arc<str>, store: Arc<dyn StateStore>) -> Self {
        Self {
            provider,
            store,
            noted: HashSet::new(),
            all: false,
            over: StateWrite::default(),
            scheduled: false,
            failing: false,
        }
    }

    /// What is stored.
    pub fn load(&self) -> BoxFuture<'static, Result<Vec<StoredState>, String>> {
        self.store.load(&self.provider)
    }

    /// Something changed at `place`.
    pub fn note(&mut self, place: Place) {
        if self.noted.len() < MAX_NOTED {
            self.noted.insert(place);
        } else {
            self.all = true;
        }
    }

    /// The next write also does this.
    pub fn note_over(&mut self, over: StateWrite) {
        self.over = over;
    }

    /// True if the caller should set a timer for [`save`](Self::save).
    #[must_use]
    pub fn schedule(&mut self) -> bool {
        !mem::replace(&mut self.scheduled, true)
    }

    /// Writes what changed; none if nothing did.
    pub fn save(
        &mut self,
        state: &PoolState,
        moment: Moment,
    ) -> Option<BoxFuture<'static, Result<(), String>>> {
        let mut places = mem::take(&mut self.noted);
        if mem::take(&mut self.all) {
            places.extend(state.places());
        }
        let mut write = state.write_of(moment, places);
        write.delete.append(&mut mem::take(&mut self.over).delete);
        if write.is_empty() {
            self.scheduled = false;
            return None;
        }
        Some(self.store.save(&self.provider, write))
    }

    /// Writes everything before an ordered stop, if anything is not yet known to be stored: a write
    /// that is on its way may be lost with the actor.
    pub fn save_last(
        &mut self,
        state: &PoolState,
        moment: Moment,
    ) -> Option<BoxFuture<'static, Result<(), String>>> {
        if !self.scheduled {
            return None;
        }
        self.all = true;
        self.save(state, moment)
    }

    /// The result of [`save`](Self::save). The first of several failures is logged.
    pub fn saved(&mut self, result: Result<(), String>) -> After {
        self.scheduled = false;
        let was_failing = mem::replace(&mut self.failing, result.is_err());
        if let Err(error) = result {
            // what the failed write held is part of the whole
            self.all = true;
            if !was_failing {
                log::warn!(
                    "{}: the state of the tokens is not stored: {error}",
                    self.provider
                );
            }
            return After::Failed;
        }
        match self.all || !self.noted.is_empty() {
            true => After::More,
            false => After::Idle,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::credentials::{
        config::Strategy,
        cooldown::{ColdReason, Cooldown},
        token_pool::{
            policy_tests::{config, identities},
            token::TokenIndex,
        },
    };

    const NOW: Moment = Moment {
        now: Duration::from_secs(1),
        wall_ms: 1_000,
    };

    struct Away;

    impl StateStore for Away {
        fn load(&self, _: &Arc<str>) -> BoxFuture<'static, Result<Vec<StoredState>, String>> {
            Box::pin(async { Err("away".to_owned()) })
        }

        fn save(&self, _: &Arc<str>, _: StateWrite) -> BoxFuture<'static, Result<(), String>> {
            Box::pin(async { Err("away".to_owned()) })
        }
    }

    fn cold_pool() -> PoolState {
        let mut pool = PoolState::new(config(Strategy::RoundRobin), &identities(1), 0);
        let rest = Cooldown {
            until: Duration::from_secs(9),
            reason: ColdReason::RateLimited,
            streak: 1,
        };
        pool.tokens[0].cool(NOW.now, None, rest);
        pool
    }

    #[test]
    fn one_timer_at_a_time_and_no_write_without_a_change() {
        let mut writer = Writer::new("acme".into(), Arc::new(Away));
        assert!(writer.schedule());
        assert!(!writer.schedule());
        assert!(writer.save(&cold_pool(), NOW).is_none());
        assert!(writer.schedule());
    }

    #[test]
    fn a_failed_write_is_made_good_by_a_whole_one() {
        let mut writer = Writer::new("acme".into(), Arc::new(Away));
        writer.note((TokenIndex(0), None));
        assert!(writer.save(&cold_pool(), NOW).is_some());
        assert_eq!(writer.saved(Err("away".to_owned())), After::Failed);
        assert!(writer.save(&cold_pool(), NOW).is_some());
        assert_eq!(writer.saved(Ok(())), After::Idle);
    }

    #[test]
    fn changes_during_a_write_come_next() {
        let mut writer = Writer::new("acme".into(), Arc::new(Away));
        writer.note((TokenIndex(0), None));
        assert!(writer.save(&cold_pool(), NOW).is_some());
        writer.note((TokenIndex(0), Some("m".into())));
        assert_eq!(writer.saved(Ok(())), After::More);
    }

    #[test]
    fn what_is_noted_is_bounded() {
        let mut writer = Writer::new("acme".into(), Arc::new(Away));
        for number in 0..3 * MAX_NOTED {
            writer.note((TokenIndex(0), Some(number.to_string().into())));
        }
        assert_eq!(writer.noted.len(), MAX_NOTED);
        assert!(writer.all);
    }
}
