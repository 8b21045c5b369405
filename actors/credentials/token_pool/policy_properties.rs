//! What holds for a pool whatever happens to it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use proptest::{collection::vec, prelude::*, strategy::Strategy as Generator};
use troupe_protocol::failure::{FailureKind, QuotaScope};

use super::{
    judgement::Change,
    outlook::{Outlook, Readiness},
    policy::{Decision, PoolState},
    policy_tests::{config, identities, secs},
    stored::Place,
    token::{Availability, TokenIndex},
};
use crate::{
    affinity::Affinity,
    credentials::{
        config::{PoolConfig, Strategy},
        cooldown::ColdReason,
        lease::{Outcome, Ticket},
    },
    supervision::clock::Monotonic,
};

const TOKENS: usize = 4;
const LIMIT: u32 = 3;

#[derive(Debug, Clone)]
enum Step {
    Lease {
        model: usize,
        exclude: Vec<u32>,
        rng: u64,
    },
    Report {
        which: usize,
        outcome: Outcome,
        rng: u64,
    },
    Pass(Duration),
}

fn outcome() -> impl Generator<Value = Outcome> {
    let retry_after = prop_oneof![
        Just(None),
        (0_u64..200_000).prop_map(|ms| Some(Duration::from_millis(ms)))
    ];
    let scope = prop_oneof![
        Just(QuotaScope::Credential),
        Just(QuotaScope::CredentialModel),
        Just(QuotaScope::CredentialDay)
    ];
    let failure = prop_oneof![
        Just(FailureKind::InvalidRequest),
        Just(FailureKind::AuthInvalid),
        Just(FailureKind::NotEntitled),
        Just(FailureKind::Timeout),
        Just(FailureKind::Upstream),
        Just(FailureKind::Cancelled),
        retry_after
            .clone()
            .prop_map(|retry_after| FailureKind::RateLimited { retry_after }),
        retry_after
            .clone()
            .prop_map(|retry_after| FailureKind::Overloaded { retry_after }),
        (scope, retry_after)
            .prop_map(|(scope, retry_after)| FailureKind::QuotaExhausted { scope, retry_after }),
    ];
    prop_oneof![
        3 => Just(Outcome::Success),
        1 => Just(Outcome::Dropped),
        4 => failure.prop_map(Outcome::Failure),
    ]
}

fn step() -> impl Generator<Value = Step> {
    prop_oneof![
        5 => (0..3_usize, vec(0..TOKENS as u32, 0..3), any::<u64>())
            .prop_map(|(model, exclude, rng)| Step::Lease { model, exclude, rng }),
        5 => (any::<usize>(), outcome(), any::<u64>())
            .prop_map(|(which, outcome, rng)| Step::Report { which, outcome, rng }),
        2 => (0..30_000_u64).prop_map(|ms| Step::Pass(Duration::from_millis(ms))),
        1 => (0..2_000_u64).prop_map(|s| Step::Pass(secs(s))),
    ]
}

/// A pool with its own record of what it may do, kept from what it announces.
struct Witness {
    pool: PoolState,
    now: Monotonic,
    models: [Arc<str>; 3],
    out: Vec<(Ticket, Arc<str>)>,
    cold: HashMap<Place, Monotonic>,
    disabled: HashMap<TokenIndex, Monotonic>,
    breaker_open: Option<Monotonic>,
}

impl Witness {
    fn new(strategy: Strategy) -> Self {
        let config = PoolConfig {
            jitter: 0.2,
            per_token_concurrency: LIMIT,
            ..config(strategy)
        };
        Self {
            pool: PoolState::new(config, &identities(TOKENS), 0),
            now: secs(1_000),
            models: ["a".into(), "b".into(), "c".into()],
            out: Vec::new(),
            cold: HashMap::new(),
            disabled: HashMap::new(),
            breaker_open: None,
        }
    }

