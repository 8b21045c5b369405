//! One limit on what may be under way at a time, with a line in front of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many may be inside, and as many again may wait in line. Clones share the places.
#[derive(Clone, Debug)]
pub struct Gate {
    places: Arc<Semaphore>,
    limit: usize,
    waiting: Arc<AtomicUsize>,
}

impl Gate {
    /// A gate that lets `limit` in at a time; 0 = no limit.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let limit = match limit {
            0 => Semaphore::MAX_PERMITS,
            limit => limit.min(Semaphore::MAX_PERMITS),
        };
        Self {
            places: Arc::new(Semaphore::new(limit)),
            limit,
            waiting: Arc::default(),
        }
    }

    /// A place, if one is free at once.
    #[must_use]
    pub fn try_enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// A place, free at once or within `max_wait`; `None` when that has passed or the line is full.
    pub async fn enter(&self, max_wait: Duration) -> Option<OwnedSemaphorePermit> {
        if let Some(place) = self.try_enter() {
            return Some(place);
        }
        if max_wait.is_zero() {
            return None;
        }
        let _in_line = InLine::join(&self.waiting, self.limit)?;
        let place = Arc::clone(&self.places).acquire_owned();
        // the semaphore is never closed, so only the time-out ends this without a place
        tokio::time::timeout(max_wait, place).await.ok()?.ok()
    }

    /// How many are inside.
    #[must_use]
    pub fn inside(&self) -> usize {
        self.limit - self.places.available_permits()
    }

    /// How many it lets in at a time.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }
}

/// A place in the line, given up on drop: at the end of the wait or when the waiter is gone.
struct InLine<'a>(&'a AtomicUsize);

impl<'a> InLine<'a> {
    fn join(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        let place = Self(waiting);
        // counted first and looked at after, so that two at once cannot both take the last place
        (waiting.fetch_add(1, Ordering::Relaxed) < most).then_some(place)
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
