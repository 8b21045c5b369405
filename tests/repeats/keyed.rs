//! Requests with an `Idempotency-Key`.

use futures_util::future::{join, join_all};
use serde_json::json;
use troupe_simulator::{Behaviour, Simulator};

use super::{REPLAYED, builder, key, keyed, replayed, try_keyed};
use crate::support::{Answer, App, SOON, chat};

#[actix_rt::test]
async fn a_key_is_answered_once_and_replayed_even_after_kill_9() {
    let sim = Simulator::start();
    let mut app = builder(&sim).start().await;
    let bodies = [chat::plain("acme/gpt-4o"), chat::stream("acme/gpt-4o")];
    let mut answers = Vec::new();
    for (name, body) in ["one", "two"].into_iter().zip(&bodies) {
        let first = keyed(&app, name, body).await;
        assert_eq!(first.header(REPLAYED), "");
        let kind = first.header("content-type").to_owned();
        answers.push((name, kind, first.ok().await));
        // the last byte is here, so the answer is stored
        app.kill9();
        app.restart().await;
    }
    for _ in 0..2 {
        for ((name, kind, bytes), body) in answers.iter().zip(&bodies) {
            let again = keyed(&app, name, body).await;
            assert_eq!(again.header("content-type"), kind);
            assert_eq!(again.header("x-troupe-provider"), "acme");
            assert_eq!(replayed(again).await, (true, bytes.clone()));
        }
    }
    assert_eq!(sim.script().stats().requests, 2);
    let calls = app.calls_once(6).await;
    let used = calls.iter().filter(|call| call["prompt_tokens"].is_u64());
    assert_eq!(used.count(), 2, "a replay uses nothing");
    assert!(calls.iter().all(|call| call["outcome"] == "ok"));
}

#[actix_rt::test]
async fn a_key_belongs_to_one_request_of_one_app() {
    let sim = Simulator::start();
    let app = builder(&sim).start().await;
    let other = key(&app, &["--app", "other"]).await;
    let same_app = key(&app, &[]).await;
    let body = chat::plain("acme/gpt-4o");
    let first = keyed(&app, "k", &body).await.ok().await;
    let reused = keyed(&app, "k", &chat::seeded("acme/gpt-4o", 1)).await;
    reused.error(422, "idempotency_key_reused").await;
    let again = try_keyed(&app, &same_app, "k", &body).await.unwrap();
    assert_eq!(replayed(again).await, (true, first));
    let elsewhere = try_keyed(&app, &other, "k", &body).await.unwrap();
    assert!(!replayed(elsewhere).await.0);

    let embed = json!({"model": "acme/text-embedding-3-small", "input": "hi"});
    let request = app.client().post(app.url("/v1/embeddings"));
    let request = request.bearer_auth(App::API_KEY);
    let request = request.insert_header(("idempotency-key", "k"));
    let answer = Answer::of(request, Some(&embed)).await.unwrap();
    assert!(!replayed(answer).await.0, "another route");
    assert_eq!(sim.script().stats().requests, 3);

    for bad in ["two words", &"x".repeat(256)] {
        let refused = keyed(&app, bad, &body).await;
        refused.error(400, "invalid_idempotency_key").await;
    }
    let nobody = try_keyed(&app, "tp-nobody", "k", &body).await.unwrap();
    nobody.error(401, "invalid_api_key").await;
}

