//! The pool's decisions, case by case.

use std::{sync::Arc, time::Duration};

use troupe_protocol::failure::{FailureKind, QuotaScope};

use super::{
    judgement::Change,
    policy::{Decision, PoolState},
    token::{Identity, TokenIndex},
};
use crate::{
    affinity::Affinity,
    credentials::{
        config::{PoolConfig, Strategy},
        cooldown::ColdReason,
        lease::{Outcome, Ticket},
    },
    secrets::{KeyedHash, Secret},
    supervision::clock::Monotonic,
};

const NOW: Monotonic = Duration::from_secs(1_000);

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn identities(count: usize) -> Vec<Arc<Identity>> {
    let tokens: Vec<_> = (0..count)
        .map(|number| Secret::from(format!("sk-test-token-{number:04}")))
        .collect();
    Identity::of_all(&tokens, &KeyedHash::new(&[7; 32], "token"))
}

/// Two digits of rest without jitter make the arithmetic of the tests exact.
pub(super) fn config(strategy: Strategy) -> PoolConfig {
    PoolConfig {
        strategy,
        jitter: 0.0,
        ..PoolConfig::default()
    }
}

fn pool(count: usize, strategy: Strategy) -> PoolState {
    PoolState::new(config(strategy), &identities(count), 0)
}

fn model() -> Arc<str> {
    "m".into()
}

fn rate_limited(seconds: Option<u64>) -> Outcome {
    Outcome::Failure(FailureKind::RateLimited {
        retry_after: seconds.map(secs),
    })
}

const INVALID: Outcome = Outcome::Failure(FailureKind::AuthInvalid);
const FAULT: Outcome = Outcome::Failure(FailureKind::Upstream);

/// Lends for model `m`; `None` if the decision is another.
fn lend(pool: &mut PoolState, now: Monotonic) -> Option<Ticket> {
    match pool.lease(now, "m", &[], None, 0) {
        Decision::Lend(ticket) => Some(ticket),
        _ => None,
    }
}

/// Lends and reports at once. Returns the token's number.
fn attempt(pool: &mut PoolState, now: Monotonic, outcome: Outcome) -> u32 {
    let ticket = lend(pool, now).expect("a token can be lent");
    pool.report(now, ticket, &model(), outcome, 0);
    ticket.token.0
}

#[test]
fn round_robin_is_fair() {
    let mut pool = pool(3, Strategy::RoundRobin);
    let order: Vec<_> = (0..6)
        .map(|_| attempt(&mut pool, NOW, Outcome::Success))
        .collect();
    assert_eq!(order, [0, 1, 2, 0, 1, 2]);
}

#[test]
fn round_robin_passes_over_what_is_cold() {
    let mut pool = pool(3, Strategy::RoundRobin);
    attempt(&mut pool, NOW, Outcome::Success);
    attempt(&mut pool, NOW, rate_limited(Some(10)));
    let order: Vec<_> = (0..4)
        .map(|_| attempt(&mut pool, NOW, Outcome::Success))
        .collect();
    assert_eq!(order, [2, 0, 2, 0]);
    let order: Vec<_> = (0..3)
        .map(|_| attempt(&mut pool, NOW + secs(10), Outcome::Success))
        .collect();
    assert_eq!(order, [1, 2, 0]);
}

#[test]
fn exhaust_first_stays_until_it_cools_and_comes_back() {
    let mut pool = pool(2, Strategy::ExhaustFirst);
    assert_eq!(attempt(&mut pool, NOW, Outcome::Success), 0);
    assert_eq!(attempt(&mut pool, NOW, rate_limited(Some(5))), 0);
    assert_eq!(attempt(&mut pool, NOW, Outcome::Success), 1);
    assert_eq!(attempt(&mut pool, NOW + secs(5), Outcome::Success), 0);
}

