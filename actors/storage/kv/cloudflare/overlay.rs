//! What was written here lately: it answers reads before Cloudflare does, and says what is to be sent when.
//!
//! Pure: the time comes in as an argument. An entry waits to be sent, is under way, or has settled. A settled one is
//! kept until every reader of Cloudflare sees it, so that this node never reads back in time.

use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
    time::Duration,
};

use crate::supervision::clock::Monotonic;

/// Cloudflare takes one write a second of each key. Counted from the answer to the one before, with some room.
pub const PACE: Duration = Duration::from_millis(1_050);
/// How long a settled entry answers reads: places read at lately see a new value after up to a minute.
const KEEP: Duration = Duration::from_secs(90);

/// A value, and when it is over in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub value: Rc<[u8]>,
    pub over_ms: Option<u64>,
}

impl Entry {
    pub fn is_over(&self, now_ms: u64) -> bool {
        self.over_ms.is_some_and(|over| over <= now_ms)
    }
}

/// What may be held, sent or not.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub keys: usize,
    pub bytes: usize,
}

/// No room: as much waits to be sent as may.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

/// A write to be sent; without an entry it removes the key.
#[derive(Debug, PartialEq, Eq)]
pub struct Write {
    pub key: Rc<str>,
    pub entry: Option<Entry>,
}

/// See the module's head.
#[derive(Debug)]
pub struct Overlay {
    bounds: Bounds,
    by_key: HashMap<Rc<str>, Held>,
    /// Of those that wait: from when they may be sent.
    waiting: BTreeSet<(Monotonic, Rc<str>)>,
    /// Of those that have settled: since when.
    settled: BTreeSet<(Monotonic, Rc<str>)>,
    bytes: usize,
}

#[derive(Debug)]
struct Held {
    entry: Option<Entry>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// May be sent from then on.
    Waiting(Monotonic),
    /// `outdated` if written again meanwhile.
    Sending { outdated: bool },
    /// Cloudflare took it then.
    Settled(Monotonic),
}

impl Overlay {
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            by_key: HashMap::new(),
            waiting: BTreeSet::new(),
            settled: BTreeSet::new(),
            bytes: 0,
        }
    }

    /// What was last written under `key`, if that is known: an entry, or that it was removed.
    pub fn get(&self, key: &str) -> Option<Option<&Entry>> {
        self.by_key.get(key).map(|held| held.entry.as_ref())
    }

    /// Takes a write of `key`, over any earlier one that has not left yet.
    pub fn put(&mut self, key: &str, entry: Option<Entry>, now: Monotonic) -> Result<(), Full> {
        let earlier = self.take(key);
        let fits = self.make_room(cost(key, entry.as_ref()));
        let (entry, state) = match (earlier, fits) {
            (None, false) => return Err(Full),
            (Some(earlier), false) => (earlier.entry, earlier.state),
            (None, true) => (entry, State::Waiting(now)),
            (Some(earlier), true) => (entry, earlier.state.written(now)),
        };
        self.hold(key.into(), Held { entry, state });
        if fits { Ok(()) } else { Err(Full) }
    }

    /// The write that has waited longest and may be sent at `now`; it is under way from then on.
    pub fn next_due(&mut self, now: Monotonic) -> Option<Write> {
        let (due, key) = self.waiting.first()?;
        if *due > now {
            return None;
        }
        let key = key.clone();
        let mut held = self.take(&key)?;
        held.state = State::Sending { outdated: false };
        let entry = held.entry.clone();
        self.hold(key.clone(), held);
        Some(Write { key, entry })
    }

    /// From when the next write may be sent.
    pub fn due_at(&self) -> Option<Monotonic> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// Cloudflare took the write of `key` that was under way.
    pub fn took(&mut self, key: &str, now: Monotonic) {
        self.landed(key, |outdated| match outdated {
            true => Some(State::Waiting(now + PACE)),
            false => Some(State::Settled(now)),
        });
    }

    /// The write of `key` that was under way did not arrive: it, or what was written since, is to be sent again.
    pub fn lost(&mut self, key: &str, now: Monotonic) {
        self.landed(key, |_| Some(State::Waiting(now + PACE)));
    }

    /// Cloudflare will never take the write of `key` that was under way: it is forgotten, unless written again since.
    pub fn refused(&mut self, key: &str, now: Monotonic) {
        self.landed(key, |outdated| {
            outdated.then_some(State::Waiting(now + PACE))
        });
    }

    /// Forgets what every reader of Cloudflare sees by now.
    pub fn forget(&mut self, now: Monotonic) {
        while let Some((since, key)) = self.settled.first() {
            if now < *since + KEEP {
                break;
            }
            let key = key.clone();
            self.take(&key);
        }
    }

    /// Writes that Cloudflare has not taken yet.
    pub fn unsent(&self) -> usize {
        self.by_key.len() - self.settled.len()
    }

    fn landed(&mut self, key: &str, next: impl FnOnce(bool) -> Option<State>) {
        let Some(mut held) = self.take(key) else {
            return;
        };
        let next = match held.state {
            State::Sending { outdated } => next(outdated),
            other => Some(other),
        };
        if let Some(state) = next {
            held.state = state;
            self.hold(key.into(), held);
        }
    }

    /// Drops settled entries, oldest first, until one more of `cost` bytes fits.
    fn make_room(&mut self, cost: usize) -> bool {
        while self.by_key.len() >= self.bounds.keys || self.bytes + cost > self.bounds.bytes {
            let Some((_, key)) = self.settled.first() else {
                return false;
            };
            let key = key.clone();
            self.take(&key);
        }
        true
    }

    fn take(&mut self, key: &str) -> Option<Held> {
        let (key, held) = self.by_key.remove_entry(key)?;
        self.bytes -= cost(&key, held.entry.as_ref());
        match held.state {
            State::Waiting(due) => self.waiting.remove(&(due, key)),
            State::Settled(since) => self.settled.remove(&(since, key)),
            State::Sending { .. } => true,
        };
        Some(held)
    }

    fn hold(&mut self, key: Rc<str>, held: Held) {
        self.bytes += cost(&key, held.entry.as_ref());
        match held.state {
            State::Waiting(due) => self.waiting.insert((due, key.clone())),
            State::Settled(since) => self.settled.insert((since, key.clone())),
            State::Sending { .. } => true,
        };
        self.by_key.insert(key, held);
    }
}

