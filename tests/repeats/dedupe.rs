//! Twins of a request, by API keys with dedupe.

use futures_util::future::join_all;
use serde_json::json;
use troupe_simulator::{Behaviour, Simulator};

use super::{CHAT, SHARED, builder, key, with};
use crate::support::{App, Builder, SOON, chat, eventually};

/// With a window that no busy machine outlasts.
fn patient(sim: &Simulator) -> Builder {
    builder(sim).set("answers.dedupe_window_ms", "30000")
}

#[actix_rt::test]
async fn twins_share_one_answer_and_its_cost() {
    let sim = Simulator::start();
    let app = patient(&sim).start().await;
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
    let app = patient(&sim).start().await;
    let key = key(&app, &["--dedupe", "refuse"]).await;
    let body = chat::stream("acme/sim-stream-20x20ms");
    let mut first = with(&app, &key, &body).await;
    first.event().await.unwrap();
    let second = with(&app, &key, &body).await;
    let after: u64 = second.header("retry-after").parse().unwrap();
    assert!((1..=30).contains(&after));
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
    let app = patient(&sim).start().await;
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
    let app = patient(&sim).start().await;
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
    let app = patient(&sim).start().await;
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
