//! Which job is begun next, pure: no I/O, no clock. A job goes with its app's turn, then its priority among the app's
//! own, then its age; nobody's turn is lost because another app, or a provider, has no room. What upstreams are at work
//! on already goes before all that is new.

mod line;
#[cfg(test)]
mod tests;
mod verdict;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

pub use verdict::{Fault, Verdict, verdict};

use self::line::Tier;
use super::config::JobsConfig;
use crate::{storage::queries::jobs::JobRow, supervision::clock::Monotonic};

/// A job's place in the world: what decides when it is begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Later jobs have greater ones.
    pub id: Arc<str>,
    pub app: Arc<str>,
    pub provider: Arc<str>,
    /// As the client named it, for estimates.
    pub model: Arc<str>,
    /// Among the app's own, higher ones go first.
    pub priority: i32,
    /// Begun for somebody who waits: it takes no place from those that queue.
    pub at_once: bool,
}

impl Entry {
    /// That of a new job, or of one that runs.
    #[must_use]
    pub fn of(row: &JobRow) -> Self {
        Self {
            id: row.id.as_str().into(),
            app: row.app_id.as_str().into(),
            provider: row.provider.as_str().into(),
            model: row.model.as_str().into(),
            priority: row.priority,
            at_once: false,
        }
    }
}

/// The priority of a job that the upstream is at work on already: asking for it goes before new work.
pub const RESUMED: i32 = i32::MAX;

/// Why no further job is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, derive_more::Display, derive_more::Error)]
pub enum Full {
    #[display("{limit} jobs are waiting, as many as jobs.max_queued allows; try again later")]
    All { limit: usize },
    #[display(
        "{limit} jobs of this app are waiting, as many as jobs.max_queued_per_app allows; wait for some of them, or \
         cancel some"
    )]
    App { limit: usize },
}

/// Jobs that run at a time, those at once aside, which the limits of requests bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub all: usize,
    pub provider: usize,
    pub app: usize,
}

impl From<&JobsConfig> for Room {
    fn from(config: &JobsConfig) -> Self {
        Self {
            all: config.max_running,
            provider: config.max_running_per_provider,
            app: config.max_running_per_app,
        }
    }
}

/// All jobs that are not finished: waiting, resting or running. Each is in one of these places.
#[derive(Debug, Default)]
pub struct Board {
    /// Those that upstreams are at work on, and those that are new.
    tiers: [Tier; 2],
    waiting: HashMap<Arc<str>, Entry>,
    resting: HashMap<Arc<str>, (Monotonic, Entry)>,
    /// When those that rest are to be woken.
    alarms: BTreeSet<(Monotonic, Arc<str>)>,
    running: HashMap<Arc<str>, Entry>,
    /// How many of those that run do so at once; the counts below are without them.
    at_once: usize,
    running_by_app: HashMap<Arc<str>, usize>,
    running_by_provider: HashMap<Arc<str>, usize>,
    /// Waiting or resting.
    queued_by_app: HashMap<Arc<str>, usize>,
}

impl Board {
    /// Whether another job of that app may be queued.
    ///
    /// # Errors
    /// [`Full`].
    pub fn admits(&self, app: &str, config: &JobsConfig) -> Result<(), Full> {
        let limit = config.max_queued;
        if self.queued() >= limit {
            return Err(Full::All { limit });
        }
        let limit = config.max_queued_per_app;
        match self.queued_by_app.get(app) {
            Some(queued) if *queued >= limit => Err(Full::App { limit }),
            _ => Ok(()),
        }
    }

    /// A job waits from now on; nothing happens if it is on the board already.
    pub fn queue(&mut self, entry: Entry) {
        if self.knows(&entry.id) {
            return;
        }
        *self.queued_by_app.entry(entry.app.clone()).or_default() += 1;
        self.line_up(entry);
    }

    /// A job rests until a time, and waits then; nothing happens if it is on the board already.
    pub fn rest(&mut self, entry: Entry, until: Monotonic) {
        if self.knows(&entry.id) {
            return;
        }
        *self.queued_by_app.entry(entry.app.clone()).or_default() += 1;
        self.alarms.insert((until, entry.id.clone()));
        self.resting.insert(entry.id.clone(), (until, entry));
    }

