//! One token of a pool: who it is, and whether it can be lent.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, atomic::AtomicU32},
};

use derive_more::Display;
use serde::Serialize;

use super::day::OwnDay;
use crate::{
    affinity::Lot,
    credentials::cooldown::{ColdReason, Cooldown},
    secrets::{KeyedHash, Secret},
    supervision::clock::Monotonic,
};

/// The most models whose cooldowns are kept per token: model names may come from clients.
pub const MAX_COLD_MODELS: usize = 256;

/// The place of a token in its pool's list, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Display, Serialize)]
#[serde(transparent)]
pub struct TokenIndex(pub u32);

/// What does not change about a token. Shared with every lease of it.
pub struct Identity {
    pub index: TokenIndex,
    /// `#1 …abcd`: safe to show.
    pub alias: Arc<str>,
    /// What opens the upstream; none for an upstream that asks for nothing.
    pub secret: Option<Secret>,
    /// The keyed hash in hex under which its state is stored.
    pub hash: String,
    /// Its place in the rankings of conversations.
    pub lot: Lot,
    /// Leases that are out by the lane for calm times.
    pub standing: AtomicU32,
    /// What the upstream may count its quota by.
    pub day: OwnDay,
}

impl Identity {
    /// The identities of a pool's tokens. An empty list yields one that carries no secret, for
    /// upstreams that need none.
    #[must_use]
    pub fn of_all(tokens: &[Secret], hasher: &KeyedHash) -> Vec<Arc<Self>> {
        if tokens.is_empty() {
            return vec![Arc::new(Self {
                index: TokenIndex(0),
                alias: "anonymous".into(),
                secret: None,
                hash: "anonymous".to_owned(),
                lot: Lot::of("anonymous"),
                standing: AtomicU32::new(0),
                day: OwnDay::default(),
            })];
        }
        (0_u32..)
            .zip(tokens)
            .map(|(index, secret)| {
                let hash = hasher.hex_of(secret.expose());
                Arc::new(Self {
                    index: TokenIndex(index),
                    alias: format!("#{} {}", index + 1, secret.hint()).into(),
                    secret: Some(secret.clone()),
                    lot: Lot::of(&hash),
                    hash,
                    standing: AtomicU32::new(0),
                    day: OwnDay::default(),
                })
            })
            .collect()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.alias).finish()
    }
}

/// A token that the upstream refused as invalid. It is lent again only for a re-check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disabled {
    pub recheck_at: Monotonic,
    /// Refusals in a row.
    pub refusals: u32,
    /// The re-check is out: nobody else gets the token.
    pub checking: bool,
}

/// Whether a token can be lent for a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    Ready,
    /// Disabled, and its re-check is due.
    RecheckDue,
    /// Some lease must come back first.
    Busy,
    Cold {
        until: Monotonic,
        reason: ColdReason,
    },
}

/// A token with its changing state.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct Token {
    pub identity: Arc<Identity>,
    /// Leases that are out.
    pub out: u32,
    /// A rest for all models.
    pub cooldown: Option<Cooldown>,
    /// Rests for single models.
    pub models: HashMap<Arc<str>, Cooldown>,
    pub disabled: Option<Disabled>,
    /// The end of its day that is known to be stored, or about to be.
    pub(super) noted_day: Monotonic,
}

impl Token {
    /// A token that nothing is known against.
    #[must_use]
    pub fn new(identity: Arc<Identity>) -> Self {
        Self {
            identity,
            out: 0,
            cooldown: None,
            models: HashMap::new(),
            disabled: None,
            noted_day: Monotonic::ZERO,
        }
    }

    /// Whether it can be lent for `model`; `limit` is the most leases at a time, 0 = any number.
    #[must_use]
    pub fn availability(&self, now: Monotonic, model: &str, limit: u32) -> Availability {
        let last_bar = self.last_bar(Some(model));
        if let Some((until, reason)) = last_bar.filter(|(until, _)| now < *until) {
            return Availability::Cold { until, reason };
        }
        match self.disabled {
            Some(disabled) if disabled.checking => Availability::Busy,
            Some(_) => Availability::RecheckDue,
            None if limit > 0 && self.out >= limit => Availability::Busy,
            None => Availability::Ready,
        }
    }

    /// When the last of what is held against it ends, and what that is: for `model`, or of what counts
    /// for all models. It may lie in the past.
    #[must_use]
    pub fn last_bar(&self, model: Option<&str>) -> Option<(Monotonic, ColdReason)> {
        let rest = |rest: &Cooldown| (rest.until, rest.reason);
        let disabled = self.disabled;
        let bars = [
            disabled.map(|disabled| (disabled.recheck_at, ColdReason::Invalid)),
            self.cooldown.as_ref().map(rest),
            model.and_then(|model| self.models.get(model)).map(rest),
        ];
        bars.into_iter().flatten().max_by_key(|(until, _)| *until)
    }

    /// The rest that it takes for `model`, or for all models.
    #[must_use]
    pub fn rest(&self, model: Option<&str>) -> Option<&Cooldown> {
        match model {
            Some(model) => self.models.get(model),
            None => self.cooldown.as_ref(),
        }
    }

