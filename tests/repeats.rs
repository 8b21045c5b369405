//! Requests that repeat others: `Idempotency-Key`, and dedupe of API keys that have it on.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use troupe_simulator::{Behaviour, Simulator};

use crate::support::{Answer, App, Builder, Provider, SOON, chat, eventually, locker::Locker};

const CHAT: &str = "/v1/chat/completions";
const REPLAYED: &str = "idempotent-replayed";
const SHARED: &str = "x-troupe-deduplicated";

/// Streams and answers that take a while, and one that is too large to be recorded here.
const MODELS: [&str; 6] = [
    "sim-stream-20x20ms",
    "sim-drip-20ms",
    "sim-hang-after-1",
    "sim-cut-after-3",
    "sim-4k",
    "sim-stream-64x20ms+text-100",
];

fn builder(sim: &Simulator) -> Builder {
    App::builder()
        .set("keys.refresh_ms", "100")
        .provider(Provider::of(sim).models(&MODELS))
}

/// Makes an API key and returns it once it is in force.
async fn key(app: &App, options: &[&str]) -> String {
    let made = app.run(&[&["keys", "create"], options].concat());
    let text = String::from_utf8(made.stdout).unwrap();
    let key = text.lines().last().unwrap().to_owned();
    eventually("the key in force", async || {
        let request = app.client().get(app.url("/v1/models"));
        let answer = Answer::of(request.bearer_auth(&key), None).await.ok()?;
        (answer.status == 200).then_some(())
    })
    .await;
    key
}

/// One request of an API key.
async fn with(app: &App, key: &str, body: &Value) -> Answer {
    let request = app.client().post(app.url(CHAT)).bearer_auth(key);
    Answer::of(request, Some(body)).await.unwrap()
}

/// One request with an `Idempotency-Key`, of the usual API key.
async fn keyed(app: &App, idempotency: &str, body: &Value) -> Answer {
    try_keyed(app, App::API_KEY, idempotency, body)
        .await
        .unwrap()
}

async fn try_keyed(app: &App, key: &str, idempotency: &str, body: &Value) -> Option<Answer> {
    let request = app.client().post(app.url(CHAT)).bearer_auth(key);
    let request = request.insert_header(("idempotency-key", idempotency));
    Answer::of(request, Some(body)).await.ok()
}

/// Whether an answer is one to an earlier request, and its body, which must be a success.
async fn replayed(answer: Answer) -> (bool, Vec<u8>) {
    let again = answer.header(REPLAYED) == "true";
    (again, answer.ok().await)
}

#[actix_rt::test]
async fn twins_share_one_answer_and_its_cost() {
    let sim = Simulator::start();
    let app = builder(&sim).start().await;
    let key = key(&app, &["--dedupe", "attach"]).await;
    let mut calls = 0;
    for (model, body) in [
        (
            "sim-stream-20x20ms",
            chat::stream("acme/sim-stream-20x20ms"),
        ),
        ("sim-drip-20ms", chat::plain("acme/sim-drip-20ms")),
    ] {
        let twins = join_all((0..8).map(async |_| {
            let answer = with(&app, &key, &body).await;
            let shared = answer.header(SHARED) == "true";
            assert_eq!(answer.header("x-troupe-provider"), "acme");
            let kind = answer.header("content-type").to_owned();
            let id = answer.header("x-request-id").to_owned();
            (shared, kind, id, answer.ok().await)
        }))
        .await;
        assert_eq!(sim.script().stats().model(model), 1);
        assert_eq!(twins.iter().filter(|twin| twin.0).count(), 7);
        for twin in &twins {
            assert_eq!((&twin.1, &twin.3), (&twins[0].1, &twins[0].3));
        }
        calls += 8;
        let records = app.calls_once(calls).await;
        let of = |id: &str| records.iter().find(|record| record["id"] == id).unwrap();
        for (shared, _, id, _) in &twins {
            let record = of(id);
            assert_eq!(
                (&record["outcome"], &record["status"]),
                (&json!("ok"), &json!(200))
            );
            assert_eq!(record["model"], format!("acme/{model}"));
            assert_eq!(record["endpoint"], CHAT);
            let (attempts, counted) = if *shared { (0, false) } else { (1, true) };
            assert_eq!(record["attempts"], attempts);
            assert_eq!(record["prompt_tokens"].is_u64(), counted, "{record}");
            assert_eq!(record["provider"] == "acme", counted);
        }
    }
}

