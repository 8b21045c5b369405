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

    /// The result of [`save`](Self::save). The first of several failures is logged.
    pub fn saved(&mut self, result: Result<(), String>) -> After {
        self.scheduled = false;
        let was_failing = mem::replace(&mut self.failing, result.is_err());
        if let Err(error) = result {
            // what the failed write held is part of the whole
            self.all = true;
            if !was_failing {
                log::warn!("{}: the state of the tokens is not stored: {error}", self.provider);
            }
            return After::Failed;
        }
        match self.all || !self.noted.is_empty() {
            true => After::More,
            false => After::Idle,
        }
    }
}