    fn out_of(&self, token: TokenIndex) -> usize {
        self.out
            .iter()
            .filter(|(ticket, _)| ticket.token == token)
            .count()
    }

    fn is_cold(&self, token: TokenIndex, model: Option<&Arc<str>>) -> bool {
        let until = self.cold.get(&(token, model.cloned()));
        until.is_some_and(|until| self.now < *until)
    }

    fn lease(&mut self, model: usize, exclude: &[u32], rng: u64) {
        let model = Arc::clone(&self.models[model]);
        let exclude: Vec<_> = exclude.iter().copied().map(TokenIndex).collect();
        let affinity =
            Some(Affinity::of("app", &rng.to_string())).filter(|_| rng.is_multiple_of(2));
        let outlook = self.pool.outlook();
        let decision = self.pool.lease(self.now, &model, &exclude, affinity, rng);
        let look = |outlook: Outlook| outlook.readiness(self.now, &model);
        self.check_outlook(outlook.map_or(Readiness::Ready, look), decision, &exclude);
        match decision {
            Decision::Lend(ticket) => {
                let token = ticket.token;
                assert!(!exclude.contains(&token), "lent an excluded token");
                assert!(!self.is_cold(token, None), "lent a cold token");
                assert!(
                    !self.is_cold(token, Some(&model)),
                    "lent a token cold for the model"
                );
                assert!(self.out_of(token) < LIMIT as usize, "lent a full token");
                assert!(self.breaker_open.is_none_or(|until| self.now >= until));
                if let Some(recheck_at) = self.disabled.get(&token) {
                    assert!(
                        ticket.trial.recheck && self.now >= *recheck_at,
                        "lent a disabled token"
                    );
                    let checks = self.out.iter().filter(|(other, _)| other.token == token);
                    assert_eq!(checks.filter(|(other, _)| other.trial.recheck).count(), 0);
                }
                self.out.push((ticket, model));
            }
            Decision::Wait { until, reason } => self.check_wait(&model, &exclude, until, reason),
            Decision::NoneLeft => {
                assert!((0..TOKENS as u32).all(|token| exclude.contains(&TokenIndex(token))));
            }
            Decision::BreakerOpen { until } => assert!(until > self.now),
        }
    }

    /// What is published of the pool agrees with what it does.
    fn check_outlook(&self, look: Readiness, decision: Decision, exclude: &[TokenIndex]) {
        let left = |until: Monotonic| Some(until.saturating_sub(self.now));
        match decision {
            Decision::Lend(_) => assert_eq!(look, Readiness::Ready),
            Decision::Wait {
                until: Some(until),
                reason,
            } if exclude.is_empty() && reason != ColdReason::Busy => {
                assert_eq!(look.left(), left(until));
            }
            Decision::BreakerOpen { until } => assert_eq!(look.left(), left(until)),
            Decision::Wait { .. } | Decision::NoneLeft => {}
        }
    }

    /// Nobody is refused for longer than needed: the time given is the first at which a token of
    /// those that are asked for can be lent, and it can.
    fn check_wait(
        &self,
        model: &Arc<str>,
        exclude: &[TokenIndex],
        until: Option<Monotonic>,
        reason: ColdReason,
    ) {
        let allowed = self.pool.tokens.iter();
        let allowed = allowed.filter(|token| !exclude.contains(&token.identity.index));
        let thaws = allowed.filter_map(|token| match token.availability(self.now, model, LIMIT) {
            Availability::Cold { until, .. } => Some(until),
            Availability::Busy => None,
            ready => panic!("a token that is {ready:?} was not lent"),
        });
        assert_eq!(until, thaws.min());
        if let Some(until) = until.filter(|_| reason != ColdReason::Busy) {
            assert!(until > self.now);
            let just_before = until - Duration::from_nanos(1);
            let early = self
                .pool
                .clone()
                .lease(just_before, model, exclude, None, 0);
            assert!(matches!(early, Decision::Wait { .. }));
            let in_time = self.pool.clone().lease(until, model, exclude, None, 0);
            // it may thaw only to be full
            let full = matches!(
                in_time,
                Decision::Wait {
                    reason: ColdReason::Busy,
                    ..
                }
            );
            assert!(full || matches!(in_time, Decision::Lend(_)), "{in_time:?}");
        }
    }