#[actix_rt::test]
async fn a_twin_that_may_not_share_is_told_when_to_come_again() {
    let sim = Simulator::start();
    let app = builder(&sim).start().await;
    let key = key(&app, &["--dedupe", "refuse"]).await;
    let body = chat::stream("acme/sim-stream-20x20ms");
    let mut first = with(&app, &key, &body).await;
    first.event().await.unwrap();
    let second = with(&app, &key, &body).await;
    assert!(["1", "2"].contains(&second.header("retry-after")));
    second.error(409, "duplicate_request").await;
    // another body is no twin
    let other = chat::seeded("acme/sim-stream-20x20ms", 7);
    let other = with(&app, &key, &other).await;
    assert!(other.streamed_text().await.ends_with("7-18 7-19 "));
    assert_eq!(first.events().await.last().unwrap(), "[DONE]");
    let refused = app.calls_once(3).await;
    let refused = refused.iter().find(|call| call["status"] == 409).unwrap();
    assert_eq!(refused["outcome"], "client_error");
}

#[actix_rt::test]
async fn after_the_window_a_twin_is_a_request_of_its_own() {
    let sim = Simulator::start();
    let app = builder(&sim)
        .set("answers.dedupe_window_ms", "200")
        .start()
        .await;
    let (attach, refuse) = (
        key(&app, &["--dedupe", "attach"]).await,
        key(&app, &["--dedupe", "refuse"]).await,
    );
    let body = chat::stream("acme/sim-hang-after-1");
    for key in [attach, refuse] {
        // two that never end, side by side
        let mut first = with(&app, &key, &body).await;
        first.event().await.unwrap();
        let before = sim.script().stats().requests;
        let second = eventually("a request of its own", async || {
            let second = with(&app, &key, &body).await;
            let own = second.status == 200 && second.header(SHARED).is_empty();
            own.then_some(second)
        })
        .await;
        assert_eq!(sim.script().stats().requests, before + 1);
        drop((first, second));
    }
}

#[actix_rt::test]
async fn keys_are_not_deduplicated_unless_they_say_so_and_never_with_others() {
    let sim = Simulator::start();
    let app = builder(&sim).start().await;
    let keys = [
        key(&app, &["--dedupe", "attach"]).await,
        key(&app, &["--dedupe", "attach"]).await,
        key(&app, &[]).await,
        App::API_KEY.to_owned(),
        App::API_KEY.to_owned(),
    ];
    let body = chat::plain("acme/gpt-4o");
    for key in &keys {
        let answer = with(&app, key, &body).await;
        assert_eq!(answer.header(SHARED), "");
        answer.ok().await;
    }
    assert_eq!(sim.script().stats().model("gpt-4o"), 5);
}

#[actix_rt::test]
async fn a_failure_is_not_shared_with_a_later_twin() {
    let sim = Simulator::start();
    let app = builder(&sim).start().await;
    let key = key(&app, &["--dedupe", "attach"]).await;
    let script = sim.script();
    script
        .model("gpt-4o")
        .answers([Behaviour::status(500), Behaviour::Ok]);
    let body = chat::plain("acme/gpt-4o");
    assert_eq!(with(&app, &key, &body).await.status, 502);
    let second = with(&app, &key, &body).await;
    assert_eq!(second.header(SHARED), "");
    second.ok().await;
}

#[actix_rt::test]
async fn a_shared_answer_lasts_as_long_as_anybody_wants_it() {
    let sim = Simulator::start();
    let app = builder(&sim).start().await;
    let key = key(&app, &["--dedupe", "attach"]).await;
    let body = chat::seeded("acme/sim-stream-20x20ms", 7);
    let mut first = with(&app, &key, &body).await;
    first.event().await.unwrap();
    let mut second = with(&app, &key, &body).await;
    assert_eq!(second.header(SHARED), "true");
    second.event().await.unwrap();
    drop(first);
    assert!(second.streamed_text().await.ends_with("7-18 7-19 "));
    assert_eq!(sim.script().stats().cancelled, 0);

    let body = chat::stream("acme/sim-hang-after-1");
    let mut alone = with(&app, &key, &body).await;
    alone.event().await.unwrap();
    drop(alone);
    let script = sim.script();
    script.wait_for(SOON, |stats| stats.cancelled == 1).await;
}

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
    let app = builder(&sim).set("answers.max_bytes", "2048").start().await;
    let body = chat::plain("acme/sim-4k");
    let bytes = keyed(&app, "large", &body).await.ok().await;
    assert_eq!(bytes.len(), 4096);
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
    assert!(first.len() > 60 && second.len() < 20, "{second:?}");
    assert!(second.last().unwrap().contains("answer_not_kept"));
    assert_eq!(sim.script().stats().requests, 2);
}

