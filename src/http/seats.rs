//! How many connections of a kind each app has open: WebSockets, streams of events.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The seats of all apps. Locked, not owned by an actor: a connection is known to live by itself alone.
#[derive(Debug, Clone)]
pub struct Seats {
    most: usize,
    taken: Arc<Mutex<HashMap<Box<str>, usize>>>,
}

/// One connection's; given back when it is dropped.
#[derive(Debug)]
pub struct Seat {
    app_id: Box<str>,
    seats: Seats,
}

impl Seats {
    /// Each app has `most`.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            taken: Arc::default(),
        }
    }

    /// A seat for one more connection of an app; none where it has all of its own taken.
    pub fn take(&self, app_id: &str) -> Option<Seat> {
        let free = self.with(|taken| {
            let count = taken.entry(app_id.into()).or_default();
            let free = *count < self.most;
            *count += usize::from(free);
            free
        });
        free.then(|| Seat {
            app_id: app_id.into(),
            seats: self.clone(),
        })
    }

    fn with<T>(&self, look: impl FnOnce(&mut HashMap<Box<str>, usize>) -> T) -> T {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        look(&mut taken)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.with(|taken| {
            if let Some(count) = taken.get_mut(&self.app_id) {
                *count -= 1;
                if *count == 0 {
                    taken.remove(&self.app_id);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_each_apps_own_and_given_back() {
        let seats = Seats::new(2);
        let held = [seats.take("a").unwrap(), seats.take("a").unwrap()];
        assert!(seats.take("a").is_none());
        assert!(seats.take("b").is_some());
        drop(held);
        assert!(seats.take("a").is_some());
        assert!(
            seats.with(|taken| taken.is_empty()),
            "nothing is left of who has left"
        );
    }
}
