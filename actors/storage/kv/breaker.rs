//! Stops asking a store that does not answer, so that nothing waits for it.

use std::time::Duration;

use crate::supervision::clock::Monotonic;

/// When to stop asking, and when to look again.
#[derive(Debug, Clone, Copy)]
pub struct BreakerPolicy {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open before one probe may go through.
    pub open_for: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            failures: 3,
            open_for: Duration::from_secs(1),
        }
    }
}

/// A circuit breaker as a pure state machine: the time comes in as an argument.
///
/// Ordinary operations pass only while it is closed; who finds out whether the store is back is a probe of its own,
/// so no caller ever pays for the finding out.
#[derive(Debug)]
pub struct Breaker {
    policy: BreakerPolicy,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// All goes through; counts the failures in a row.
    Closed { failures: u32 },
    /// Nothing goes through, from `until` on one probe.
    Open { until: Monotonic },
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(policy: BreakerPolicy) -> Self {
        Self {
            policy,
            state: State::Closed { failures: 0 },
        }
    }

    /// Whether an ordinary operation may go through.
    #[must_use]
    pub fn admits(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// Whether a probe may go through at `now`. While open this is true once per `open_for`, so a probe that never
    /// reports back blocks nothing.
    pub fn admits_probe(&mut self, now: Monotonic) -> bool {
        match self.state {
            State::Closed { .. } => true,
            State::Open { until } if now < until => false,
            State::Open { .. } => {
                self.state = State::Open {
                    until: now + self.policy.open_for,
                };
                true
            }
        }
    }

    /// The store answered. `true` if this closed an open breaker.
    pub fn succeed(&mut self) -> bool {
        let was_open = !self.admits();
        self.state = State::Closed { failures: 0 };
        was_open
    }

    /// The store did not answer at `now`. `true` if this opened the breaker.
    pub fn fail(&mut self, now: Monotonic) -> bool {
        match self.state {
            State::Closed { failures } if failures + 1 < self.policy.failures => {
                self.state = State::Closed {
                    failures: failures + 1,
                };
                false
            }
            State::Closed { .. } => {
                self.state = State::Open {
                    until: now + self.policy.open_for,
                };
                true
            }
            // operations that began before it opened, or a probe in vain
            State::Open { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker() -> Breaker {
        Breaker::new(BreakerPolicy {
            failures: 2,
            open_for: SECOND,
        })
    }

    #[test]
    fn only_failures_in_a_row_open_it() {
        let (mut breaker, now) = (breaker(), Duration::ZERO);
        assert!(!breaker.fail(now));
        assert!(!breaker.succeed());
        assert!(!breaker.fail(now));
        assert!(breaker.admits());
        assert!(breaker.fail(now));
        assert!(!breaker.admits());
    }

    #[test]
    fn one_probe_per_period_finds_out_whether_it_is_over() {
        let (mut breaker, now) = (breaker(), Duration::ZERO);
        breaker.fail(now);
        breaker.fail(now);
        assert!(!breaker.admits_probe(now + SECOND / 2));
        assert!(breaker.admits_probe(now + SECOND));
        assert!(
            !breaker.admits_probe(now + SECOND),
            "a second probe beside the first"
        );
        assert!(!breaker.admits(), "an operation while the probe is out");
        assert!(!breaker.fail(now + SECOND));
        assert!(breaker.admits_probe(now + 2 * SECOND));
        assert!(breaker.succeed());
        assert!(breaker.admits());
    }

    #[test]
    fn an_operation_that_began_before_it_opened_changes_nothing() {
        let (mut breaker, now) = (breaker(), Duration::ZERO);
        breaker.fail(now);
        breaker.fail(now);
        assert!(!breaker.fail(now + SECOND / 2));
        assert!(breaker.admits_probe(now + SECOND));
    }
}
