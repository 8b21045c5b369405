//! A token whose quota is spent, in the upstream's own words, is lent again at the instant when the quota is whole,
//! and not a moment before.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use troupe_protocol::{
    chat::Losses,
    failure::FailureKind,
    pictures::{Action, Answer, Heard, Order, Settings, Step, reset, service},
};

use super::{
    policy::{Decision, PoolState},
    policy_tests::{config, identities},
};
use crate::{
    credentials::{config::Strategy, lease::Outcome},
    supervision::clock::Monotonic,
};

const DAY: u64 = 86_400;

/// An instant of the pool's clock: not that of the wall.
const NOW: Monotonic = Duration::from_secs(1_000);

/// What an upstream of that kind means with a refusal that comes at `now`.
fn refused(kind: &str, model: &str, status: u16, body: &Value, now: SystemTime) -> FailureKind {
    let kind = service::find(kind).unwrap();
    let service = (kind.make)(Settings::default());
    let known = service.models().into_iter().find(|spec| spec.id == model);
    let spec = known.unwrap_or_else(|| service.unknown_model(model));
    let order = Arc::new(Order {
        action: Action::Generate,
        model: Arc::new(spec),
        prompt: "a red apple".into(),
        negative_prompt: None,
        size: None,
        exact: false,
        count: 1,
        seed: None,
        spare_seed: 0,
        steps: None,
        guidance: None,
        seconds: None,
        inputs: Vec::new(),
        mask: None,
        extra: Map::new(),
        nonce: 0,
    });
    let mut errand = service.begin(&order, &mut Losses::default()).unwrap();
    errand.next(Heard::Start);
    let step = errand.next(Heard::Answer(Answer {
        status,
        headers: &[],
        body: body.to_string().as_bytes(),
        now,
    }));
    match step {
        Step::Failed(failure) => failure.kind,
        step => panic!("it went on: {step:?}"),
    }
}

fn lends(pool: &mut PoolState, now: Monotonic, model: &str) -> bool {
    matches!(pool.lease(now, model, &[], None, 0), Decision::Lend(_))
}

/// A pool of one token, for whose model `m` a refusal was just reported.
fn spent(kind: FailureKind) -> PoolState {
    let mut pool = PoolState::new(config(Strategy::RoundRobin), &identities(1), 0);
    let Decision::Lend(ticket) = pool.lease(NOW, "m", &[], None, 0) else {
        panic!("a fresh token is lent");
    };
    pool.report(NOW, ticket, &"m".into(), Outcome::Failure(kind), 0);
    pool
}

proptest! {
    #[test]
    fn midnight_in_china_brings_the_tokens_back(since in 0..4_000_000_000_u64) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(since);
        let midnight = (since + 8 * 3_600) / DAY * DAY + DAY - 8 * 3_600;
        let back = NOW + Duration::from_secs(midnight - since);
        let before = back - Duration::from_millis(1);

        let text = json!({"message": "Today the free API access limit exceeded."});
        let mut gitee = spent(refused("gitee", "z-image-turbo", 400, &text, now));
        prop_assert!(!lends(&mut gitee, before, "m") && !lends(&mut gitee, before, "other"));
        prop_assert!(lends(&mut gitee, back, "m"));

        let text = json!({"errors": {"message": "You have exceeded today's quota for model m, please try again tomorrow"}});
        let mut modelscope = spent(refused("modelscope", "z-image", 429, &text, now));
        prop_assert!(lends(&mut modelscope, NOW, "other") && !lends(&mut modelscope, before, "m"));
        prop_assert!(lends(&mut modelscope, back, "m"));
    }

    #[test]
    fn a_space_says_itself_when_its_seconds_come_back(
        hours in 0..100_u64, minutes in 0..60_u64, seconds in 1..60_u64,
    ) {
        let text = json!(format!(
            "You have exceeded your free ZeroGPU quota (60s requested vs. 42s left). Try again in \
             {hours}:{minutes:02}:{seconds:02}"
        ));
        let now = SystemTime::UNIX_EPOCH;
        let mut space = spent(refused("huggingface", "flux-1-schnell", 429, &text, now));
        let back = NOW + Duration::from_secs(hours * 3_600 + minutes * 60 + seconds);
        let before = back - Duration::from_millis(1);
        prop_assert!(!lends(&mut space, before, "m") && !lends(&mut space, before, "other"));
        prop_assert!(lends(&mut space, back, "m"));
    }

    #[test]
    fn the_next_month_brings_credits_back(since in 0..4_000_000_000_u64) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(since);
        let back = NOW + reset::next_month(now);
        let before = back - Duration::from_millis(1);
        let router = json!({"error": "You have exceeded your monthly included credits for Inference Providers."});
        let limit = json!({"error": {"code": "billing_hard_limit_reached", "message": "Billing hard limit has been reached"}});
        for (kind, model, status, body) in [
            ("huggingface", "any/routed", 402, router),
            ("openai", "gpt-image-1", 400, limit),
        ] {
            let mut pool = spent(refused(kind, model, status, &body, now));
            prop_assert!(!lends(&mut pool, before, "m") && !lends(&mut pool, before, "other"));
            prop_assert!(lends(&mut pool, back, "m"), "{}", kind);
        }
    }

    #[test]
    fn midnight_at_the_pacific_coast_brings_google_s_tokens_back(since in 1_700_000_000..2_000_000_000_u64) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(since);
        let wait = reset::pacific_midnight(now);
        let back = NOW + wait;
        let before = back - Duration::from_millis(1);
        let details = json!([
            {"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},
            {"retryDelay": "26s"},
        ]);
        let error = json!({"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota", "details": details});
        let body = json!({"error": error});
        let mut gemini = spent(refused("gemini", "gemini-2.5-flash-image", 429, &body, now));
        prop_assert!(lends(&mut gemini, NOW, "other") && !lends(&mut gemini, before, "m"));
        prop_assert!(lends(&mut gemini, back, "m"));
    }
}
