//! The table of requests under way, and of those that ended a moment ago.
//!
//! It is shared by the HTTP threads and locked for single look-ups only. That a request is there is the affair of its
//! [`Ticket`], so it outlasts the actor and leaks nothing when somebody falls.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    config::AnswersConfig,
    fingerprint::Fingerprint,
    policy::{Standing, Verdict, Wish, judge},
    recording::{Budget, Reader, Recording},
    ticket::Ticket,
};
use crate::{
    storage::queries::answers::AnswerRow,
    supervision::{Clock, clock::Monotonic},
};

/// Among whom a request looks for its like.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    /// Requests of an app that carry the same key on the same route.
    Key(KeyScope),
    /// Requests of one API key with the same path and body.
    Twin {
        api_key: Box<str>,
        fingerprint: Fingerprint,
    },
}

/// An `Idempotency-Key` where it applies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct KeyScope {
    pub app: Box<str>,
    pub key: Box<str>,
    pub route: Box<str>,
}

/// The question of a request: is there another one like me?
#[derive(Debug, Clone)]
pub struct Ask {
    pub(super) scope: Scope,
    pub(super) fingerprint: Fingerprint,
    pub(super) wish: Wish,
}

impl Ask {
    /// By the `key` that the client has sent for a request of the app `app` to `route`, the gateway's name of it.
    #[must_use]
    pub fn with_key(app: &str, key: &str, route: &str, fingerprint: Fingerprint) -> Self {
        let scope = KeyScope {
            app: app.into(),
            key: key.into(),
            route: route.into(),
        };
        Self {
            scope: Scope::Key(scope),
            fingerprint,
            wish: Wish::Idempotent,
        }
    }

    /// By its path and body, among the requests of the API key with the id `api_key`. It wants the other one's answer, or
    /// else to be refused.
    #[must_use]
    pub fn twin(api_key: &str, fingerprint: Fingerprint, refuse: bool) -> Self {
        let scope = Scope::Twin {
            api_key: api_key.into(),
            fingerprint,
        };
        Self {
            scope,
            fingerprint,
            wish: if refuse { Wish::Refuse } else { Wish::Attach },
        }
    }
}

/// The answer to an [`Ask`].
#[derive(Debug)]
pub enum Begun {
    /// It is the first of its kind, and answers for all.
    Fresh(Ticket),
    /// Another one makes the answer, or has just made it.
    Attach(Reader),
    /// Another one is at it, and is not to be shared.
    Duplicate {
        /// When to come again.
        retry_after: Duration,
    },
    /// The key was used for something else.
    OtherBody,
    /// No more can be recorded for now, or kept.
    Full,
}

#[derive(Debug)]
struct Entry {
    /// Tells it from a later one of the same scope.
    id: u64,
    fingerprint: Fingerprint,
    recording: Arc<Recording>,
    began: Monotonic,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    UnderWay,
    Ended(Monotonic),
    /// Complete, and to be forgotten when the database has it.
    Waiting,
}

/// A complete answer that the database has not taken yet.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub scope: Scope,
    pub id: u64,
    pub row: Arc<AnswerRow>,
}

#[derive(Debug, Default)]
struct Entries {
    all: HashMap<Scope, Entry>,
    waiting: Vec<Waiting>,
    last_id: u64,
}

/// See the module's head. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Table {
    entries: Arc<Mutex<Entries>>,
    clock: Clock,
    budget: Budget,
    max_bytes: usize,
    window: Duration,
}

impl Table {
    pub fn new(config: &AnswersConfig, clock: &Clock) -> Self {
        Self {
            entries: Arc::default(),
            clock: clock.clone(),
            budget: Budget::new(config.max_total_bytes),
            max_bytes: config.max_bytes,
            window: Duration::from_millis(config.dedupe_window_ms),
        }
    }