#[test]
fn least_busy_takes_the_idle_one_and_turns_among_equals() {
    let mut pool = pool(3, Strategy::LeastBusy);
    let held: Vec<_> = (0..3).filter_map(|_| lend(&mut pool, NOW)).collect();
    let order: Vec<_> = held.iter().map(|ticket| ticket.token.0).collect();
    assert_eq!(order, [0, 1, 2]);
    pool.report(NOW, held[1], &model(), Outcome::Success, 0);
    assert_eq!(lend(&mut pool, NOW).map(|ticket| ticket.token.0), Some(1));
}

#[test]
fn random_reaches_all_that_can_be_lent_and_no_other() {
    let mut pool = pool(4, Strategy::Random);
    attempt(&mut pool, NOW, rate_limited(Some(10)));
    let mut seen = [0; 4];
    for rng in 0..300 {
        if let Decision::Lend(ticket) = pool.lease(NOW, "m", &[], None, rng) {
            seen[ticket.token.0 as usize] += 1;
        }
    }
    assert_eq!(seen, [0, 100, 100, 100]);
}

#[test]
fn a_conversation_comes_back_to_its_token_when_that_has_thawed() {
    let mut pool = pool(5, Strategy::RoundRobin);
    let affinity = Some(Affinity::of("app", "conversation"));
    let token = |pool: &mut PoolState, now| match pool.lease(now, "m", &[], affinity, 0) {
        Decision::Lend(ticket) => ticket,
        other => panic!("{other:?}"),
    };
    let first = token(&mut pool, NOW);
    assert_eq!(token(&mut pool, NOW).token, first.token);
    pool.report(NOW, first, &model(), rate_limited(Some(9)), 0);
    let second = token(&mut pool, NOW);
    assert_ne!(second.token, first.token);
    assert_eq!(token(&mut pool, NOW + secs(8)).token, second.token);
    assert_eq!(token(&mut pool, NOW + secs(9)).token, first.token);
    pool.config.sticky = false;
    let in_turn = [0; 5].map(|_| token(&mut pool, NOW + secs(9)).token);
    assert!(in_turn.iter().any(|token| *token != first.token));
}

#[test]
fn a_full_token_is_not_lent() {
    let mut pool = pool(1, Strategy::RoundRobin);
    pool.config.per_token_concurrency = 2;
    let first = lend(&mut pool, NOW).unwrap();
    assert!(lend(&mut pool, NOW).is_some());
    let busy = Decision::Wait {
        until: None,
        reason: ColdReason::Busy,
    };
    assert_eq!(pool.lease(NOW, "m", &[], None, 0), busy);
    pool.report(NOW, first, &model(), Outcome::Dropped, 0);
    assert!(lend(&mut pool, NOW).is_some());
}

#[test]
fn a_rate_limit_is_of_one_model_and_retry_after_is_its_floor() {
    let mut pool = pool(1, Strategy::RoundRobin);
    attempt(&mut pool, NOW, rate_limited(Some(90)));
    let wait = Decision::Wait {
        until: Some(NOW + secs(90)),
        reason: ColdReason::RateLimited,
    };
    assert_eq!(pool.lease(NOW + secs(89), "m", &[], None, 0), wait);
    assert!(matches!(
        pool.lease(NOW, "other", &[], None, 0),
        Decision::Lend(_)
    ));
    assert!(lend(&mut pool, NOW + secs(90)).is_some());
}

#[test]
fn cooling_again_keeps_the_later_end() {
    let mut pool = pool(1, Strategy::RoundRobin);
    let (first, second) = (lend(&mut pool, NOW).unwrap(), lend(&mut pool, NOW).unwrap());
    pool.report(NOW, first, &model(), rate_limited(Some(60)), 0);
    let changes = pool.report(NOW, second, &model(), rate_limited(Some(1)), 0);
    assert_eq!(changes, []);
    assert!(lend(&mut pool, NOW + secs(59)).is_none());
}

#[test]
fn rate_limits_in_a_row_double_and_success_ends_the_row() {
    let mut pool = pool(1, Strategy::RoundRobin);
    let mut now = NOW;
    for rest in [1, 2, 4] {
        attempt(&mut pool, now, rate_limited(None));
        assert!(lend(&mut pool, now + secs(rest) - Duration::from_millis(1)).is_none());
        now += secs(rest);
    }
    attempt(&mut pool, now, Outcome::Success);
    attempt(&mut pool, now, rate_limited(None));
    assert!(lend(&mut pool, now + secs(1)).is_some());
}

