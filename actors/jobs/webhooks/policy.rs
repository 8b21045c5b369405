//! What becomes of a delivery after an attempt, and which may be under way together; pure.

use std::{collections::HashMap, time::Duration};

use super::config::WebhooksConfig;
use crate::storage::queries::webhook_deliveries::{Busy, DeliveryRow};

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered.
    Answered {
        status: u16,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// There was no answer; why, for people.
    Failed(String),
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Delivered,
    /// It is tried again after this wait.
    Again(Duration),
    /// It is given up, and can be queued again by hand.
    Dead,
    /// The receiver wants no more of it, ever (410).
    Gone,
}

/// No receiver can put itself off for longer.
const LONGEST_REST: Duration = Duration::from_secs(24 * 3_600);

impl Outcome {
    /// The status, where there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            Self::Failed(_) => None,
        }
    }

    /// What went wrong, for people; none where nothing did.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        match self {
            Self::Failed(why) => Some(why.clone()),
            Self::Answered { status, .. } => match status {
                200..=299 => None,
                300..=399 => Some(format!(
                    "it answered with {status}, and redirects are not followed: give the URL that it leads to"
                )),
                410 => Some("it answered with 410: it wants no more".to_owned()),
                _ => Some(format!("it answered with {status}")),
            },
        }
    }
}

/// The verdict after `attempts` of them, `age` after the delivery was queued. `lot` is drawn anew from 0 to 1, so that
/// deliveries which failed together do not come back together.
#[must_use]
pub fn verdict(
    outcome: &Outcome,
    attempts: u32,
    age: Duration,
    config: &WebhooksConfig,
    lot: f64,
) -> Verdict {
    let asked = match outcome {
        Outcome::Answered {
            status: 200..=299, ..
        } => return Verdict::Delivered,
        Outcome::Answered { status: 410, .. } => return Verdict::Gone,
        Outcome::Answered { retry_after, .. } => *retry_after,
        Outcome::Failed(_) => None,
    };
    let oldest = Duration::from_secs(3_600 * u64::from(config.max_age_hours));
    let left = oldest.saturating_sub(age);
    if attempts >= config.max_attempts || left.is_zero() {
        return Verdict::Dead;
    }
    let wait = config
        .backoff(attempts)
        .mul_f64(1.0 - lot.clamp(0.0, 1.0) / 2.0);
    let wait = wait.max(asked.unwrap_or_default().min(LONGEST_REST));
    // the last attempt is at the very end of its time
    Verdict::Again(wait.min(left))
}

/// The deliveries under way.
#[derive(Debug, Default)]
pub struct Traffic(HashMap<String, Place>);

/// Whose delivery it is, and to whom.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    app: String,
    receiver: String,
}

impl Traffic {
    /// How many more there may be.
    #[must_use]
    pub fn room(&self, config: &WebhooksConfig) -> usize {
        config.max_running.saturating_sub(self.0.len())
    }

    /// What is under way, and which receivers and apps have no room for more.
    #[must_use]
    pub fn busy(&self, config: &WebhooksConfig) -> Busy {
        let full = |name: fn(&Place) -> &String, most: usize| {
            let mut counts: HashMap<&String, usize> = HashMap::new();
            for place in self.0.values() {
                *counts.entry(name(place)).or_default() += 1;
            }
            let full = counts.into_iter().filter(|(_, count)| *count >= most);
            full.map(|(name, _)| name.clone()).collect()
        };
        Busy {
            ids: self.0.keys().cloned().collect(),
            receivers: full(|place| &place.receiver, config.max_running_per_receiver),
            apps: full(|place| &place.app, config.max_running_per_app),
        }
    }

    /// Takes a delivery in; false where there is no room for it.
    pub fn admit(&mut self, row: &DeliveryRow, config: &WebhooksConfig) -> bool {
        let busy = self.busy(config);
        let has_room = self.room(config) > 0
            && !busy.ids.contains(&row.id)
            && !busy.receivers.contains(&row.receiver)
            && !busy.apps.contains(&row.app_id);
        if has_room {
            let place = Place {
                app: row.app_id.clone(),
                receiver: row.receiver.clone(),
            };
            self.0.insert(row.id.clone(), place);
        }
        has_room
    }

