//! How a pool's chances look from outside. The pool publishes it with each change, so that routes can look
//! without a hop.

use std::{collections::HashMap, sync::Arc, time::Duration};

use derive_more::Display;

use super::{policy::PoolState, token::Token};
use crate::{
    credentials::{
        breaker::BreakerView,
        cooldown::{ColdReason, in_words},
    },
    supervision::clock::Monotonic,
};

/// Until when something keeps all requests away, and what.
type Bar = (Monotonic, ColdReason);

/// What keeps requests away, with absolute ends: it stays true as time passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The circuit breaker refuses until then.
    open_until: Option<Monotonic>,
    /// Every token rests for all models until then at least.
    all: Option<Bar>,
    /// The models for which every token rests longer than that.
    models: HashMap<Arc<str>, Bar>,
}

/// Whether a request could be served now, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display)]
pub enum Readiness {
    #[display("ready")]
    Ready,
    /// All tokens rest; the first is back after `left`.
    #[display("{reason}, back in {}", in_words(*left))]
    Cooling { left: Duration, reason: ColdReason },
    /// The upstream fails and is left alone.
    #[display("the upstream failed repeatedly and is left alone for {}", in_words(*left))]
    CircuitOpen { left: Duration },
    /// All tokens were refused as invalid; the first is checked again after `left`.
    #[display("all tokens were refused as invalid, checked again in {}", in_words(*left))]
    NoCredentials { left: Duration },
}

impl Readiness {
    #[must_use]
    pub fn is_ready(self) -> bool {
        self == Self::Ready
    }

    /// The word for it.
    #[must_use]
    pub fn state(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Cooling { .. } => "cooling",
            Self::CircuitOpen { .. } => "circuit_open",
            Self::NoCredentials { .. } => "no_credentials",
        }
    }

    /// The time until it may be ready.
    #[must_use]
    pub fn left(self) -> Option<Duration> {
        match self {
            Self::Ready => None,
            Self::Cooling { left, .. }
            | Self::CircuitOpen { left }
            | Self::NoCredentials { left } => Some(left),
        }
    }
}

impl Outlook {
    /// How the chances of a request for `model` look.
    #[must_use]
    pub fn readiness(&self, now: Monotonic, model: &str) -> Readiness {
        let left = |until: Monotonic| until.saturating_sub(now);
        if let Some(until) = self.open_until.filter(|until| now < *until) {
            return Readiness::CircuitOpen { left: left(until) };
        }
        let bar = self.models.get(model).or(self.all.as_ref());
        match bar.filter(|(until, _)| now < *until) {
            None => Readiness::Ready,
            Some((until, ColdReason::Invalid)) => Readiness::NoCredentials { left: left(*until) },
            Some((until, reason)) => Readiness::Cooling {
                left: left(*until),
                reason: *reason,
            },
        }
    }
}

impl PoolState {
    /// What keeps requests away; none where nothing does. Rests that ended need not be told apart.
    #[must_use]
    pub fn outlook(&self) -> Option<Outlook> {
        let open_until = match self.breaker.view() {
            BreakerView::Closed { .. } => None,
            BreakerView::Open { until } => Some(until),
            BreakerView::HalfOpen { next_probe } => Some(next_probe),
        };
        let free = |token: &&Token| token.last_bar(None).map(|(until, _)| until);
        let freest = self.tokens.iter().min_by_key(free)?;
        let all = freest.last_bar(None);
        // whatever all tokens rest for longer than that, this one does
        let models = freest.models.keys().filter_map(|model| {
            let bar = self.first_bar(model)?;
            let longer = all.is_none_or(|(until, _)| until < bar.0);
            longer.then(|| (Arc::clone(model), bar))
        });
        let models: HashMap<_, _> = models.collect();
        let clear = open_until.is_none() && all.is_none() && models.is_empty();
        (!clear).then_some(Outlook {
            open_until,
            all,
            models,
        })
    }

