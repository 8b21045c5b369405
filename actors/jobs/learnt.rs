//! How long models take, learnt from the jobs that they have done.

use std::{collections::HashMap, sync::Arc};

/// Mean durations by model, newer ones weighing more.
#[derive(Debug, Default)]
pub struct Learnt {
    means: HashMap<Arc<str>, f64>,
}

/// The most models that are remembered: their names come from clients.
const MODELS: usize = 1_000;
/// What the newest duration weighs.
const WEIGHT: f64 = 0.2;
/// Of a model that has done nothing yet.
const UNKNOWN_MS: u64 = 30_000;

impl Learnt {
    /// A model has taken so many milliseconds.
    pub fn note(&mut self, model: &Arc<str>, took_ms: u64) {
        let took = took_ms as f64;
        if let Some(mean) = self.means.get_mut(model) {
            *mean += WEIGHT * (took - *mean);
        } else if self.means.len() < MODELS {
            self.means.insert(model.clone(), took);
        }
    }

    /// How long it will take, in milliseconds.
    #[must_use]
    pub fn takes_ms(&self, model: &str) -> u64 {
        self.seen_ms(model).unwrap_or(UNKNOWN_MS)
    }

    /// The same of a model that has been seen drawing.
    #[must_use]
    pub fn seen_ms(&self, model: &str) -> Option<u64> {
        self.means.get(model).map(|mean| *mean as u64)
    }
}

/// 0–99 after `elapsed` of what takes about `takes` milliseconds: even up to 90, then ever slower, since it may
/// take longer than those before it.
#[must_use]
pub fn progress(elapsed_ms: u64, takes_ms: u64) -> u8 {
    let share = elapsed_ms as f64 / takes_ms.max(1) as f64;
    let percent = match share {
        share if share <= 0.9 => share * 100.0,
        share => 90.0 + 9.0 * (1.0 - (0.9 - share).exp()),
    };
    (percent as u8).min(99)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_follows_what_is_seen() {
        let mut learnt = Learnt::default();
        let model: Arc<str> = "m".into();
        assert_eq!(
            (learnt.takes_ms("m"), learnt.seen_ms("m")),
            (UNKNOWN_MS, None)
        );
        learnt.note(&model, 1_000);
        assert_eq!(learnt.takes_ms("m"), 1_000);
        learnt.note(&model, 2_000);
        assert_eq!(learnt.takes_ms("m"), 1_200);
    }

    #[test]
    fn progress_never_falls_and_never_ends() {
        let all: Vec<u8> = (0..100).map(|tenth| progress(tenth * 100, 1_000)).collect();
        assert!(all.is_sorted());
        assert_eq!((all[0], all[5], all[9]), (0, 50, 90));
        assert!(*all.last().unwrap() <= 99);
        assert_eq!(progress(u64::MAX, 0), 99);
    }
}
