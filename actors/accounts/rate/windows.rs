//! The windows of all keys in the current minute, and how the store stands to them.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, Ordering::SeqCst},
    },
    time::Duration,
};

use derive_more::Debug;
use tokio::sync::Notify;

use super::{RateExceeded, Standing, window::Window};
use crate::{storage::kv::KvError, supervision::Clock};

const MINUTE_MS: u64 = 60_000;

/// How the store stands to the windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Link {
    /// Not asked yet, or away: each node counts for itself meanwhile.
    Away,
    /// It adds up the counts of all nodes.
    Shared,
    /// It cannot, or there is but this node.
    Alone,
}

/// Shared by the HTTP threads, which count, and the actor, which tells.
#[derive(Debug)]
pub struct Windows {
    pub limit: u32,
    clock: Clock,
    minute: Mutex<Minute>,
    link: AtomicU8,
    in_round: AtomicBool,
    #[debug(skip)]
    rounds: Notify,
}

#[derive(Debug, Default)]
struct Minute {
    number: u64,
    keys: HashMap<Box<str>, Window>,
    queue: Vec<Box<str>>,
}

/// What the store is to be told of one key.
pub struct Owed {
    pub key_id: Box<str>,
    pub minute: u64,
    pub count: u32,
}

impl Windows {
    /// Windows of `limit` requests each.
    pub fn new(limit: u32, clock: Clock) -> Self {
        Self {
            limit,
            clock,
            minute: Mutex::default(),
            link: AtomicU8::new(Link::Away as u8),
            in_round: AtomicBool::new(false),
            rounds: Notify::new(),
        }
    }

    /// Counts a request.
    pub fn count(&self, key_id: &str) -> Result<Standing, RateExceeded> {
        let now = self.clock.wall_ms();
        let mut minute = self.minute(now);
        let minute = &mut *minute;
        let window = minute.keys.entry(key_id.into()).or_default();
        if !window.take(self.limit) {
            return Err(RateExceeded(self.standing(self.limit, now)));
        }
        if !window.queued && self.link() != Link::Alone {
            window.queued = true;
            minute.queue.push(key_id.into());
        }
        Ok(self.standing(window.total(), now))
    }

    /// How a request that was counted stands, now that the others are heard of.
    pub fn review(&self, key_id: &str) -> Result<Standing, RateExceeded> {
        let now = self.clock.wall_ms();
        let minute = self.minute(now);
        let total = minute.keys.get(key_id).map_or(0, Window::total);
        let standing = self.standing(total, now);
        if total > self.limit {
            return Err(RateExceeded(standing));
        }
        Ok(standing)
    }

    /// Whether the store is about to tell of this key what it has not told yet.
    pub fn is_waited_for(&self, key_id: &str) -> bool {
        let minute = self.lock();
        let window = minute.keys.get(key_id);
        self.link() == Link::Shared && window.is_some_and(|window| !window.heard)
    }

    /// Waits until the store has told of this key, or does not answer.
    pub async fn heard(&self, key_id: &str) {
        loop {
            let mut round = std::pin::pin!(self.rounds.notified());
            // looked at after the wait has begun, so that no round passes unseen
            round.as_mut().enable();
            if !self.is_waited_for(key_id) {
                return;
            }
            round.await;
        }
    }

    /// Whether it is on the caller to have a round begun.
    pub fn begins_round(&self) -> bool {
        self.link() != Link::Alone && !self.in_round.swap(true, SeqCst)
    }

    pub fn ends_round(&self) {
        self.in_round.store(false, SeqCst);
    }

    /// Whether the store can be told something at once.
    pub fn has_news(&self) -> bool {
        self.link() == Link::Shared && !self.lock().queue.is_empty()
    }

    /// Everything that the store has not been told.
    pub fn owed(&self) -> Vec<Owed> {
        let mut minute = self.minute(self.clock.wall_ms());
        let minute = &mut *minute;
        let keys = &mut minute.keys;
        let owed = minute.queue.drain(..).filter_map(|key_id| {
            let window = keys.get_mut(&key_id)?;
            window.queued = false;
            Some(Owed {
                count: window.owed(),
                minute: minute.number,
                key_id,
            })
        });
        owed.collect()
    }

    /// Takes note of what the store said; what it did not take is owed still.
    pub fn settle(&self, owed: Owed, said: Result<i64, KvError>) {
        if let Err(error) = &said
            && self.link() == Link::Shared
        {
            log::warn!("rate limits are counted by this node alone for now: {error}");
            self.set_link(Link::Away);
        }
        let mut minute = self.lock();
        let minute = &mut *minute;
        if minute.number == owed.minute
            && let Some(window) = minute.keys.get_mut(&owed.key_id)
        {
            match said {
                Ok(sum) => window.settle(owed.count, sum),
                Err(_) if !window.queued => {
                    window.queued = true;
                    minute.queue.push(owed.key_id);
                }
                Err(_) => {}
            }
        }
        self.rounds.notify_waiters();
    }

    pub fn link(&self) -> Link {
        match self.link.load(SeqCst) {
            1 => Link::Shared,
            2 => Link::Alone,
            _ => Link::Away,
        }
    }

    pub fn set_link(&self, link: Link) {
        self.link.store(link as u8, SeqCst);
    }

    fn standing(&self, total: u32, now: u64) -> Standing {
        let reset_ms = (now / MINUTE_MS + 1) * MINUTE_MS;
        Standing {
            limit: self.limit,
            remaining: self.limit.saturating_sub(total),
            reset_ms,
            reset_in: Duration::from_millis(reset_ms - now),
        }
    }

    /// The minute at `now`. A new one begins with nothing counted, which also bounds what is kept.
    fn minute(&self, now: u64) -> MutexGuard<'_, Minute> {
        let number = now / MINUTE_MS;
        let mut minute = self.lock();
        if minute.number != number {
            *minute = Minute {
                number,
                ..Minute::default()
            };
        }
        minute
    }

    fn lock(&self) -> MutexGuard<'_, Minute> {
        // counts are right at every moment, also after a panic
        self.minute.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
