//! What is left of the quotas of tokens: upstreams are asked, or tell in passing with every answer.
//!
//! What was told is kept in memory alone, the last word of each token and model, for the next answer tells it again.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix_rt::time::Instant;
use troupe_protocol::pictures::{Answer, Patience, Quota, Told};

use super::{
    atelier::Atelier,
    carry::{Carried, CarriedBody, Carrier},
    studio::Studio,
};
use crate::{
    credentials::{Lease, Outcome, Terms},
    providers::provider::Provider,
    supervision::clock::Monotonic,
};

/// What is left to one token.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Remains {
    pub all: Option<Quota>,
    /// By the upstream's name of the model.
    pub models: BTreeMap<Arc<str>, Quota>,
}

/// Words that are kept of one provider at most. Clients may name any model.
const MOST: usize = 1_024;

/// What one provider told last.
#[derive(Debug, Default)]
pub struct LastTold(Mutex<HashMap<Of, Word>>);

/// A token by its alias; with a model, what is left for that alone.
type Of = (Arc<str>, Option<Arc<str>>);

#[derive(Debug)]
struct Word {
    quota: Quota,
    at: Monotonic,
}

impl Word {
    /// What it says now; none where the quota has been made whole since.
    fn now(&self, now: Monotonic) -> Option<Quota> {
        let passed = now.saturating_sub(self.at).as_secs();
        let resets_in = match self.quota.resets_in {
            None => None,
            Some(wait) => Some(wait.checked_sub(passed).filter(|left| *left > 0)?),
        };
        Some(Quota {
            resets_in,
            ..self.quota.clone()
        })
    }
}

impl LastTold {
    fn note(&self, token: &Arc<str>, model: &Arc<str>, told: Told, at: Monotonic) {
        let words = [(None, told.all), (Some(Arc::clone(model)), told.of_model)];
        for (model, quota) in words {
            let Some(quota) = quota else { continue };
            let mut last = self.lock();
            last.insert((Arc::clone(token), model), Word { quota, at });
            if last.len() > MOST {
                let oldest = last.iter().min_by_key(|(_, word)| word.at);
                let oldest = oldest.map(|(of, _)| of.clone());
                oldest.and_then(|of| last.remove(&of));
            }
        }
    }

    /// What is left to each token by its alias, as far as that was told.
    fn at(&self, now: Monotonic) -> BTreeMap<Arc<str>, Remains> {
        let mut tokens: BTreeMap<Arc<str>, Remains> = BTreeMap::new();
        for ((token, model), word) in self.lock().iter() {
            let Some(quota) = word.now(now) else { continue };
            let remains = tokens.entry(Arc::clone(token)).or_default();
            match model {
                None => remains.all = Some(quota),
                Some(model) => drop(remains.models.insert(Arc::clone(model), quota)),
            }
        }
        tokens
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Of, Word>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Atelier {
    /// What is left to each token, by the token's alias, where the upstream tells. Tokens that cannot be lent now
    /// are not asked for.
    pub async fn quotas(&self, provider: &Provider) -> BTreeMap<Arc<str>, Remains> {
        let Some(studio) = &provider.studio else {
            return BTreeMap::new();
        };
        let mut remains = studio.told.at(self.clock.now());
        for (token, quota) in self.asked(provider, studio).await {
            remains.entry(token).or_default().all = Some(quota);
        }
        remains
    }

    async fn asked(&self, provider: &Provider, studio: &Studio) -> Vec<(Arc<str>, Quota)> {
        let Some(call) = studio.service.ask_quota() else {
            return Vec::new();
        };
        let model: Arc<str> = "".into();
        let (mut asked, mut quotas) = (Vec::new(), Vec::new());
        while let Ok(lease) = provider.pool.lease(&model, &asked, Terms::default()).await {
            asked.push(lease.token());
            let carrier = self.asking(provider, &lease);
            let carried = carrier.carry(&call).await;
            let quota = carried
                .ok()
                .and_then(|carried| carrier.quota(studio, &carried));
            quotas.extend(quota.map(|quota| (lease.alias().clone(), quota)));
            // the question says nothing about whether it can draw
            lease.report(Outcome::Dropped);
        }
        quotas
    }

    /// For a question that belongs to no order.
    fn asking<'a>(&'a self, provider: &'a Provider, lease: &'a Lease) -> Carrier<'a> {
        Carrier {
            provider,
            config: &self.config,
            media: &self.media,
            clock: &self.clock,
            lease,
            inputs: &[],
            nonce: 0,
            end: Instant::now() + self.config.first_byte(Patience::Quick),
        }
    }
}

impl Carrier<'_> {
    /// The answer to the question for a quota.
    fn quota(&self, studio: &Studio, carried: &Carried) -> Option<Quota> {
        let CarriedBody::Whole(received) = &carried.body else {
            return None;
        };
        studio.service.read_quota(&Answer {
            status: carried.status,
            headers: &carried.headers,
            body: &received.body,
            now: self.now(),
        })
    }

    /// Keeps what an answer tells in passing.
    pub(super) fn note_quota(&self, status: u16, headers: &[(String, String)]) {
        let Some(studio) = &self.provider.studio else {
            return;
        };
        let told = studio.service.told_quota(&Answer {
            status,
            headers,
            body: &[],
            now: self.now(),
        });
        let (token, model) = (self.lease.alias(), self.lease.model());
        studio.told.note(token, model, told, self.clock.now());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn quota(remaining: f64, resets_in: Option<u64>) -> Option<Quota> {
        Some(Quota {
            remaining,
            limit: None,
            unit: "requests",
            resets_in,
        })
    }

    #[test]
    fn the_last_word_counts_until_the_quota_is_whole() {
        let last = LastTold::default();
        let (token, model): (Arc<str>, Arc<str>) = ("#1".into(), "m".into());
        let at = Duration::from_secs;
        let told = |remaining| Told {
            all: quota(remaining, Some(100)),
            of_model: quota(1.0, None),
        };
        last.note(&token, &model, told(9.0), at(10));
        last.note(&token, &model, told(8.0), at(20));
        last.note(&token, &model, Told::default(), at(30));
        let remains = &last.at(at(50))[&token];
        assert_eq!(remains.all, quota(8.0, Some(70)));
        assert_eq!(remains.models.get(&model), quota(1.0, None).as_ref());
        let remains = &last.at(at(120))[&token];
        assert_eq!((&remains.all, remains.models.len()), (&None, 1));
    }

    #[test]
    fn of_many_models_the_latest_are_kept() {
        let last = LastTold::default();
        for number in 0..=MOST {
            let told = Told {
                all: None,
                of_model: quota(1.0, None),
            };
            let at = Duration::from_secs(number as u64);
            last.note(&"#1".into(), &number.to_string().into(), told, at);
        }
        let models = &last.at(Duration::ZERO)["#1"].models;
        assert_eq!(models.len(), MOST);
        assert!(!models.contains_key("0") && models.contains_key("1"));
    }
}
