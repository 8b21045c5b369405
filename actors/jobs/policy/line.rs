//! Jobs that wait: each app has a line, in which higher priorities go first, and the apps take turns.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use super::Entry;

/// See the module's head.
#[derive(Debug, Default)]
pub struct Tier {
    /// The apps that have jobs, the next one first.
    turns: VecDeque<Arc<str>>,
    lines: HashMap<Arc<str>, Line>,
    length: usize,
}

/// The jobs of one app by provider, so that a provider without room holds up its own jobs only.
type Line = BTreeMap<Arc<str>, BTreeMap<Place, Entry>>;

/// A place in a line: by priority, then by age.
type Place = (Reverse<i32>, Arc<str>);

fn place(entry: &Entry) -> Place {
    (Reverse(entry.priority), entry.id.clone())
}

impl Tier {
    pub fn join(&mut self, entry: Entry) {
        if !self.lines.contains_key(&entry.app) {
            self.turns.push_back(entry.app.clone());
        }
        let line = self.lines.entry(entry.app.clone()).or_default();
        let jobs = line.entry(entry.provider.clone()).or_default();
        self.length += usize::from(jobs.insert(place(&entry), entry).is_none());
    }

    /// Takes the first job that may run of the first app that may run one; that app's turn is over then.
    pub fn take(
        &mut self,
        has_room: impl Fn(&str) -> bool,
        serves: impl Fn(&str) -> bool,
    ) -> Option<Entry> {
        let (at, entry) = self.turns.iter().enumerate().find_map(|(at, app)| {
            if !has_room(app) {
                return None;
            }
            let line = self.lines.get(app)?.iter();
            let open = line.filter(|(provider, _)| serves(provider));
            let heads = open.filter_map(|(_, jobs)| jobs.first_key_value());
            let first = heads.min_by_key(|(place, _)| *place);
            first.map(|(_, entry)| (at, entry.clone()))
        })?;
        self.leave(&entry);
        // its turn: gone with its last job, else behind all others
        if self.lines.contains_key(&entry.app)
            && let Some(app) = self.turns.remove(at)
        {
            self.turns.push_back(app);
        }
        Some(entry)
    }

    pub fn leave(&mut self, entry: &Entry) {
        let Some(line) = self.lines.get_mut(&entry.app) else {
            return;
        };
        if let Some(jobs) = line.get_mut(&entry.provider) {
            self.length -= usize::from(jobs.remove(&place(entry)).is_some());
            if jobs.is_empty() {
                line.remove(&entry.provider);
            }
        }
        if line.is_empty() {
            self.lines.remove(&entry.app);
            self.turns.retain(|app| *app != entry.app);
        }
    }

    /// How many go before that one.
    pub fn rank(&self, entry: &Entry) -> Option<usize> {
        let own = self.turns.iter().position(|app| *app == entry.app)?;
        let before = |jobs: &BTreeMap<Place, Entry>| jobs.range(..place(entry)).count();
        let rounds: usize = self.lines.get(&entry.app)?.values().map(before).sum();
        let others = self.turns.iter().enumerate().filter(|(at, _)| *at != own);
        let first = others.map(|(at, app)| {
            let length = self.lines.get(app).map_or(0, length);
            length.min(rounds + usize::from(at < own))
        });
        Some(rounds + first.sum::<usize>())
    }

    pub fn len(&self) -> usize {
        self.length
    }
}

fn length(line: &Line) -> usize {
    line.values().map(BTreeMap::len).sum()
}
