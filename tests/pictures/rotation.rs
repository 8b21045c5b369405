//! Tokens whose quota is used up, as each provider says it: the next one serves, and the day's end is known.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use troupe_protocol::pictures::reset;
use troupe_simulator::{Behaviour, Simulator};

use super::{fox, generate, reply, volcengine};
use crate::support::{App, Provider, leaks};

const TOKENS: [&str; 3] = [
    "rotated-token-one-0123",
    "rotated-token-two-0123",
    "rotated-token-three-0123",
];

/// A simulator's provider of that kind, known by the kind's name, its tokens lent in their order.
pub fn provider(sim: &Simulator, kind: &str, path: &str) -> Provider {
    Provider::at(&sim.at(path))
        .name(kind)
        .kind(kind)
        .models_of_upstream()
        .tokens(&TOKENS)
        .with("pool", "{ strategy = \"exhaust_first\", sticky = false }")
        .with("options", "{ poll_ms = 5 }")
}

/// Two tokens of three are spent: the third draws, and the two are not asked again. Gives the token stats.
async fn third_serves(kind: &str, path: &str, model: &str) -> Value {
    let sim = Simulator::start();
    let provider = provider(&sim, kind, path);
    let provider = match ["openai", "gemini"].contains(&kind) {
        // these are asked for their models, among which there are none that draw
        true => provider.models(&[model]),
        false => provider,
    };
    third_of(&sim, provider, kind, model).await
}

/// The same of a provider whose tokens are known to the simulator by [`TOKENS`].
async fn third_of(sim: &Simulator, provider: Provider, kind: &str, model: &str) -> Value {
    let app = App::builder().provider(provider).start().await;
    for token in &TOKENS[..2] {
        let rule = sim.script().token(token);
        rule.answers([Behaviour::insufficient_quota()]);
    }
    for _ in 0..2 {
        reply(generate(&app, &fox(&format!("{kind}/{model}"))).await).await;
    }
    let stats = sim.script().stats();
    assert_eq!(
        TOKENS[..2].iter().map(|token| stats.token(token)).max(),
        Some(1)
    );
    assert!(stats.token(TOKENS[2]) >= 2);
    let stats = app
        .admin_get(&format!("/api/v1/token-stats?provider={kind}"))
        .await;
    let stats = reply(stats).await;
    for token in TOKENS {
        assert!(!stats.to_string().contains(token), "{stats}");
    }
    stats
}

#[actix_rt::test]
async fn the_sixth_token_draws_when_five_are_spent() {
    let tokens: Vec<String> = (1..=6)
        .map(|number| format!("one-of-six-{number}"))
        .collect();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let sim = Simulator::start();
    for token in &tokens[..5] {
        let rule = sim.script().token(token);
        rule.answers([Behaviour::insufficient_quota()]);
    }
    let provider = provider(&sim, "gitee", "/gitee/v1").tokens(&tokens);
    let app = App::builder().provider(provider).start().await;
    reply(generate(&app, &fox("gitee/z-image-turbo")).await).await;
    let stats = sim.script().stats();
    let asked: Vec<_> = tokens.iter().map(|token| stats.token(token)).collect();
    assert_eq!(asked, [1; 6]);
}

/// An upstream refuses all tokens and repeats each: neither the answer nor the record of the call does. The
/// logs and files are looked through when the gateway ends.
pub async fn nobody_is_told_the_tokens(sim: &Simulator, app: &App, model: &str, tokens: &[&str]) {
    sim.script().any().answers([Behaviour::leaks_credential()]);
    let answer = generate(app, &fox(model)).await;
    assert!(answer.status >= 500, "{model}: {}", answer.status);
    for (name, value) in &answer.headers {
        leaks::in_text(name.as_str(), value.as_bytes(), tokens);
    }
    leaks::in_text(model, &answer.bytes().await, tokens);
    let stats = sim.script().stats();
    assert!(
        tokens.iter().all(|token| stats.token(token) >= 1),
        "{model}: not every token was refused"
    );
    let calls = app.calls_once(1).await;
    leaks::in_text("the calls", json!(calls).to_string().as_bytes(), tokens);
}

#[actix_rt::test]
async fn tokens_that_an_upstream_repeats_are_told_to_nobody() {
    for (kind, path, model) in [
        ("gemini", "/v1beta", "gemini-2.5-flash-image"),
        ("modelscope", "/modelscope/v1", "z-image-turbo"),
        ("a4f", "/a4f/v1", "imagen-4"),
        ("modelslab", "/modelslab", "flux"),
    ] {
        let sim = Simulator::start();
        let provider = provider(&sim, kind, path);
        let provider = match kind {
            "gemini" => provider.models(&[model]),
            _ => provider,
        };
        let app = App::builder().provider(provider).start().await;
        nobody_is_told_the_tokens(&sim, &app, &format!("{kind}/{model}"), &TOKENS).await;
    }
}

#[actix_rt::test]
async fn a_reset_by_hand_brings_a_spent_token_back() {
    let sim = Simulator::start();
    let provider = provider(&sim, "gitee", "/gitee/v1");
    let app = App::builder().provider(provider).start().await;
    let order = fox("gitee/z-image-turbo");
    let spent = sim.script().token(TOKENS[0]);
    spent.answers([Behaviour::insufficient_quota()]);
    let exhausted = async || {
        let stats = app.admin_get("/api/v1/token-stats?provider=gitee").await;
        reply(stats).await["exhausted"].clone()
    };
    let uses = || sim.script().stats().token(TOKENS[0]);
    for _ in 0..2 {
        reply(generate(&app, &order).await).await;
    }
    assert_eq!((uses(), exhausted().await), (1, json!(1)), "it rests");
    sim.script().reset();
    let reset = app
        .admin_post("/api/v1/token-reset", &json!({"provider": "gitee"}))
        .await;
    assert_eq!(reply(reset).await["success"], true);
    assert_eq!(exhausted().await, json!(0));
    let before = uses();
    reply(generate(&app, &order).await).await;
    assert_eq!(uses(), before + 1, "it is lent again");
}