    /// What keeps the token away that is back first for `model`; none where one is not kept away.
    fn first_bar(&self, model: &str) -> Option<Bar> {
        let bars = self.tokens.iter().map(|token| token.last_bar(Some(model)));
        bars.min_by_key(|bar| bar.map(|(until, _)| until))?
    }
}

#[cfg(test)]
mod tests {
    use troupe_protocol::failure::{FailureKind, QuotaScope};

    use super::*;
    use crate::credentials::{
        config::Strategy,
        lease::Outcome,
        token_pool::{
            policy::Decision,
            policy_tests::{config, identities, secs},
        },
    };

    const NOW: Monotonic = Duration::from_secs(1_000);

    /// Two tokens that are lent in turn.
    fn pool() -> PoolState {
        PoolState::new(config(Strategy::RoundRobin), &identities(2), 0)
    }

    fn fail(pool: &mut PoolState, model: &str, kind: FailureKind) {
        let Decision::Lend(ticket) = pool.lease(NOW, model, &[], None, 0) else {
            panic!("none was lent");
        };
        pool.report(NOW, ticket, &model.into(), Outcome::Failure(kind), 0);
    }

    fn limited(seconds: u64) -> FailureKind {
        FailureKind::RateLimited {
            retry_after: Some(secs(seconds)),
        }
    }

    fn look(pool: &PoolState, now: Monotonic, model: &str) -> Readiness {
        let outlook = pool.outlook();
        outlook.map_or(Readiness::Ready, |outlook| outlook.readiness(now, model))
    }

    #[test]
    fn one_token_that_can_be_lent_is_enough() {
        let mut pool = pool();
        assert_eq!(pool.outlook(), None);
        fail(&mut pool, "m", limited(30));
        assert_eq!(look(&pool, NOW, "m"), Readiness::Ready);
        fail(&mut pool, "m", limited(9));
        let cooling = Readiness::Cooling {
            left: secs(9),
            reason: ColdReason::RateLimited,
        };
        assert_eq!(look(&pool, NOW, "m"), cooling);
        assert_eq!(look(&pool, NOW, "other"), Readiness::Ready);
        assert_eq!(look(&pool, NOW + secs(9), "m"), Readiness::Ready);
    }

    #[test]
    fn rests_for_all_models_and_for_one_add_up() {
        let mut pool = pool();
        let quota = FailureKind::QuotaExhausted {
            scope: QuotaScope::Credential,
            retry_after: Some(secs(60)),
        };
        fail(&mut pool, "x", quota);
        assert_eq!(look(&pool, NOW, "m"), Readiness::Ready);
        fail(&mut pool, "m", limited(9));
        assert_eq!(look(&pool, NOW, "m").left(), Some(secs(9)));
        assert_eq!(look(&pool, NOW, "x"), Readiness::Ready);
        fail(&mut pool, "x", FailureKind::AuthInvalid);
        assert_eq!(look(&pool, NOW, "y").left(), Some(secs(60)), "the quota");
    }

    #[test]
    fn refused_tokens_and_an_open_breaker_have_names() {
        let mut pool = pool();
        fail(&mut pool, "m", FailureKind::AuthInvalid);
        fail(&mut pool, "m", FailureKind::AuthInvalid);
        let left = secs(pool.config.invalid_recheck_seconds);
        assert_eq!(look(&pool, NOW, "m"), Readiness::NoCredentials { left });
        pool.reset(None);
        assert_eq!(pool.outlook(), None);
        for _ in 0..pool.config.breaker_threshold {
            pool.breaker.fault(NOW, false);
        }
        let left = Duration::from_millis(pool.config.breaker_open_ms);
        assert_eq!(look(&pool, NOW, "m"), Readiness::CircuitOpen { left });
        assert!(
            look(&pool, NOW + left, "m").is_ready(),
            "who goes is the probe"
        );
        pool.lease(NOW + left, "m", &[], None, 0);
        assert!(!look(&pool, NOW + left, "m").is_ready(), "the probe is out");
    }
}
