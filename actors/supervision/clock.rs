//! Time, injected: monotonic for timers and cooldowns, wall-clock for what is stored or shown.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A moment on the monotonic clock, as the time since the clock was made.
pub type Monotonic = Duration;

/// Where everything that decides by time reads it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { origin: Instant },
    Manual(Arc<ManualClock>),
}

/// The clock of a test: it stands still until it is advanced.
#[derive(Debug, Default)]
pub struct ManualClock {
    elapsed_ns: AtomicU64,
    wall_start_ms: u64,
}

impl Clock {
    /// The machine's own clocks.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System {
            origin: Instant::now(),
        })
    }

    /// A clock that only moves by [`ManualClock::advance`]; its wall time starts at `wall_start_ms`.
    #[must_use]
    pub fn manual(wall_start_ms: u64) -> (Self, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock {
            elapsed_ns: AtomicU64::new(0),
            wall_start_ms,
        });
        (Self(Source::Manual(clock.clone())), clock)
    }

    /// Monotonic time: never steps back, says nothing about the date.
    #[must_use]
    pub fn now(&self) -> Monotonic {
        match &self.0 {
            Source::System { origin } => origin.elapsed(),
            Source::Manual(clock) => clock.elapsed(),
        }
    }

    /// Milliseconds since 1970, UTC.
    #[must_use]
    pub fn wall_ms(&self) -> u64 {
        match &self.0 {
            Source::System { .. } => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, millis),
            Source::Manual(clock) => clock.wall_start_ms + millis(clock.elapsed()),
        }
    }
}

impl ManualClock {
    /// Moves both the monotonic and the wall-clock time forward.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.elapsed_ns.fetch_add(nanos, Ordering::SeqCst);
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed_ns.load(Ordering::SeqCst))
    }
}

/// Whole milliseconds of a duration, saturating.
#[must_use]
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let (clock, hand) = Clock::manual(1_000);
        assert_eq!((clock.now(), clock.wall_ms()), (Duration::ZERO, 1_000));
        hand.advance(Duration::from_secs(2));
        assert_eq!(
            (clock.now(), clock.wall_ms()),
            (Duration::from_secs(2), 3_000)
        );
    }
}