#[actix_rt::test]
async fn what_may_go_better_is_tried_again() {
    let sim = Simulator::start();
    let app = builder(&sim).start().await;
    let script = sim.script();
    script
        .model("gpt-4o")
        .answers([Behaviour::status(500), Behaviour::Ok]);
    let body = chat::plain("acme/gpt-4o");
    keyed(&app, "failed", &body)
        .await
        .error(502, "upstream_error")
        .await;
    assert!(!replayed(keyed(&app, "failed", &body).await).await.0);
    assert!(replayed(keyed(&app, "failed", &body).await).await.0);

    let body = chat::stream("acme/sim-cut-after-3");
    for _ in 0..2 {
        let cut = keyed(&app, "cut", &body).await;
        assert_eq!(cut.header(REPLAYED), "");
        let last = cut.events().await.pop().unwrap();
        assert!(last.contains("upstream_cut"), "{last}");
    }
    // nothing was asked of anybody, so the request may be mended
    let body = chat::plain("acme/nothing");
    keyed(&app, "typo", &body)
        .await
        .error(404, "model_not_found")
        .await;
    let mended = chat::plain("acme/gpt-4o");
    keyed(&app, "typo", &mended).await.ok().await;
}

#[actix_rt::test]
async fn who_left_finds_the_answer_at_the_next_try() {
    let sim = Simulator::start();
    let mut app = builder(&sim).start().await;
    let body = chat::seeded("acme/sim-stream-20x20ms", 7);
    let mut left = keyed(&app, "stream", &body).await;
    left.event().await.unwrap();
    drop(left);
    let again = keyed(&app, "stream", &body).await;
    assert_eq!(again.header(REPLAYED), "true");
    assert!(again.streamed_text().await.ends_with("7-18 7-19 "));

    // gone before there was anything of the answer
    let body = chat::plain("acme/sim-drip-20ms");
    let script = sim.script();
    tokio::select! {
        _ = keyed(&app, "plain", &body) => panic!("it was to take longer"),
        _ = script.wait_for(SOON, |stats| stats.model("sim-drip-20ms") == 1) => {}
    }
    assert!(replayed(keyed(&app, "plain", &body).await).await.0);

    // and a drain waits for it
    let body = chat::seeded("acme/sim-stream-20x20ms", 8);
    let mut left = keyed(&app, "drained", &body).await;
    left.event().await.unwrap();
    drop(left);
    app.terminate();
    assert!(app.ended().await.success());
    app.restart().await;
    let again = keyed(&app, "drained", &body).await;
    assert_eq!(again.header(REPLAYED), "true");
    assert!(again.streamed_text().await.ends_with("8-18 8-19 "));
    assert_eq!(script.stats().requests, 3);
    assert_eq!(script.stats().cancelled, 0);
}

#[actix_rt::test]
async fn twins_with_a_key_wait_for_the_first() {
    let sim = Simulator::start();
    let app = builder(&sim).start().await;
    let body = chat::plain("acme/sim-drip-20ms");
    let answers = join_all((0..16).map(async |_| replayed(keyed(&app, "k", &body).await).await));
    let answers = answers.await;
    assert_eq!(answers.iter().filter(|(again, _)| !again).count(), 1);
    assert!(answers.iter().all(|(_, bytes)| *bytes == answers[0].1));
    assert_eq!(sim.script().stats().requests, 1);
}

#[actix_rt::test]
async fn an_answer_that_is_too_large_reaches_who_asked_first() {
    let sim = Simulator::start();
    let app = builder(&sim).set("answers.max_bytes", "8192").start().await;
    let body = chat::plain("acme/sim-16k");
    let bytes = keyed(&app, "large", &body).await.ok().await;
    assert_eq!(bytes.len(), 16 << 10);
    let again = keyed(&app, "large", &body).await;
    assert_eq!(again.header("x-should-retry"), "false");
    again.error(409, "answer_not_kept").await;

    let body = chat::stream("acme/sim-stream-64x20ms+text-100");
    let mut first = keyed(&app, "growing", &body).await;
    first.event().await.unwrap();
    let second = keyed(&app, "growing", &body).await;
    assert_eq!(second.header(REPLAYED), "true");
    let (first, second) = join(first.events(), second.events()).await;
    assert_eq!(first.last().unwrap(), "[DONE]");
    assert!(first.len() > 60 && second.len() < 40, "{second:?}");
    assert!(second.last().unwrap().contains("answer_not_kept"));
    assert_eq!(sim.script().stats().requests, 2);
}
