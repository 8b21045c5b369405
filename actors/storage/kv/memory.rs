//! `memory://`: a bounded map in this process.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    future::ready,
    rc::Rc,
    time::Duration,
};

use crate::supervision::{Clock, clock::Monotonic};

use super::{Abilities, Answer, Backend, KvError};

/// The store of a single node.
pub struct Memory {
    entries: RefCell<Entries>,
    clock: Clock,
}

impl Memory {
    /// An empty store of at most `max_entries`.
    pub fn new(max_entries: usize, clock: Clock) -> Self {
        Self {
            entries: RefCell::new(Entries::new(max_entries)),
            clock,
        }
    }
}

impl Backend for Memory {
    fn abilities(&self) -> Abilities {
        Abilities {
            counters: true,
            shortest_ttl: Duration::from_millis(1),
            shared: false,
            lag: Duration::ZERO,
        }
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        answer(Ok(self
            .entries
            .borrow()
            .get(key, self.clock.now())
            .map(<[u8]>::to_vec)))
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Option<Duration>) -> Answer<'a, ()> {
        self.entries
            .borrow_mut()
            .set(key, value, ttl, self.clock.now());
        answer(Ok(()))
    }

    fn set_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Option<Duration>,
    ) -> Answer<'a, bool> {
        let (mut entries, now) = (self.entries.borrow_mut(), self.clock.now());
        let absent = entries.get(key, now).is_none();
        if absent {
            entries.set(key, value, ttl, now);
        }
        answer(Ok(absent))
    }

    fn increment<'a>(&'a self, key: &'a str, by: i64, ttl: Duration) -> Answer<'a, i64> {
        answer(
            self.entries
                .borrow_mut()
                .increment(key, by, ttl, self.clock.now()),
        )
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool> {
        let (mut entries, now) = (self.entries.borrow_mut(), self.clock.now());
        let was_there = entries.get(key, now).is_some();
        entries.remove(key);
        answer(Ok(was_there))
    }

    fn ping(&self) -> Answer<'_, ()> {
        answer(Ok(()))
    }
}

fn answer<'a, T: 'a>(result: Result<T, KvError>) -> Answer<'a, T> {
    Box::pin(ready(result))
}

/// The map, with the time as an argument.
struct Entries {
    max: usize,
    by_key: HashMap<Rc<str>, Entry>,
    /// The same keys by when they go, so that making room never searches.
    by_expiry: BTreeSet<(Expiry, Rc<str>)>,
}

struct Entry {
    value: Vec<u8>,
    expiry: Expiry,
}

/// When an entry goes; what never goes sorts last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Expiry {
    At(Monotonic),
    Never,
}

impl Expiry {
    fn is_over(self, now: Monotonic) -> bool {
        matches!(self, Self::At(at) if at <= now)
    }
}

impl Entries {
    fn new(max: usize) -> Self {
        Self {
            max,
            by_key: HashMap::new(),
            by_expiry: BTreeSet::new(),
        }
    }

    fn get(&self, key: &str, now: Monotonic) -> Option<&[u8]> {
        let entry = self
            .by_key
            .get(key)
            .filter(|entry| !entry.expiry.is_over(now))?;
        Some(&entry.value)
    }

    fn set(&mut self, key: &str, value: Vec<u8>, ttl: Option<Duration>, now: Monotonic) {
        self.remove(key);
        self.make_room(now);
        let key: Rc<str> = key.into();
        let expiry = ttl
            .and_then(|ttl| now.checked_add(ttl))
            .map_or(Expiry::Never, Expiry::At);
        self.by_expiry.insert((expiry, key.clone()));
        self.by_key.insert(key, Entry { value, expiry });
    }

    /// Counters are stored as decimal text, as Redis does.
    fn increment(
        &mut self,
        key: &str,
        by: i64,
        ttl: Duration,
        now: Monotonic,
    ) -> Result<i64, KvError> {
        let Some(value) = self.get(key, now) else {
            self.set(key, by.to_string().into_bytes(), Some(ttl), now);
            return Ok(by);
        };
        let count: Option<i64> = str::from_utf8(value)
            .ok()
            .and_then(|text| text.parse().ok());
        let sum = count
            .and_then(|count| count.checked_add(by))
            .ok_or_else(|| {
                KvError::Refused("the value is no counter or would overflow".to_owned())
            })?;
        if let Some(entry) = self.by_key.get_mut(key) {
            entry.value = sum.to_string().into_bytes();
        }
        Ok(sum)
    }

    fn remove(&mut self, key: &str) {
        if let Some((key, entry)) = self.by_key.remove_entry(key) {
            self.by_expiry.remove(&(entry.expiry, key));
        }
    }

    /// Drops what is over, then what would be over soonest, until one more fits.
    fn make_room(&mut self, now: Monotonic) {
        while let Some((expiry, _)) = self.by_expiry.first() {
            if !expiry.is_over(now) && self.by_key.len() < self.max {
                break;
            }
            if let Some((_, key)) = self.by_expiry.pop_first() {
                self.by_key.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn set(entries: &mut Entries, key: &str, ttl: Option<Duration>, now: Monotonic) {
        entries.set(key, key.as_bytes().to_vec(), ttl, now);
    }

    #[test]
    fn an_entry_goes_when_its_time_is_over() {
        let (mut entries, now) = (Entries::new(10), SECOND);
        set(&mut entries, "a", Some(SECOND), now);
        set(&mut entries, "b", None, now);
        assert_eq!(entries.get("a", now + SECOND / 2), Some(&b"a"[..]));
        assert_eq!(entries.get("a", now + SECOND), None);
        assert_eq!(entries.get("b", now + 1_000_000 * SECOND), Some(&b"b"[..]));
    }

    #[test]
    fn a_counter_lives_from_its_first_increment() {
        let (mut entries, now) = (Entries::new(10), SECOND);
        assert_eq!(entries.increment("n", 2, SECOND, now), Ok(2));
        assert_eq!(entries.increment("n", 3, SECOND, now + SECOND / 2), Ok(5));
        assert_eq!(entries.increment("n", 1, SECOND, now + SECOND), Ok(1));
        assert!(
            entries
                .increment("n", i64::MAX, SECOND, now + SECOND)
                .is_err()
        );
    }

    #[test]
    fn a_full_store_drops_what_is_over_and_then_what_would_be_soonest() {
        let (mut entries, now) = (Entries::new(3), SECOND);
        set(&mut entries, "forever", None, now);
        set(&mut entries, "long", Some(9 * SECOND), now);
        set(&mut entries, "short", Some(SECOND), now);
        set(&mut entries, "new", Some(5 * SECOND), now);
        assert_eq!(entries.get("short", now), None);
        set(&mut entries, "newer", None, now + 6 * SECOND);
        assert_eq!(entries.get("new", now), None);
        assert!(
            ["forever", "long", "newer"]
                .iter()
                .all(|key| entries.get(key, now).is_some())
        );
        assert_eq!(entries.by_key.len(), entries.by_expiry.len());
    }

    #[test]
    fn a_key_set_again_takes_no_second_place() {
        let (mut entries, now) = (Entries::new(2), SECOND);
        for _ in 0..5 {
            set(&mut entries, "a", Some(SECOND), now);
        }
        set(&mut entries, "b", Some(SECOND), now);
        assert!(entries.get("a", now).is_some());
        entries.remove("a");
        assert_eq!((entries.by_key.len(), entries.by_expiry.len()), (1, 1));
    }
}