#[actix_rt::test]
async fn without_a_database_no_promise_is_made() {
    let sim = Simulator::start();
    let app = builder(&sim)
        .set("supervision.fault_injection", "true")
        .set("storage.query_timeout_ms", "200")
        .start()
        .await;
    let body = chat::plain("acme/gpt-4o");
    let path = "/api/admin/supervision/storage/database/fault";
    let freeze = json!({"kind": "freeze", "ms": 2_000});
    let told = app.admin_post(path, &freeze).await;
    assert!(told.status < 300, "{}", told.text().await);
    let refused = keyed(&app, "k", &body).await;
    assert_eq!(refused.header("retry-after"), "5");
    refused.error(503, "idempotency_unavailable").await;
    assert_eq!(sim.script().stats().requests, 0);
    app.chat(&body).await.ok().await;
    eventually("the database back", async || {
        let answer = keyed(&app, "k", &body).await;
        (answer.status == 200).then_some(())
    })
    .await;
}

#[actix_rt::test]
async fn what_the_database_did_not_take_is_stored_later() {
    let sim = Simulator::start();
    let mut app = builder(&sim)
        .set("storage.busy_timeout_ms", "50")
        .start()
        .await;
    let body = chat::plain("acme/gpt-4o");
    let lock = Locker::lock(&app.path("data/troupe.db"));
    let bytes = keyed(&app, "first", &body).await.ok().await;
    let again = keyed(&app, "first", &body).await;
    assert_eq!(replayed(again).await, (true, bytes.clone()));
    let second = keyed(&app, "second", &body).await;
    second.error(503, "idempotency_unavailable").await;
    drop(lock);
    eventually("the database back", async || {
        let answer = keyed(&app, "second", &body).await;
        (answer.status == 200).then_some(())
    })
    .await;
    app.kill9();
    app.restart().await;
    let again = keyed(&app, "first", &body).await;
    assert_eq!(replayed(again).await, (true, bytes));
    assert_eq!(sim.script().stats().requests, 2);
}

#[actix_rt::test]
async fn nobody_notices_a_panic_of_the_keeper() {
    let sim = Simulator::start();
    let app = builder(&sim)
        .set("supervision.fault_injection", "true")
        .start()
        .await;
    let body = chat::plain("acme/gpt-4o");
    let (done, served) = (Cell::new(false), Cell::new(0_u32));
    let bad = RefCell::new(Vec::new());
    let load = join_all((0..8).map(async |client| {
        while !done.get() {
            let (number, twins) = (served.replace(served.get() + 1), client % 2 == 0);
            let answer = match twins {
                true => keyed(&app, &format!("n{number}"), &body).await,
                false => app.chat(&body).await,
            };
            if answer.status != 200 {
                let told = answer.json().await;
                bad.borrow_mut().push(told);
            }
        }
    }));
    let fault = async {
        let path = "/api/admin/supervision/answers/fault";
        let told = app.admin_post(path, &json!({"kind": "panic"})).await;
        assert!(told.status < 300, "{}", told.text().await);
        let began = Instant::now();
        eventually("its return", async || {
            let tree = app.admin_get("/api/admin/supervision").await.json().await;
            let list = tree["list"].as_array()?.clone();
            let node = list.into_iter().find(|node| node["path"] == "answers")?;
            (node["restarts"].as_u64()? > 0 && node["state"] == "up").then_some(())
        })
        .await;
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "{:?}",
            began.elapsed()
        );
        let enough = served.get() + 40;
        eventually("service", async || (served.get() >= enough).then_some(())).await;
        done.set(true);
    };
    join(load, fault).await;
    assert!(bad.borrow().is_empty(), "{:?}", bad.borrow());
}
