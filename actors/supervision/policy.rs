//! When a fallen actor is restarted, and when its parent must act. Pure.

use std::{collections::VecDeque, time::Duration};

use super::{clock::Monotonic, config::SupervisionConfig};

/// Backoff and intensity of one node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartPolicy {
    pub backoff_min: Duration,
    pub backoff_max: Duration,
    /// Restarts inside `period` that are still borne; one more escalates.
    pub intensity: u32,
    pub period: Duration,
}

/// What to do about a fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Wait, then restart.
    Restart { backoff: Duration },
    /// Too many falls inside the period: the parent restarts as a whole.
    Escalate,
}

impl From<&SupervisionConfig> for RestartPolicy {
    fn from(config: &SupervisionConfig) -> Self {
        Self {
            backoff_min: Duration::from_millis(config.backoff_min_ms),
            backoff_max: Duration::from_millis(config.backoff_max_ms),
            intensity: config.intensity,
            period: Duration::from_secs(config.period_seconds),
        }
    }
}

impl RestartPolicy {
    /// That of groups: each of their falls is many of a child's.
    #[must_use]
    pub fn of_groups(config: &SupervisionConfig) -> Self {
        Self {
            intensity: config.group_intensity,
            period: Duration::from_secs(config.group_period_seconds),
            ..Self::from(config)
        }
    }

    /// With a window that falls can fill of which each takes up to `each` to be noticed.
    #[must_use]
    pub fn for_slow_falls(self, each: Duration) -> Self {
        let each = each.saturating_add(self.backoff_max);
        let needed = each.saturating_mul(self.intensity.saturating_add(1));
        Self {
            period: self.period.max(needed),
            ..self
        }
    }

    /// How long it takes until the parent acts, when a node falls `each` after every start. None when
    /// the earliest falls leave the window before there are enough: then the parent never acts.
    #[must_use]
    pub fn escalates_after(&self, each: Duration) -> Option<Duration> {
        let mut between = Duration::ZERO;
        for earlier in 0..self.intensity {
            between = between
                .saturating_add(backoff(self, earlier))
                .saturating_add(each);
            if between > self.period {
                return None;
            }
        }
        Some(between.saturating_add(each))
    }
}

impl SupervisionConfig {
    /// After how long an actor that falls at every start takes along its group, the groups together,
    /// and the process. None where that never comes about.
    #[must_use]
    pub fn never_up(&self) -> Option<[Duration; 3]> {
        let groups = RestartPolicy::of_groups(self);
        let group = RestartPolicy::from(self).escalates_after(Duration::ZERO)?;
        let root = groups.escalates_after(group)?;
        let process = groups.escalates_after(root)?;
        Some([group, root, process])
    }
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self::from(&SupervisionConfig::default())
    }
}

/// The falls of one node that still count.
#[derive(Debug, Default)]
pub struct History {
    falls: VecDeque<Monotonic>,
}

impl History {
    /// Counts a fall at `now` and decides. The wait doubles with every fall inside the period.
    pub fn fell(&mut self, policy: &RestartPolicy, now: Monotonic) -> Decision {
        while self
            .falls
            .front()
            .is_some_and(|&at| now.saturating_sub(at) > policy.period)
        {
            self.falls.pop_front();
        }
        let earlier = u32::try_from(self.falls.len()).unwrap_or(u32::MAX);
        if earlier >= policy.intensity {
            self.falls.clear();
            return Decision::Escalate;
        }
        self.falls.push_back(now);
        Decision::Restart {
            backoff: backoff(policy, earlier),
        }
    }
}

fn backoff(policy: &RestartPolicy, earlier: u32) -> Duration {
    let factor = 2_u32.saturating_pow(earlier);
    policy
        .backoff_min
        .saturating_mul(factor)
        .min(policy.backoff_max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy(intensity: u32) -> RestartPolicy {
        RestartPolicy {
            backoff_min: Duration::from_millis(10),
            backoff_max: Duration::from_millis(50),
            intensity,
            period: Duration::from_secs(60),
        }
    }

    #[test]
    fn the_wait_doubles_up_to_its_limit_then_the_parent_acts() {
        let policy = policy(4);
        let mut history = History::default();
        let waits: Vec<_> = (0..5)
            .map(|second| history.fell(&policy, Duration::from_secs(second)))
            .collect();
        let restart = |ms| Decision::Restart {
            backoff: Duration::from_millis(ms),
        };
        assert_eq!(
            waits,
            [
                restart(10),
                restart(20),
                restart(40),
                restart(50),
                Decision::Escalate
            ]
        );
    }

    #[test]
    fn falls_outside_the_period_are_forgiven() {
        let policy = policy(1);
        let mut history = History::default();
        for minute in 0..10 {
            let decision = history.fell(&policy, Duration::from_secs(minute * 61));
            assert!(matches!(decision, Decision::Restart { .. }));
        }
    }

    /// The figures of docs/operations.md.
    #[test]
    fn by_default_a_child_that_never_comes_up_ends_the_process() {
        let config = SupervisionConfig::default();
        let rounded = |time: Duration| (time.as_millis() + 500) / 1_000;
        assert_eq!(config.never_up().unwrap().map(rounded), [10, 41, 164]);
        let policy = RestartPolicy::default();
        let (mut history, mut now) = (History::default(), Duration::ZERO);
        while let Decision::Restart { backoff } = history.fell(&policy, now) {
            now += backoff;
            assert!(now <= policy.period, "escalates inside its window");
        }
        assert_eq!(rounded(now), 10);
    }

    #[test]
    fn waits_that_outgrow_the_window_never_escalate() {
        let config = SupervisionConfig {
            intensity: 20,
            period_seconds: 60,
            ..SupervisionConfig::default()
        };
        assert_eq!(config.never_up(), None);
        let config = SupervisionConfig {
            group_period_seconds: 60,
            ..SupervisionConfig::default()
        };
        assert_eq!(config.never_up(), None, "the root would wait for ever");
    }

    #[test]
    fn falls_that_take_long_to_be_noticed_escalate_too() {
        let policy = RestartPolicy::default();
        let each = Duration::from_secs(60);
        let falls = |policy: &RestartPolicy| {
            let (mut history, mut now) = (History::default(), Duration::ZERO);
            (0..50).any(|_| {
                now += each;
                match history.fell(policy, now) {
                    Decision::Restart { backoff } => now += backoff,
                    Decision::Escalate => return true,
                }
                false
            })
        };
        assert!(!falls(&policy));
        assert!(falls(&policy.for_slow_falls(each)));
    }

    proptest! {
        #[test]
        fn never_more_restarts_in_a_period_than_the_intensity(
            gaps in proptest::collection::vec(0_u64..40, 1..200), intensity in 1_u32..6
        ) {
            let policy = policy(intensity);
            let mut history = History::default();
            let mut now = Duration::ZERO;
            let mut restarts: Vec<Duration> = Vec::new();
            for gap in gaps {
                now += Duration::from_secs(gap);
                match history.fell(&policy, now) {
                    Decision::Restart { backoff } => {
                        prop_assert!(backoff <= policy.backoff_max);
                        restarts.push(now);
                    }
                    Decision::Escalate => restarts.clear(),
                }
                let recent = restarts.iter().filter(|&&at| now - at <= policy.period).count();
                prop_assert!(recent <= intensity as usize);
            }
        }
    }
}
