//! One key's requests in one minute, as far as this node knows.

/// A count of this node and what it heard of the others.
#[derive(Debug, Default)]
pub struct Window {
    mine: u32,
    /// How many of `mine` the store has.
    told: u32,
    others: u32,
    /// Whether the store has answered in this minute.
    pub heard: bool,
    /// Whether it waits to be told to the store.
    pub queued: bool,
}

impl Window {
    /// Requests of all nodes.
    pub fn total(&self) -> u32 {
        self.mine.saturating_add(self.others)
    }

    /// Counts one more; false, and not counted, where `limit` is reached.
    pub fn take(&mut self, limit: u32) -> bool {
        let free = self.total() < limit;
        self.mine += u32::from(free);
        free
    }

    /// What the store is to be told.
    pub fn owed(&self) -> u32 {
        self.mine - self.told
    }

    /// The store has added `count` of this node, and has `sum` of all.
    pub fn settle(&mut self, count: u32, sum: i64) {
        self.told = self.told.saturating_add(count).min(self.mine);
        let sum = u32::try_from(sum.max(0)).unwrap_or(u32::MAX);
        self.others = sum.saturating_sub(self.told);
        self.heard = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_up_to_the_limit_with_what_others_had() {
        let mut window = Window::default();
        assert!(window.take(4) && window.take(4));
        assert_eq!(window.owed(), 2);
        window.settle(2, 3);
        assert_eq!((window.total(), window.owed(), window.heard), (3, 0, true));
        assert!(window.take(4));
        assert!(!window.take(4), "one of four was another node's");
        assert_eq!(window.owed(), 1);
    }

    #[test]
    fn what_came_in_meanwhile_is_owed_still() {
        let mut window = Window::default();
        assert!(window.take(9));
        let count = window.owed();
        assert!(window.take(9));
        window.settle(count, 1);
        assert_eq!((window.total(), window.owed()), (2, 1));
    }

    #[test]
    fn a_store_that_forgot_or_talks_nonsense_does_no_harm() {
        let mut window = Window::default();
        assert!(window.take(9));
        window.settle(1, -5);
        assert_eq!(window.total(), 1);
        window.settle(7, i64::MAX);
        assert_eq!(window.owed(), 0);
        assert!(!window.take(9));
    }
}