/// Seconds until midnight in China.
fn until_beijing_midnight() -> u64 {
    const DAY: u64 = 86_400;
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    DAY - (since.unwrap_or(Duration::ZERO).as_secs() + 8 * 3_600) % DAY
}

pub fn assert_rests_until_midnight(rest: &Value) {
    let rest = rest.as_u64().unwrap_or_else(|| panic!("no rest: {rest}"));
    assert_about(rest, Duration::from_secs(until_beijing_midnight()));
}

/// Whether so many seconds are those until a reset, give or take what the pool spreads them by.
pub fn assert_about(rest: u64, wait: Duration) {
    let off = rest.abs_diff(wait.as_secs());
    // a test that runs over the reset finds the two a day or a month apart
    assert!(!(90..=86_310).contains(&off), "{rest} instead of {wait:?}");
}

/// The seconds that the tokens which are spent rest for that model alone.
fn rests_of_model(stats: &Value, model: &str) -> Vec<u64> {
    let tokens = stats["tokens"].as_array().unwrap()[..2].iter();
    let rests = tokens.map(|token| {
        let models = token["models"].as_array().unwrap();
        let of_model = models.iter().find(|rest| rest["model"] == model);
        let of_model = of_model.unwrap_or_else(|| panic!("no rest for {model}: {stats}"));
        of_model["thaws_in_ms"].as_u64().unwrap() / 1_000
    });
    rests.collect()
}

#[actix_rt::test]
async fn gitee_s_free_calls_come_back_at_midnight_in_china() {
    let stats = third_serves("gitee", "/gitee/v1", "z-image-turbo").await;
    assert_eq!(
        (&stats["exhausted"], &stats["active"]),
        (&json!(2), &json!(1))
    );
    for at in 0..2 {
        assert_rests_until_midnight(&stats["tokens"][at]["resets_in_seconds"]);
    }
    let quota = &stats["tokens"][2]["quota"];
    assert_eq!(
        (&quota["remaining"], &quota["limit"]),
        (&json!(5.0), &json!(5.0))
    );
}

#[actix_rt::test]
async fn modelscope_s_calls_of_a_model_are_spent_for_that_model_alone() {
    let stats = third_serves("modelscope", "/modelscope/v1", "z-image-turbo").await;
    for rest in rests_of_model(&stats, "Tongyi-MAI/Z-Image-Turbo") {
        assert_rests_until_midnight(&rest.into());
    }
    assert_eq!(
        stats["active"], 3,
        "another model may still be drawn with all of them"
    );
}

#[actix_rt::test]
async fn modelslab_tells_with_200_that_the_credits_are_gone() {
    let stats = third_serves("modelslab", "/modelslab", "flux").await;
    assert_eq!(
        (&stats["exhausted"], &stats["active"]),
        (&json!(2), &json!(1))
    );
}

#[actix_rt::test]
async fn a4f_tells_it_as_openai_does() {
    let stats = third_serves("a4f", "/a4f/v1", "imagen-4").await;
    assert_eq!(
        (&stats["exhausted"], &stats["active"]),
        (&json!(2), &json!(1))
    );
}

#[actix_rt::test]
async fn openai_and_xai_tell_that_the_credits_are_gone() {
    for (kind, path, model) in [
        ("openai", "/v1", "gpt-image-1"),
        ("grok", "/grok/v1", "grok-imagine-image"),
    ] {
        let stats = third_serves(kind, path, model).await;
        assert_eq!(
            (&stats["exhausted"], &stats["active"]),
            (&json!(2), &json!(1))
        );
    }
}

#[actix_rt::test]
async fn gemini_s_day_is_one_of_a_model() {
    let model = "gemini-2.5-flash-image";
    let stats = third_serves("gemini", "/v1beta", model).await;
    for rest in rests_of_model(&stats, model) {
        assert_about(rest, reset::pacific_midnight(SystemTime::now()));
    }
    assert_eq!(stats["active"], 3);
}

#[actix_rt::test]
async fn volcengine_says_of_an_empty_account_that_it_has_no_access() {
    let sim = Simulator::start();
    let provider = volcengine::provider(&sim, &TOKENS);
    let stats = third_of(&sim, provider, "volcengine", "general_v3.0").await;
    assert!(!stats.to_string().contains("secret-of-"), "{stats}");
    // it has no word for a quota, so that no reset is known
    let rests = rests_of_model(&stats, "high_aes_general_v30l_zt2i");
    assert!(rests.iter().all(|rest| *rest > 0), "{stats}");
    assert_eq!(stats["tokens"][2]["models"], json!([]));
    assert_eq!(stats["active"], 3, "other models may still be open");
}

#[actix_rt::test]
async fn ark_s_cap_of_a_model_is_of_that_model_alone() {
    let stats = third_serves("ark", "/ark/api/v3", "seedream-4.0").await;
    // neither a cap nor a trial comes back by itself, so that no reset is known
    let rests = rests_of_model(&stats, "doubao-seedream-4-0-250828");
    assert!(rests.iter().all(|rest| *rest > 0), "{stats}");
    assert_eq!(stats["active"], 3);
}
