//! The circuit breaker of one provider: after many faults in a row it stops calling for a while,
//! then lets single requests find out whether the upstream is back.

use std::time::Duration;

use crate::supervision::clock::Monotonic;

/// Pure state: it is told the time and what happened, and says who may pass.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct Breaker {
    threshold: u32,
    open_for: Duration,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// All may pass; `faults` happened in a row.
    Closed { faults: u32 },
    /// Nobody may pass until then.
    Open { until: Monotonic },
    /// A probe is out. Should it take long (a stream of minutes), the next may go at `next_probe`.
    HalfOpen { next_probe: Monotonic },
}

/// Whether a request may go to the upstream now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    Pass,
    /// It may go as the one request that finds out; say so with [`Breaker::probe_lent`].
    Probe,
    Refuse {
        until: Monotonic,
    },
}

/// What the breaker shows to operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerView {
    Closed {
        faults: u32,
    },
    Open {
        until: Monotonic,
    },
    /// A probe is out; the next may go at `next_probe`.
    HalfOpen {
        next_probe: Monotonic,
    },
}

impl Breaker {
    /// A closed breaker that opens for `open_for` after `threshold` faults in a row; 0 = never.
    #[must_use]
    pub fn new(threshold: u32, open_for: Duration) -> Self {
        Self {
            threshold,
            open_for,
            state: State::Closed { faults: 0 },
        }
    }

    /// Asks without changing anything: a probe counts only once it is really lent.
    #[must_use]
    pub fn gate(&self, now: Monotonic) -> Gate {
        match self.state {
            State::Closed { .. } => Gate::Pass,
            State::Open { until } if now < until => Gate::Refuse { until },
            State::HalfOpen { next_probe } if now < next_probe => {
                Gate::Refuse { until: next_probe }
            }
            State::Open { .. } | State::HalfOpen { .. } => Gate::Probe,
        }
    }

    /// The request that was told [`Gate::Probe`] got its credential.
    pub fn probe_lent(&mut self, now: Monotonic) {
        self.state = State::HalfOpen {
            next_probe: now + self.open_for,
        };
    }

    /// The upstream answered, be it with a refusal: it is there. True if this closed the breaker.
    ///
    /// While the breaker is not closed only probes count: an answer to an older request says
    /// nothing of now.
    pub fn answered(&mut self, probe: bool) -> bool {
        let was_closed = matches!(self.state, State::Closed { .. });
        if was_closed || probe {
            self.state = State::Closed { faults: 0 };
        }
        !was_closed && probe
    }

    /// The upstream failed. Returns until when the breaker is open, if this opened it.
    pub fn fault(&mut self, now: Monotonic, probe: bool) -> Option<Monotonic> {
        let opens = match &mut self.state {
            State::Closed { faults } => {
                *faults = faults.saturating_add(1);
                self.threshold > 0 && *faults >= self.threshold
            }
            State::HalfOpen { .. } => probe,
            State::Open { .. } => false,
        };
        if !opens {
            return None;
        }
        let until = now + self.open_for;
        self.state = State::Open { until };
        Some(until)
    }

    /// A lease ended without telling anything of the upstream: if it was the probe, the next
    /// request may take its place.
    pub fn learnt_nothing(&mut self, now: Monotonic, probe: bool) {
        if probe && let State::HalfOpen { next_probe } = &mut self.state {
            *next_probe = now;
        }
    }

    /// Closes it by hand.
    pub fn reset(&mut self) {
        self.state = State::Closed { faults: 0 };
    }

    /// The state as shown to operators.
    #[must_use]
    pub fn view(&self) -> BreakerView {
        match self.state {
            State::Closed { faults } => BreakerView::Closed { faults },
            State::Open { until } => BreakerView::Open { until },
            State::HalfOpen { next_probe } => BreakerView::HalfOpen { next_probe },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Monotonic = Duration::from_secs(1_000);
    const OPEN_FOR: Duration = Duration::from_secs(2);

    fn opened(now: Monotonic) -> Breaker {
        let mut breaker = Breaker::new(3, OPEN_FOR);
        assert_eq!(breaker.fault(now, false), None);
        assert_eq!(breaker.fault(now, false), None);
        assert_eq!(breaker.fault(now, false), Some(now + OPEN_FOR));
        breaker
    }

    #[test]
    fn only_faults_in_a_row_open_it() {
        let now = NOW;
        let mut breaker = Breaker::new(2, OPEN_FOR);
        breaker.fault(now, false);
        breaker.answered(false);
        breaker.fault(now, false);
        assert_eq!(breaker.gate(now), Gate::Pass);
        breaker.fault(now, false);
        assert!(matches!(breaker.gate(now), Gate::Refuse { .. }));
    }

    #[test]
    fn zero_never_opens() {
        let now = NOW;
        let mut breaker = Breaker::new(0, OPEN_FOR);
        for _ in 0..100 {
            assert_eq!(breaker.fault(now, false), None);
        }
        assert_eq!(breaker.gate(now), Gate::Pass);
    }

    #[test]
    fn one_probe_then_its_result_decides() {
        let now = NOW;
        let later = now + OPEN_FOR;
        let mut breaker = opened(now);
        assert_eq!(breaker.gate(now), Gate::Refuse { until: later });
        assert_eq!(breaker.gate(later), Gate::Probe);
        breaker.probe_lent(later);
        assert!(matches!(breaker.gate(later), Gate::Refuse { .. }));
        assert_eq!(breaker.fault(later, true), Some(later + OPEN_FOR));

        let again = later + OPEN_FOR;
        breaker.probe_lent(again);
        assert!(breaker.answered(true));
        assert_eq!(breaker.gate(again), Gate::Pass);
    }

    #[test]
    fn reports_of_older_requests_do_not_decide() {
        let now = NOW;
        let mut breaker = opened(now);
        assert!(!breaker.answered(false));
        assert!(matches!(breaker.gate(now), Gate::Refuse { .. }));
        breaker.probe_lent(now + OPEN_FOR);
        assert_eq!(breaker.fault(now + OPEN_FOR, false), None);
        assert!(matches!(breaker.view(), BreakerView::HalfOpen { .. }));
    }

    #[test]
    fn a_probe_that_tells_nothing_or_takes_long_frees_its_place() {
        let now = NOW;
        let mut breaker = opened(now);
        let half_open = now + OPEN_FOR;
        breaker.probe_lent(half_open);
        breaker.learnt_nothing(half_open, false);
        assert!(matches!(breaker.gate(half_open), Gate::Refuse { .. }));
        breaker.learnt_nothing(half_open, true);
        assert_eq!(breaker.gate(half_open), Gate::Probe);
        breaker.probe_lent(half_open);
        assert_eq!(breaker.gate(half_open + OPEN_FOR), Gate::Probe);
    }
}