impl State {
    /// What becomes of it when the key is written at `now`.
    fn written(self, now: Monotonic) -> Self {
        match self {
            Self::Waiting(due) => Self::Waiting(due),
            Self::Sending { .. } => Self::Sending { outdated: true },
            Self::Settled(since) => Self::Waiting(now.max(since + PACE)),
        }
    }
}

fn cost(key: &str, entry: Option<&Entry>) -> usize {
    key.len() + entry.map_or(0, |entry| entry.value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const BOUNDS: Bounds = Bounds { keys: 3, bytes: 30 };

    fn entry(text: &str) -> Option<Entry> {
        Some(Entry {
            value: text.as_bytes().into(),
            over_ms: None,
        })
    }

    fn write(key: &str, text: &str) -> Option<Write> {
        Some(Write {
            key: key.into(),
            entry: entry(text),
        })
    }

    fn shown<'a>(overlay: &'a Overlay, key: &str) -> Option<&'a [u8]> {
        overlay.get(key).flatten().map(|entry| &*entry.value)
    }

    #[test]
    fn the_last_of_many_writes_is_sent_once() {
        let (mut overlay, now) = (Overlay::new(BOUNDS), SECOND);
        for text in ["1", "2", "3"] {
            assert_eq!(overlay.put("a", entry(text), now), Ok(()));
        }
        assert_eq!(shown(&overlay, "a"), Some(&b"3"[..]));
        assert_eq!(overlay.next_due(now), write("a", "3"));
        assert_eq!(overlay.next_due(now), None);
        overlay.took("a", now);
        assert_eq!((overlay.unsent(), overlay.due_at()), (0, None));
    }

    #[test]
    fn a_key_is_written_once_a_second() {
        let (mut overlay, now) = (Overlay::new(BOUNDS), SECOND);
        overlay.put("a", entry("1"), now).unwrap();
        overlay.next_due(now);
        overlay.put("a", entry("2"), now).unwrap();
        assert_eq!(overlay.next_due(now + SECOND), None, "two under way");
        overlay.took("a", now);
        assert_eq!(overlay.due_at(), Some(now + PACE));
        assert_eq!(overlay.next_due(now + SECOND), None, "too soon");
        assert_eq!(overlay.next_due(now + PACE), write("a", "2"));
        overlay.took("a", now + PACE);
        overlay.put("a", None, now + PACE).unwrap();
        assert_eq!(overlay.due_at(), Some(now + 2 * PACE));
        assert_eq!(overlay.get("a"), Some(None));
    }

    #[test]
    fn a_lost_write_is_sent_again_and_a_refused_one_is_not() {
        let (mut overlay, now) = (Overlay::new(BOUNDS), SECOND);
        overlay.put("a", entry("1"), now).unwrap();
        overlay.next_due(now);
        overlay.lost("a", now);
        assert_eq!(overlay.next_due(now + PACE), write("a", "1"));
        overlay.refused("a", now + PACE);
        assert_eq!(overlay.get("a"), None);
        overlay.put("a", entry("2"), now).unwrap();
        overlay.next_due(now);
        overlay.put("a", entry("3"), now).unwrap();
        overlay.refused("a", now);
        assert_eq!(overlay.next_due(now + PACE), write("a", "3"));
    }

    #[test]
    fn what_has_settled_answers_until_everybody_sees_it() {
        let (mut overlay, now) = (Overlay::new(BOUNDS), SECOND);
        overlay.put("a", entry("1"), now).unwrap();
        overlay.next_due(now);
        overlay.forget(now + 2 * KEEP);
        overlay.took("a", now);
        overlay.forget(now + KEEP - SECOND);
        assert_eq!(shown(&overlay, "a"), Some(&b"1"[..]));
        overlay.forget(now + KEEP);
        assert_eq!(overlay.get("a"), None);
        assert_eq!(overlay.bytes, 0);
    }

    #[test]
    fn a_full_overlay_drops_what_has_settled_and_then_refuses() {
        let (mut overlay, now) = (Overlay::new(BOUNDS), SECOND);
        overlay.put("a", entry("1"), now).unwrap();
        overlay.next_due(now);
        overlay.took("a", now);
        for key in ["b", "c", "d"] {
            assert_eq!(overlay.put(key, entry("1"), now), Ok(()));
        }
        assert_eq!(overlay.get("a"), None);
        assert_eq!(overlay.put("e", entry("1"), now), Err(Full));
        assert_eq!(overlay.get("e"), None);
        assert_eq!(overlay.put("b", entry("2"), now), Ok(()), "no new key");
        let long = "x".repeat(30);
        assert_eq!(overlay.put("b", entry(&long), now), Err(Full));
        assert_eq!(shown(&overlay, "b"), Some(&b"2"[..]), "the earlier one");
        assert_eq!((overlay.unsent(), overlay.bytes), (3, 6));
    }
}