    fn report(&mut self, which: usize, outcome: Outcome, rng: u64) {
        let Some(which) = which.checked_rem(self.out.len()) else {
            return;
        };
        let (ticket, model) = self.out.swap_remove(which);
        let ends_before = self.ends();
        let changes = self.pool.report(self.now, ticket, &model, outcome, rng);
        let ends_after = self.ends();
        for (place, before) in ends_before {
            let after = ends_after.get(&place).copied();
            assert!(
                after.is_some_and(|after| after >= before) || before <= self.now,
                "a report shortened a rest"
            );
        }
        for change in changes {
            self.record(change, outcome);
        }
        for token in &self.pool.tokens {
            let index = token.identity.index;
            assert_eq!(token.out as usize, self.out_of(index));
        }
    }

    fn ends(&self) -> HashMap<Place, Monotonic> {
        let tokens = self.pool.tokens.iter();
        tokens
            .flat_map(|token| {
                let index = token.identity.index;
                let whole = token.cooldown.map(|rest| ((index, None), rest.until));
                let models = token.models.iter();
                let models =
                    models.map(move |(model, rest)| ((index, Some(model.clone())), rest.until));
                whole.into_iter().chain(models)
            })
            .collect()
    }

    fn record(&mut self, change: Change, outcome: Outcome) {
        match change {
            Change::Cooled {
                token, model, rest, ..
            } => {
                let Outcome::Failure(failure) = outcome else {
                    panic!("cooled without a failure");
                };
                assert!(failure.retry_after().is_none_or(|floor| rest >= floor));
                let until = self.now + rest;
                let end = self.cold.entry((token, model)).or_insert(until);
                *end = until.max(*end);
            }
            Change::Disabled { token, recheck_in } => {
                self.disabled.insert(token, self.now + recheck_in);
            }
            Change::Enabled { token } => {
                self.disabled.remove(&token);
            }
            Change::BreakerOpened { rest } => self.breaker_open = Some(self.now + rest),
            Change::BreakerClosed => self.breaker_open = None,
            Change::Recovered { .. } => {}
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Lease {
                model,
                exclude,
                rng,
            } => self.lease(model, &exclude, rng),
            Step::Report {
                which,
                outcome,
                rng,
            } => self.report(which, outcome, rng),
            Step::Pass(time) => self.now += time,
        }
    }
}

fn any_strategy() -> impl Generator<Value = Strategy> {
    prop_oneof![
        Just(Strategy::RoundRobin),
        Just(Strategy::Random),
        Just(Strategy::LeastBusy),
        Just(Strategy::ExhaustFirst),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pool_keeps_its_word(strategy in any_strategy(), steps in vec(step(), 1..120)) {
        let mut witness = Witness::new(strategy);
        for step in steps {
            witness.run(step);
        }
        while !witness.out.is_empty() {
            witness.report(0, Outcome::Dropped, 0);
        }
        prop_assert!(witness.pool.tokens.iter().all(|token| token.out == 0));
    }

    #[test]
    fn round_robin_never_favours_a_token(count in 1..8_usize, turns in 1..20_usize) {
        let mut pool = PoolState::new(config(Strategy::RoundRobin), &identities(count), 0);
        let mut lent = vec![0; count];
        for _ in 0..count * turns {
            if let Decision::Lend(ticket) = pool.lease(secs(1), "m", &[], None, 0) {
                lent[ticket.token.0 as usize] += 1;
            }
        }
        prop_assert_eq!(lent, vec![turns; count]);
    }
}
