//! How long models take, learnt from the jobs that they have done.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arc_swap::ArcSwap;

/// Mean durations by model, newer ones weighing more.
#[derive(Debug)]
pub struct Learnt {
    means: HashMap<Arc<str>, f64>,
    quick: Arc<Quick>,
    /// Who takes less is quick.
    patience_ms: u64,
}

/// The models that have been seen drawing quickly, for threads that look without asking. Only [`Learnt`] writes.
#[derive(Debug, Default)]
pub struct Quick(ArcSwap<HashSet<Arc<str>>>);

impl Quick {
    /// Whether the model is one of them.
    #[must_use]
    pub fn has(&self, model: &str) -> bool {
        self.0.load().contains(model)
    }

    fn note(&self, model: &Arc<str>, is_quick: bool) {
        let known = self.0.load();
        if known.contains(model) == is_quick {
            return;
        }
        let mut models = HashSet::clone(&known);
        match is_quick {
            true => models.insert(model.clone()),
            false => models.remove(model),
        };
        self.0.store(Arc::new(models));
    }
}

/// The most models that are remembered: their names come from clients.
const MODELS: usize = 1_000;
/// What the newest duration weighs.
const WEIGHT: f64 = 0.2;
/// Of a model that has done nothing yet.
const UNKNOWN_MS: u64 = 30_000;

impl Learnt {
    /// Nothing yet. Who takes less than `patience_ms` will be among the `quick`.
    #[must_use]
    pub fn new(quick: Arc<Quick>, patience_ms: u64) -> Self {
        Self {
            means: HashMap::new(),
            quick,
            patience_ms,
        }
    }

    /// A model has taken so many milliseconds.
    pub fn note(&mut self, model: &Arc<str>, took_ms: u64) {
        let took = took_ms as f64;
        if let Some(mean) = self.means.get_mut(model) {
            *mean += WEIGHT * (took - *mean);
        } else if self.means.len() < MODELS {
            self.means.insert(model.clone(), took);
        }
        if let Some(mean) = self.seen_ms(model) {
            self.quick.note(model, mean < self.patience_ms);
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
        let mut learnt = Learnt::new(Arc::default(), 1_000);
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
    fn a_model_is_quick_until_it_is_slow_in_the_mean() {
        let quick = Arc::new(Quick::default());
        let mut learnt = Learnt::new(quick.clone(), 1_000);
        let model: Arc<str> = "m".into();
        assert!(!quick.has("m"), "nobody knows");
        for (took_ms, is_quick) in [(900, true), (1_300, true), (2_000, false), (10, true)] {
            learnt.note(&model, took_ms);
            assert_eq!(quick.has("m"), is_quick, "{took_ms}: {learnt:?}");
        }
        assert!(!quick.has("other"));
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