#[test]
fn a_used_up_quota_rests_the_token_or_the_model() {
    let quota = |scope| {
        Outcome::Failure(FailureKind::QuotaExhausted {
            scope,
            retry_after: None,
        })
    };
    let mut whole = pool(1, Strategy::RoundRobin);
    attempt(&mut whole, NOW, quota(QuotaScope::Credential));
    assert!(matches!(
        whole.lease(NOW, "x", &[], None, 0),
        Decision::Wait { .. }
    ));
    assert!(lend(&mut whole, NOW + secs(3_600)).is_some());

    let mut single = pool(1, Strategy::RoundRobin);
    attempt(&mut single, NOW, quota(QuotaScope::CredentialModel));
    assert!(matches!(
        single.lease(NOW, "x", &[], None, 0),
        Decision::Lend(_)
    ));
    assert!(lend(&mut single, NOW).is_none());
}

#[test]
fn what_is_not_the_tokens_fault_is_not_held_against_it() {
    let mut pool = pool(2, Strategy::ExhaustFirst);
    for outcome in [
        Outcome::Dropped,
        Outcome::Failure(FailureKind::InvalidRequest),
        Outcome::Failure(FailureKind::ContentPolicy),
        Outcome::Failure(FailureKind::Cancelled),
    ] {
        assert_eq!(attempt(&mut pool, NOW, outcome), 0);
    }
    assert_eq!(attempt(&mut pool, NOW, Outcome::Success), 0);
}

#[test]
fn faults_rest_a_token_only_while_another_is_warm() {
    let mut pair = pool(2, Strategy::ExhaustFirst);
    assert_eq!(attempt(&mut pair, NOW, FAULT), 0);
    assert_eq!(attempt(&mut pair, NOW, FAULT), 1);
    assert_eq!(attempt(&mut pair, NOW, FAULT), 1);
    assert_eq!(attempt(&mut pair, NOW + secs(1), Outcome::Success), 0);

    let mut alone = pool(1, Strategy::RoundRobin);
    for _ in 0..9 {
        attempt(&mut alone, NOW, FAULT);
    }
    assert!(lend(&mut alone, NOW).is_some());
}

#[test]
fn an_overloaded_upstream_that_names_a_time_is_obeyed() {
    let mut pool = pool(1, Strategy::RoundRobin);
    let retry_after = Some(secs(3));
    let overloaded = Outcome::Failure(FailureKind::Overloaded { retry_after });
    attempt(&mut pool, NOW, overloaded);
    assert!(lend(&mut pool, NOW + secs(2)).is_none());
    assert!(lend(&mut pool, NOW + secs(3)).is_some());
}

#[test]
fn many_faults_open_the_breaker_and_one_probe_closes_it() {
    let mut pool = pool(1, Strategy::RoundRobin);
    for _ in 0..10 {
        attempt(&mut pool, NOW, FAULT);
    }
    let until = NOW + secs(2);
    assert_eq!(
        pool.lease(NOW, "m", &[], None, 0),
        Decision::BreakerOpen { until }
    );
    let probe = lend(&mut pool, until).unwrap();
    assert!(probe.trial.probe);
    assert!(lend(&mut pool, until).is_none());
    let changes = pool.report(until, probe, &model(), Outcome::Success, 0);
    assert_eq!(changes, [Change::BreakerClosed]);
    assert!(lend(&mut pool, until).is_some());
}