    /// Finds another request like this one, or notes this one as the first.
    pub fn begin(&self, ask: &Ask) -> Begun {
        let now = self.clock.now();
        let mut entries = self.lock();
        if let Some(entry) = entries.all.get(&ask.scope) {
            match judge(ask.wish, &entry.standing(ask), now, self.window) {
                Verdict::Fresh => {}
                Verdict::Attach => return Begun::Attach(entry.recording.read()),
                Verdict::Duplicate { retry_after } => return Begun::Duplicate { retry_after },
                Verdict::OtherBody => return Begun::OtherBody,
            }
        }
        // no promise is made that could not be kept either
        if ask.wish == Wish::Idempotent && !entries.waiting.is_empty() {
            return Begun::Full;
        }
        // nobody is going to read what repeats of it are refused for
        let max_bytes = match ask.wish {
            Wish::Refuse => 0,
            Wish::Idempotent | Wish::Attach => self.max_bytes,
        };
        let Some(recording) = Recording::new(&self.budget, max_bytes) else {
            return Begun::Full;
        };
        Begun::Fresh(self.admit(&mut entries, ask, Arc::new(recording), now))
    }

    fn admit(
        &self,
        entries: &mut Entries,
        ask: &Ask,
        recording: Arc<Recording>,
        now: Monotonic,
    ) -> Ticket {
        entries.last_id += 1;
        let id = entries.last_id;
        let entry = Entry {
            id,
            fingerprint: ask.fingerprint,
            recording: recording.clone(),
            began: now,
            state: State::UnderWay,
        };
        entries.all.insert(ask.scope.clone(), entry);
        Ticket::new(self.clone(), ask.clone(), id, recording)
    }

    /// Forgets a request that has not come to an answer worth remembering.
    pub fn withdraw(&self, scope: &Scope, id: u64) {
        let mut entries = self.lock();
        let found = entries.all.get(scope);
        if found.is_some_and(|entry| entry.id == id && entry.state == State::UnderWay) {
            entries.all.remove(scope);
        }
    }

    /// A request has its answer; twins get it for a while.
    pub fn ended(&self, scope: &Scope, id: u64) {
        let now = self.clock.now();
        self.settle(scope, id, State::Ended(now));
    }

    /// A request has its answer, which waits here for the database.
    pub fn wait(&self, waiting: Waiting) {
        self.settle(&waiting.scope, waiting.id, State::Waiting);
        self.lock().waiting.push(waiting);
    }

    fn settle(&self, scope: &Scope, id: u64, state: State) {
        let mut entries = self.lock();
        let found = entries.all.get_mut(scope);
        if let Some(entry) = found.filter(|entry| entry.id == id) {
            entry.state = state;
        }
    }

    /// What waits for the database.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.lock().waiting.clone()
    }

    /// One that waited is stored, or is over.
    pub fn done_waiting(&self, done: &Waiting) {
        let mut entries = self.lock();
        entries.waiting.retain(|waiting| waiting.id != done.id);
        let found = entries.all.get(&done.scope);
        if found.is_some_and(|entry| entry.id == done.id) {
            entries.all.remove(&done.scope);
        }
    }

    /// Forgets the answers that no twin gets any more.
    pub fn forget_old(&self) {
        let now = self.clock.now();
        let is_over = |entry: &Entry| match entry.state {
            State::Ended(at) => now.saturating_sub(at) >= self.window,
            State::UnderWay | State::Waiting => false,
        };
        self.lock().all.retain(|_, entry| !is_over(entry));
    }

    /// Requests that are making their answer.
    pub fn under_way(&self) -> usize {
        let entries = self.lock();
        let entries = entries.all.values();
        entries
            .filter(|entry| entry.state == State::UnderWay)
            .count()
    }

    /// How many are known, and the memory that they hold.
    #[cfg(test)]
    pub fn size(&self) -> (usize, usize) {
        (self.lock().all.len(), self.budget.held())
    }

    /// Each change is one step, so whoever panicked has left nothing half done.
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn standing(&self, ask: &Ask) -> Standing {
        Standing {
            same: self.fingerprint == ask.fingerprint,
            too_large: self.recording.is_too_large(),
            began: self.began,
            ended: match self.state {
                State::Ended(at) => Some(at),
                State::UnderWay | State::Waiting => None,
            },
        }
    }
}