    /// Sets the rest for `model`, or for all models. Its end never moves earlier.
    pub fn cool(&mut self, now: Monotonic, model: Option<&Arc<str>>, rest: Cooldown) {
        match model {
            None => keep_later(self.cooldown.get_or_insert(rest), rest),
            Some(model) => {
                if !self.models.contains_key(model) && self.models.len() >= MAX_COLD_MODELS {
                    self.forget_one_model(now);
                }
                keep_later(self.models.entry(Arc::clone(model)).or_insert(rest), rest);
            }
        }
    }

    /// A request succeeded: rows of failures end. A rest that still lasts goes on to its end.
    /// Returns what is over: the rest for all models, and the one for `model`.
    pub fn succeeded(&mut self, now: Monotonic, model: &str) -> (bool, bool) {
        let whole = self.cooldown.is_some_and(|rest| !rest.is_cold(now));
        if whole {
            self.cooldown = None;
        }
        let single = self
            .models
            .get(model)
            .is_some_and(|rest| !rest.is_cold(now));
        if single {
            self.models.remove(model);
        }
        (whole, single)
    }

    /// Refused as invalid for the `refusals`th time in a row: lent again only for a re-check.
    pub fn disable(&mut self, refusals: u32, recheck_at: Monotonic) {
        self.disabled = Some(Disabled {
            recheck_at,
            refusals,
            checking: false,
        });
    }

    /// Forgets everything that is held against it.
    pub fn reset(&mut self) {
        self.cooldown = None;
        self.models.clear();
        self.disabled = None;
    }

    /// Makes room by dropping what thawed, else the rest that ends first.
    fn forget_one_model(&mut self, now: Monotonic) {
        self.models.retain(|_, rest| rest.is_cold(now));
        if self.models.len() < MAX_COLD_MODELS {
            return;
        }
        let first = self.models.iter().min_by_key(|(_, rest)| rest.until);
        if let Some(model) = first.map(|(model, _)| Arc::clone(model)) {
            self.models.remove(&model);
        }
    }
}

fn keep_later(current: &mut Cooldown, new: Cooldown) {
    // The reason goes with the end that counts.
    if new.until >= current.until {
        *current = new;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Monotonic = Duration::from_secs(1_000);

    fn token() -> Token {
        let hasher = KeyedHash::new(&[1; 32], "token");
        let identities = Identity::of_all(&[Secret::from("sk-0123456789".to_owned())], &hasher);
        Token::new(Arc::clone(&identities[0]))
    }

    fn rest(until: Monotonic) -> Cooldown {
        Cooldown {
            until,
            reason: ColdReason::RateLimited,
            streak: 1,
        }
    }

    #[test]
    fn an_identity_shows_no_secret() {
        let token = token();
        assert_eq!(&*token.identity.alias, "#1 …6789");
        assert_eq!(token.identity.hash.len(), 64);
        assert!(!format!("{token:?}").contains("012345"));
    }

    #[test]
    fn no_tokens_make_one_anonymous() {
        let identities = Identity::of_all(&[], &KeyedHash::new(&[1; 32], "token"));
        assert_eq!(identities.len(), 1);
        assert!(identities[0].secret.is_none());
    }

    #[test]
    fn a_cooled_model_leaves_the_others_alone() {
        let now = NOW;
        let mut token = token();
        let until = now + Duration::from_secs(1);
        token.cool(now, Some(&"a".into()), rest(until));
        let cold = Availability::Cold {
            until,
            reason: ColdReason::RateLimited,
        };
        assert_eq!(token.availability(now, "a", 0), cold);
        assert_eq!(token.availability(now, "b", 0), Availability::Ready);
        assert_eq!(token.availability(until, "a", 0), Availability::Ready);
    }

    #[test]
    fn the_later_end_counts() {
        let now = NOW;
        let mut token = token();
        let late = now + Duration::from_secs(60);
        token.cool(now, None, rest(late));
        token.cool(now, None, rest(now + Duration::from_secs(1)));
        assert_eq!(token.rest(None).map(|rest| rest.until), Some(late));
    }

    #[test]
    fn the_map_of_models_is_bounded() {
        let now = NOW;
        let mut token = token();
        for number in 0..2 * MAX_COLD_MODELS as u64 {
            let until = now + Duration::from_secs(1000 + number);
            token.cool(now, Some(&number.to_string().into()), rest(until));
            assert!(token.models.len() <= MAX_COLD_MODELS);
        }
        let last = (2 * MAX_COLD_MODELS - 1).to_string();
        assert!(token.models.contains_key(last.as_str()));
    }

    #[test]
    fn success_ends_rows_but_not_rests() {
        let now = NOW;
        let mut token = token();
        token.cool(now, None, rest(now + Duration::from_secs(1)));
        token.cool(now, Some(&"m".into()), rest(now + Duration::from_secs(9)));
        assert_eq!(token.succeeded(now, "m"), (false, false));
        let later = now + Duration::from_secs(5);
        assert_eq!(token.succeeded(later, "m"), (true, false));
        assert!(token.rest(Some("m")).is_some());
    }
}
