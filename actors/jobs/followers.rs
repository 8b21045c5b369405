//! Who follows which job, and what they were last told: they look at the job again where something is new.

use std::{collections::HashMap, mem, sync::Arc};

use tokio::sync::watch;

use super::{policy::Board, standing::Standing};

/// Ticks between two times that places in the queue are told: 2 s.
const PLACES: usize = 8;
/// One tick more for so many jobs that are followed, as each place is counted.
const PLACES_PER_TICK: usize = 100;

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Followers {
    by_job: HashMap<Arc<str>, watch::Sender<Standing>>,
    /// Ticks until places are told.
    places_in: usize,
}

impl Followers {
    /// One more.
    pub fn add(&mut self, job: String) -> watch::Receiver<Standing> {
        let sender = self.by_job.entry(job.into());
        let sender = sender.or_insert_with(|| watch::channel(Standing::default()).0);
        sender.subscribe()
    }

    /// Those of a job look at it again.
    pub fn stir(&self, job: &str) {
        if let Some(sender) = self.by_job.get(job) {
            sender.send_modify(|_| ());
        }
    }

    /// All look at their job again.
    pub fn stir_all(&self) {
        for sender in self.by_job.values() {
            sender.send_modify(|_| ());
        }
    }

    /// Those of a job that runs are told how far it is, where anybody is there.
    pub fn tell_progress(&self, job: &str, progress: impl FnOnce() -> Option<u8>) {
        if let Some(sender) = self.by_job.get(job)
            && let Some(progress) = progress()
        {
            sender
                .send_if_modified(|known| mem::replace(&mut known.progress, progress) != progress);
        }
    }

    /// Forgets who has left; now and then those of jobs that wait are told their places.
    pub fn tick(&mut self, board: &Board) {
        self.by_job.retain(|_, sender| sender.receiver_count() > 0);
        if self.places_in > 0 {
            self.places_in -= 1;
            return;
        }
        self.places_in = PLACES + self.by_job.len() / PLACES_PER_TICK;
        for (job, sender) in &self.by_job {
            let position = board.position(job);
            sender
                .send_if_modified(|known| mem::replace(&mut known.position, position) != position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::{policy::Entry, tests::hand::row};

    fn entry(id: &str) -> Entry {
        let mut row = row();
        id.clone_into(&mut row.id);
        Entry::of(&row)
    }

    #[test]
    fn places_are_told_now_and_then_and_only_where_they_changed() {
        let (mut followers, mut board) = (Followers::default(), Board::default());
        board.queue(entry("a"));
        board.queue(entry("b"));
        let mut news = followers.add("b".to_owned());
        followers.tick(&board);
        assert_eq!(news.borrow_and_update().position, Some(2));
        board.remove("a");
        for _ in 0..PLACES {
            followers.tick(&board);
            assert!(!news.has_changed().unwrap(), "too soon");
        }
        followers.tick(&board);
        assert_eq!(news.borrow_and_update().position, Some(1));
        for _ in 0..=PLACES {
            followers.tick(&board);
        }
        assert!(!news.has_changed().unwrap(), "nothing is new");
        drop(news);
        followers.tick(&board);
        assert!(followers.by_job.is_empty());
    }
}