#[test]
fn a_refused_token_is_checked_once_at_a_time_with_growing_pauses() {
    let mut pool = pool(1, Strategy::RoundRobin);
    attempt(&mut pool, NOW, INVALID);
    let first_check = NOW + secs(600);
    let wait = Decision::Wait {
        until: Some(first_check),
        reason: ColdReason::Invalid,
    };
    assert_eq!(pool.lease(NOW, "m", &[], None, 0), wait);

    let check = lend(&mut pool, first_check).unwrap();
    assert!(check.trial.recheck);
    assert!(lend(&mut pool, first_check).is_none());
    pool.report(first_check, check, &model(), INVALID, 0);

    let second_check = first_check + secs(1_200);
    assert!(lend(&mut pool, second_check - secs(1)).is_none());
    let check = lend(&mut pool, second_check).unwrap();
    let changes = pool.report(second_check, check, &model(), Outcome::Success, 0);
    assert_eq!(
        changes,
        [Change::Enabled {
            token: TokenIndex(0)
        }]
    );
    assert!(lend(&mut pool, second_check).is_some());
}

#[test]
fn a_check_that_tells_nothing_is_left_to_the_next_request() {
    let mut pool = pool(1, Strategy::RoundRobin);
    attempt(&mut pool, NOW, INVALID);
    let due = NOW + secs(600);
    attempt(&mut pool, due, Outcome::Dropped);
    attempt(&mut pool, due, FAULT);
    assert!(lend(&mut pool, due).is_some_and(|ticket| ticket.trial.recheck));
}

#[test]
fn only_the_check_itself_judges_a_disabled_token() {
    let mut pool = pool(1, Strategy::RoundRobin);
    let older: Vec<_> = (0..3).filter_map(|_| lend(&mut pool, NOW)).collect();
    pool.report(NOW, older[0], &model(), INVALID, 0);
    assert_eq!(pool.report(NOW, older[1], &model(), INVALID, 0), []);
    assert_eq!(
        pool.report(NOW, older[2], &model(), Outcome::Success, 0),
        []
    );
    assert!(lend(&mut pool, NOW + secs(600)).is_some());
}

#[test]
fn a_second_try_does_not_risk_a_check_while_a_good_token_is_left() {
    let mut pool = pool(3, Strategy::ExhaustFirst);
    attempt(&mut pool, NOW, INVALID);
    attempt(&mut pool, NOW, INVALID);
    let due = NOW + secs(600);
    let check = lend(&mut pool, due).unwrap();
    assert_eq!(check.token, TokenIndex(0));
    let second_try = pool.lease(due, "m", &[check.token], None, 0);
    assert!(matches!(second_try, Decision::Lend(ticket) if ticket.token == TokenIndex(2)));
    let last_try = pool.lease(due, "m", &[TokenIndex(0), TokenIndex(2)], None, 0);
    assert!(matches!(last_try, Decision::Lend(ticket) if ticket.token == TokenIndex(1)));
    let all = [TokenIndex(0), TokenIndex(1), TokenIndex(2)];
    assert_eq!(pool.lease(due, "m", &all, None, 0), Decision::NoneLeft);
}

#[test]
fn leases_from_before_a_restart_are_judged_but_not_counted() {
    let mut before = pool(1, Strategy::RoundRobin);
    let old = lend(&mut before, NOW).unwrap();
    let mut after = PoolState::new(config(Strategy::RoundRobin), &identities(1), 1);
    let new = lend(&mut after, NOW).unwrap();
    after.report(NOW, old, &model(), rate_limited(Some(5)), 0);
    assert_eq!(after.tokens[0].out, 1);
    assert!(lend(&mut after, NOW).is_none());
    after.report(NOW, new, &model(), Outcome::Success, 0);
    assert_eq!(after.tokens[0].out, 0);
}

#[test]
fn a_reset_by_hand_ends_everything() {
    let mut pool = pool(2, Strategy::RoundRobin);
    attempt(&mut pool, NOW, INVALID);
    attempt(&mut pool, NOW, rate_limited(Some(900)));
    assert!(pool.reset(Some(TokenIndex(0))));
    assert_eq!(attempt(&mut pool, NOW, Outcome::Success), 0);
    assert!(!pool.reset(Some(TokenIndex(9))));
    assert!(pool.reset(None));
    assert_eq!(attempt(&mut pool, NOW, Outcome::Success), 1);
}