    /// A job runs already.
    pub fn adopt(&mut self, entry: Entry) {
        if !self.knows(&entry.id) {
            self.run(entry);
        }
    }

    /// The jobs to begin now, which count as running from here on.
    pub fn next(&mut self, room: Room, now: Monotonic) -> Vec<Entry> {
        self.wake(now);
        let mut begun = Vec::new();
        while self.running.len() - self.at_once < room.all {
            let (apps, providers) = (&self.running_by_app, &self.running_by_provider);
            let has_room = |app: &str| apps.get(app).is_none_or(|running| *running < room.app);
            let serves = |name: &str| {
                let running = providers.get(name);
                running.is_none_or(|running| *running < room.provider)
            };
            let mut tiers = self.tiers.iter_mut();
            let Some(entry) = tiers.find_map(|tier| tier.take(has_room, serves)) else {
                break;
            };
            self.waiting.remove(&entry.id);
            less(&mut self.queued_by_app, &entry.app);
            self.run(entry.clone());
            begun.push(entry);
        }
        begun
    }

    /// A job is off the board, wherever it was.
    pub fn remove(&mut self, id: &str) -> Option<Entry> {
        if let Some(entry) = self.running.remove(id) {
            match entry.at_once {
                true => self.at_once -= 1,
                false => {
                    less(&mut self.running_by_app, &entry.app);
                    less(&mut self.running_by_provider, &entry.provider);
                }
            }
            return Some(entry);
        }
        let entry = match self.resting.remove(id) {
            Some((until, entry)) => {
                self.alarms.remove(&(until, entry.id.clone()));
                entry
            }
            None => {
                let entry = self.waiting.remove(id)?;
                self.tiers[tier_of(&entry)].leave(&entry);
                entry
            }
        };
        less(&mut self.queued_by_app, &entry.app);
        Some(entry)
    }

    /// How many jobs are begun before that one and with it, as things are: 1 = it is next. None if it does not wait.
    #[must_use]
    pub fn position(&self, id: &str) -> Option<usize> {
        let entry = self.waiting.get(id)?;
        let own = tier_of(entry);
        let before = self.tiers[..own].iter().map(Tier::len);
        let inside = self.tiers[own].rank(entry)?;
        Some(before.sum::<usize>() + inside + 1)
    }

    /// When the next one that rests is to be woken.
    #[must_use]
    pub fn alarm(&self) -> Option<Monotonic> {
        self.alarms.first().map(|(until, _)| *until)
    }

    /// Whether it runs.
    #[must_use]
    pub fn runs(&self, id: &str) -> bool {
        self.running.contains_key(id)
    }

    /// Whether it is anywhere.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        self.runs(id) || self.waiting.contains_key(id) || self.resting.contains_key(id)
    }

    /// All that run.
    pub fn running(&self) -> impl Iterator<Item = &Entry> {
        self.running.values()
    }

    /// How many wait or rest.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.waiting.len() + self.resting.len()
    }

    fn wake(&mut self, now: Monotonic) {
        while let Some((until, id)) = self.alarms.first().cloned()
            && until <= now
        {
            self.alarms.pop_first();
            if let Some((_, entry)) = self.resting.remove(&id) {
                self.line_up(entry);
            }
        }
    }

    fn line_up(&mut self, entry: Entry) {
        self.waiting.insert(entry.id.clone(), entry.clone());
        self.tiers[tier_of(&entry)].join(entry);
    }

    fn run(&mut self, entry: Entry) {
        if entry.at_once {
            self.at_once += 1;
        } else {
            let (apps, providers) = (&mut self.running_by_app, &mut self.running_by_provider);
            *apps.entry(entry.app.clone()).or_default() += 1;
            *providers.entry(entry.provider.clone()).or_default() += 1;
        }
        self.running.insert(entry.id.clone(), entry);
    }
}

/// In which tier a job waits.
fn tier_of(entry: &Entry) -> usize {
    usize::from(entry.priority != RESUMED)
}

fn less(counts: &mut HashMap<Arc<str>, usize>, of: &str) {
    if let Some(count) = counts.get_mut(of) {
        *count -= 1;
        if *count == 0 {
            counts.remove(of);
        }
    }
}