    /// A delivery is no longer under way.
    pub fn leave(&mut self, id: &str) {
        self.0.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::webhooks::testing::owed;

    fn answered(status: u16) -> Outcome {
        let retry_after = None;
        Outcome::Answered {
            status,
            retry_after,
        }
    }

    fn after(outcome: &Outcome, attempts: u32, age_hours: u64) -> Verdict {
        let age = Duration::from_secs(3_600 * age_hours);
        verdict(outcome, attempts, age, &WebhooksConfig::default(), 0.0)
    }

    #[test]
    fn what_fails_is_tried_again_until_it_is_too_old() {
        let again = |seconds| Verdict::Again(Duration::from_secs(seconds));
        for (status, attempts, age, expected) in [
            (200, 1, 0, Verdict::Delivered),
            (204, 900, 900, Verdict::Delivered),
            (410, 1, 0, Verdict::Gone),
            (500, 1, 0, again(5)),
            (400, 2, 0, again(10)),
            (302, 4, 0, again(40)),
            (503, 60, 1, again(1_800)),
            (503, 60, 72, Verdict::Dead),
            (503, 500, 1, Verdict::Dead),
        ] {
            assert_eq!(
                after(&answered(status), attempts, age),
                expected,
                "{status}"
            );
        }
        let failed = Outcome::Failed("no answer".to_owned());
        assert_eq!(after(&failed, 1, 0), again(5));
        let nearly = Duration::from_secs(72 * 3_600 - 60);
        let last = verdict(&failed, 60, nearly, &WebhooksConfig::default(), 0.0);
        assert_eq!(last, again(60), "the last one is at the end of its time");
    }

    #[test]
    fn the_defaults_outlast_a_receiver_that_is_down_for_two_days() {
        let config = WebhooksConfig::default();
        let (mut age, mut attempts) = (Duration::ZERO, 0);
        while age < Duration::from_secs(48 * 3_600) {
            attempts += 1;
            match verdict(&answered(502), attempts, age, &config, 0.999) {
                Verdict::Again(wait) => age += wait,
                other => panic!("{other:?} after {attempts} attempts in {age:?}"),
            }
        }
    }

    #[test]
    fn waits_are_scattered_and_the_receivers_wish_is_the_least() {
        let config = WebhooksConfig::default();
        let wait = |outcome: &Outcome, lot| match verdict(outcome, 3, Duration::ZERO, &config, lot)
        {
            Verdict::Again(wait) => wait.as_secs(),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            (wait(&answered(500), 0.0), wait(&answered(500), 1.0)),
            (20, 10)
        );
        let asks = |seconds| Outcome::Answered {
            status: 429,
            retry_after: Some(Duration::from_secs(seconds)),
        };
        assert_eq!((wait(&asks(7), 1.0), wait(&asks(5_000), 1.0)), (10, 5_000));
        assert_eq!(wait(&asks(1 << 40), 0.5), LONGEST_REST.as_secs());
    }

    #[test]
    fn a_receiver_or_app_takes_no_more_than_its_share() {
        let config = WebhooksConfig {
            max_running: 4,
            max_running_per_app: 3,
            max_running_per_receiver: 2,
            ..WebhooksConfig::default()
        };
        let mut traffic = Traffic::default();
        let mut admit = |id: &str, app: &str, receiver: &str| {
            let row = DeliveryRow {
                app_id: app.to_owned(),
                receiver: receiver.to_owned(),
                ..owed(id, "job")
            };
            traffic.admit(&row, &config)
        };
        assert!(admit("a", "x", "one"));
        assert!(!admit("a", "x", "one"), "it is under way");
        assert!(admit("b", "x", "one"));
        assert!(!admit("c", "x", "one"), "the receiver is full");
        assert!(admit("d", "x", "two"));
        assert!(!admit("e", "x", "three"), "the app is full");
        assert!(admit("f", "y", "two"));
        assert!(!admit("g", "z", "four"), "all is full");
        let mut busy = traffic.busy(&config);
        busy.receivers.sort();
        assert_eq!((busy.ids.len(), busy.apps), (4, vec!["x".to_owned()]));
        assert_eq!(busy.receivers, ["one", "two"]);
        traffic.leave("a");
        assert_eq!(traffic.room(&config), 1);
        assert!(traffic.admit(&owed("h", "job"), &config));
    }
}
