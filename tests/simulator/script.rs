//! The control handle: who gets which behaviour, and what was seen.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_web::HttpRequest;
use bytes::Bytes;
use tokio::sync::watch;

use crate::{
    behaviour::Behaviour,
    received::{Archive, Received},
    stats::Stats,
    studio::Jobs,
};

/// Steers one simulator, from any thread.
#[derive(Debug, Clone)]
pub struct Script(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Lets an unscripted simulator skip the lock.
    scripted: AtomicBool,
    /// Whether requests are kept; a bench has no use for it and pays for each copy.
    records: AtomicBool,
    received: Mutex<Archive>,
    state: Mutex<State>,
    jobs: Mutex<Jobs>,
    stats: watch::Sender<Stats>,
}

#[derive(Debug, Default)]
struct State {
    rules: HashMap<Matches, VecDeque<Behaviour>>,
    models: Option<Vec<String>>,
}

/// Which requests a rule is for. Where several match, the first of this list wins.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Matches {
    /// Those that carry this bearer token or key.
    Token(String),
    /// Those for this model.
    Model(String),
    /// Those to this path, such as `/v1/models`.
    Path(String),
    /// All.
    Any,
}

/// A rule about to be given its answers.
#[derive(Debug)]
pub struct Rule<'a> {
    script: &'a Script,
    matches: Matches,
}

impl Rule<'_> {
    /// One behaviour for each request in turn; the last one stays. None at all removes the rule.
    pub fn answers(self, behaviours: impl IntoIterator<Item = Behaviour>) {
        let queue: VecDeque<_> = behaviours.into_iter().collect();
        let mut state = self.script.state();
        if queue.is_empty() {
            state.rules.remove(&self.matches);
        } else {
            state.rules.insert(self.matches, queue);
        }
        let scripted = !state.rules.is_empty();
        self.script.0.scripted.store(scripted, Ordering::Release);
    }
}

impl Default for Script {
    fn default() -> Self {
        Self(Arc::new(Shared {
            scripted: AtomicBool::new(false),
            records: AtomicBool::new(true),
            received: Mutex::default(),
            state: Mutex::default(),
            jobs: Mutex::default(),
            stats: watch::Sender::new(Stats::default()),
        }))
    }
}

impl Script {
    /// The rule for requests with this bearer token or key.
    #[must_use]
    pub fn token(&self, token: &str) -> Rule<'_> {
        self.rule(Matches::Token(token.to_owned()))
    }

    /// The rule for requests for this model.
    #[must_use]
    pub fn model(&self, model: &str) -> Rule<'_> {
        self.rule(Matches::Model(model.to_owned()))
    }

    /// The rule for requests to this path.
    #[must_use]
    pub fn path(&self, path: &str) -> Rule<'_> {
        self.rule(Matches::Path(path.to_owned()))
    }

    /// The rule for all other requests.
    #[must_use]
    pub fn any(&self) -> Rule<'_> {
        self.rule(Matches::Any)
    }

    /// A rule by what it matches.
    #[must_use]
    pub fn rule(&self, matches: Matches) -> Rule<'_> {
        Rule {
            script: self,
            matches,
        }
    }

    /// What `GET /v1/models` lists.
    pub fn models<'a>(&self, ids: impl IntoIterator<Item = &'a str>) {
        self.state().models = Some(ids.into_iter().map(str::to_owned).collect());
    }

    /// Forgets all rules, counts, requests and tasks. Answers under way go on.
    pub fn reset(&self) {
        *self.state() = State::default();
        *self.archive() = Archive::default();
        *self.jobs() = Jobs::default();
        self.0.scripted.store(false, Ordering::Release);
        self.0.stats.send_modify(|stats| {
            *stats = Stats {
                open: stats.open,
                ..Stats::default()
            };
        });
    }

    /// The counts now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.stats.borrow().clone()
    }

    /// The last request to a path, such as `/v1/messages`.
    #[must_use]
    pub fn last_request(&self, path: &str) -> Option<Received> {
        self.archive().last(path).cloned()
    }

    /// Whether [`Script::last_request`] works; it does unless it is switched off.
    pub fn keep_requests(&self, keep: bool) {
        self.0.records.store(keep, Ordering::Relaxed);
    }

    pub(crate) fn record(&self, request: &HttpRequest, body: &Bytes) {
        if self.0.records.load(Ordering::Relaxed) {
            self.archive().keep(request, body);
        }
    }

    /// Waits until the counts satisfy `done`.
    ///
    /// # Panics
    /// If they do not within the given time; the message shows them.
    pub async fn wait_for(&self, within: Duration, mut done: impl FnMut(&Stats) -> bool) -> Stats {
        let mut seen = self.0.stats.subscribe();
        let waiting = seen.wait_for(|stats| done(stats));
        let reached = match tokio::time::timeout(within, waiting).await {
            Ok(Ok(stats)) => Some(stats.clone()),
            _ => None,
        };
        reached.unwrap_or_else(|| panic!("not reached in {within:?}: {:#?}", self.stats()))
    }

    pub(crate) fn listed_models(&self) -> Option<Vec<String>> {
        self.state().models.clone()
    }

    /// What happens to this request, where a rule says so.
    pub(crate) fn next(&self, path: &str, token: &str, model: &str) -> Option<Behaviour> {
        self.next_of(|| {
            vec![
                Matches::Token(token.to_owned()),
                Matches::Model(model.to_owned()),
                Matches::Path(path.to_owned()),
                Matches::Any,
            ]
        })
    }

    /// What happens at this path to who shows no credential, where a rule for it says so.
    pub(crate) fn next_at(&self, path: &str) -> Option<Behaviour> {
        self.next_of(|| vec![Matches::Path(path.to_owned())])
    }

    fn next_of(&self, keys: impl FnOnce() -> Vec<Matches>) -> Option<Behaviour> {
        if !self.0.scripted.load(Ordering::Acquire) {
            return None;
        }
        let (mut state, keys) = (self.state(), keys());
        let found = keys.iter().find(|key| state.rules.contains_key(key))?;
        let queue = state.rules.get_mut(found)?;
        if queue.len() > 1 {
            queue.pop_front()
        } else {
            queue.front().cloned()
        }
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Stats)) {
        self.0.stats.send_if_modified(|stats| {
            change(stats);
            // waking nobody still costs; who subscribes later looks at the counts first
            self.0.stats.receiver_count() > 0
        });
    }

    pub(crate) fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn archive(&self) -> MutexGuard<'_, Archive> {
        let received = self.0.received.lock();
        received.unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_used_up_and_its_last_answer_stays() {
        let script = Script::default();
        script
            .token("a")
            .answers([Behaviour::Hang, Behaviour::status(500)]);
        script.any().answers([Behaviour::Echo]);
        let next = |token| script.next("/v1/models", token, "");
        assert_eq!(next("a"), Some(Behaviour::Hang));
        assert_eq!(next("a"), Some(Behaviour::status(500)));
        assert_eq!(next("a"), Some(Behaviour::status(500)));
        assert_eq!(next("b"), Some(Behaviour::Echo));
        script.reset();
        assert_eq!(next("a"), None);
    }
}
