//! Which token serves: after a refusal, when all are cold, and never after the first byte.

use std::time::{Duration, Instant};

use troupe_simulator::{Behaviour, Simulator};

use crate::support::{App, Provider, chat, eventually};

const A: &str = "sk-upstream-token-a";
const B: &str = "sk-upstream-token-b";

async fn app(sim: &Simulator, pool: &str) -> App {
    let provider = Provider::of(sim)
        .tokens(&[A, B])
        .models(&["sim-cut-after-3"])
        .with("pool", pool);
    App::builder().provider(provider).start().await
}

#[actix_rt::test]
async fn an_invalid_token_is_left_alone_also_after_a_restart() {
    let sim = Simulator::start();
    sim.script().token(A).answers([Behaviour::invalid_key()]);
    let mut app = app(&sim, r#"{ strategy = "exhaust_first" }"#).await;
    let first = app.chat(&chat::plain("acme/gpt-4o")).await;
    assert_eq!(
        (first.status, first.header("x-troupe-attempts")),
        (200, "2")
    );
    for _ in 0..5 {
        let answer = app.chat(&chat::plain("acme/gpt-4o")).await;
        assert_eq!(
            (answer.status, answer.header("x-troupe-attempts")),
            (200, "1")
        );
    }
    // the pool's state is written behind the request; an orderly end writes all of it
    app.terminate();
    app.ended().await;
    app.restart().await;
    assert_eq!(app.chat(&chat::plain("acme/gpt-4o")).await.status, 200);
    let stats = sim.script().stats();
    assert_eq!((stats.token(A), stats.token(B)), (1, 7));
}

#[actix_rt::test]
async fn other_refusals_go_to_the_next_token() {
    for refusal in [
        Behaviour::status(500),
        Behaviour::status(503),
        Behaviour::rate_limited("30"),
        Behaviour::insufficient_quota(),
        Behaviour::CutBeforeHeaders,
    ] {
        let sim = Simulator::start();
        sim.script().token(A).answers([refusal.clone()]);
        let app = app(&sim, r#"{ strategy = "exhaust_first" }"#).await;
        let answer = app.chat(&chat::plain("acme/gpt-4o")).await;
        assert_eq!(
            (answer.status, answer.header("x-troupe-attempts")),
            (200, "2"),
            "{refusal:?}"
        );
    }
}

#[actix_rt::test]
async fn a_stream_that_begins_with_an_error_goes_to_the_next_token() {
    let sim = Simulator::start();
    sim.script().token(A).answers([Behaviour::ErrorAfter(0)]);
    let app = app(&sim, r#"{ strategy = "exhaust_first" }"#).await;
    let answer = app.chat(&chat::stream("acme/gpt-4o")).await;
    assert_eq!(
        (answer.status, answer.header("x-troupe-attempts")),
        (200, "2")
    );
    let events = answer.events().await;
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    let stats = sim.script().stats();
    assert_eq!((stats.token(A), stats.token(B)), (1, 1));
}

#[actix_rt::test]
async fn a_stream_that_fails_behind_its_first_words_is_not_begun_again() {
    let sim = Simulator::start();
    sim.script().any().answers([Behaviour::ErrorAfter(1)]);
    let app = app(&sim, "{}").await;
    let answer = app.chat(&chat::stream("acme/gpt-4o")).await;
    assert_eq!(
        (answer.status, answer.header("x-troupe-attempts")),
        (200, "1")
    );
    let last = answer.events().await.pop().expect("events");
    assert!(last.contains("\"error\""), "{last}");
    assert_eq!(sim.script().stats().requests, 1);
}

#[actix_rt::test]
async fn tokens_that_are_turned_away_do_not_count_as_attempts() {
    let tokens: Vec<String> = (0..6)
        .map(|number| format!("sk-upstream-{number}"))
        .collect();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    for (refusal, status, attempts) in [
        (Behaviour::insufficient_quota(), 200, "6"),
        (Behaviour::invalid_key(), 200, "6"),
        (Behaviour::status(500), 502, "4"),
    ] {
        let sim = Simulator::start();
        for token in &tokens[..5] {
            sim.script().token(token).answers([refusal.clone()]);
        }
        let pool = r#"{ strategy = "exhaust_first", max_attempts = 4 }"#;
        let provider = Provider::of(&sim).tokens(&tokens).with("pool", pool);
        let app = App::builder().provider(provider).start().await;
        let answer = app.chat(&chat::plain("acme/gpt-4o")).await;
        assert_eq!(
            (answer.status, answer.header("x-troupe-attempts")),
            (status, attempts),
            "{refusal:?}"
        );
    }
}

#[actix_rt::test]
async fn a_fault_of_the_request_is_not_tried_again() {
    let sim = Simulator::start();
    sim.script().any().answers([Behaviour::status(400)]);
    let app = app(&sim, "{}").await;
    let answer = app.chat(&chat::plain("acme/gpt-4o")).await;
    assert_eq!(
        (answer.status, answer.header("x-troupe-attempts")),
        (400, "1")
    );
    assert_eq!(sim.script().stats().requests, 1);
}

#[actix_rt::test]
async fn when_all_are_cold_the_answer_says_until_when() {
    let sim = Simulator::start();
    sim.script()
        .token(A)
        .answers([Behaviour::rate_limited("30")]);
    sim.script()
        .token(B)
        .answers([Behaviour::rate_limited("9")]);
    let app = app(&sim, "{ max_wait_ms = 100, jitter = 0.0 }").await;
    for _ in 0..3 {
        let refused = app.chat(&chat::plain("acme/gpt-4o")).await;
        let after: u64 = refused.header("retry-after").parse().unwrap();
        assert!(
            (8..=9).contains(&after),
            "the first thaw is in 9 s, told {after}"
        );
        refused.error(429, "rate_limit_exceeded").await;
    }
    assert_eq!(
        sim.script().stats().requests,
        2,
        "cold tokens were asked again"
    );
}

#[actix_rt::test]
async fn a_request_waits_for_a_thaw_that_is_near() {
    let sim = Simulator::start();
    let script = sim.script();
    for token in [A, B] {
        script
            .token(token)
            .answers([Behaviour::rate_limited("1"), Behaviour::Ok]);
    }
    let app = app(&sim, "{ max_wait_ms = 8000 }").await;
    let began = Instant::now();
    let answer = app.chat(&chat::plain("acme/gpt-4o")).await;
    assert_eq!(answer.status, 200);
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "the upstream said one second"
    );
}

#[actix_rt::test]
async fn when_the_attempts_are_used_up_the_answer_says_what_the_pool_knows() {
    const C: &str = "sk-upstream-token-c";
    // the last upstream says 30 s; another token is free at once, or after the first one's rest
    for (tokens, told) in [(&[A, B, C][..], 1..=1), (&[A, B], 8..=9)] {
        let sim = Simulator::start();
        for (token, after) in [(A, "9"), (B, "30")] {
            let refusal = Behaviour::rate_limited(after);
            sim.script().token(token).answers([refusal]);
        }
        let pool = r#"{ strategy = "exhaust_first", max_attempts = 2, jitter = 0.0 }"#;
        let provider = Provider::of(&sim).tokens(tokens).with("pool", pool);
        let app = App::builder().provider(provider).start().await;
        let refused = app.chat(&chat::plain("acme/gpt-4o")).await;
        let after: u64 = refused.header("retry-after").parse().unwrap();
        assert!(told.contains(&after), "{tokens:?}: told {after}");
        assert_eq!(refused.header("x-troupe-attempts"), "2");
        refused.error(429, "rate_limit_exceeded").await;
    }
}

#[actix_rt::test]
async fn all_attempts_of_a_request_share_the_time_that_it_may_wait() {
    let sim = Simulator::start();
    let refusals = std::iter::repeat_n(Behaviour::rate_limited("1"), 9);
    sim.script().token(A).answers(refusals);
    let pool = "{ max_wait_ms = 1500, max_attempts = 6, jitter = 0.0 }";
    let provider = Provider::of(&sim).tokens(&[A]).with("pool", pool);
    let app = App::builder().provider(provider).start().await;
    let refused = app.chat(&chat::plain("acme/gpt-4o")).await;
    assert_eq!(refused.header("retry-after"), "1");
    refused.error(429, "rate_limit_exceeded").await;
    // after the first second only half of one was left
    assert_eq!(sim.script().stats().requests, 2);
}

#[actix_rt::test]
async fn nothing_is_tried_again_after_the_first_byte() {
    let sim = Simulator::start();
    let app = app(&sim, "{}").await;
    let answer = app.chat(&chat::seeded("acme/sim-cut-after-3", 7)).await;
    let events = answer.events().await;
    let text: String = events
        .iter()
        .filter_map(|event| chat::text(event))
        .collect();
    assert_eq!(text, "7-0 7-1 7-2 ");
    assert!(
        events.last().unwrap().contains("\"upstream_cut\""),
        "{events:?}"
    );
    assert_eq!(sim.script().stats().requests, 1);
}

#[actix_rt::test]
async fn the_breaker_opens_and_closes_again() {
    let sim = Simulator::start();
    sim.script().any().answers([Behaviour::status(500)]);
    let pool = "{ max_wait_ms = 0, fault_cooldown_ms = 1, max_cooldown_ms = 1, breaker_threshold = 3, \
                breaker_open_ms = 200 }";
    let app = app(&sim, pool).await;
    eventually("an open breaker", async || {
        let answer = app.chat(&chat::plain("acme/gpt-4o")).await;
        (answer.json().await["error"]["code"] == "circuit_open").then_some(())
    })
    .await;
    sim.script().any().answers([]);
    eventually("a closed breaker", async || {
        (app.chat(&chat::plain("acme/gpt-4o")).await.status == 200).then_some(())
    })
    .await;
}
