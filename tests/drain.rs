//! SIGTERM: no new work, streams get their time, what is left gets a typed end.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::Value;
use troupe_simulator::Simulator;

use crate::{
    pairs::{Speaker, configured, streaming},
    support::{Answer, App, Provider, chat, eventually},
};

#[actix_rt::test]
async fn streams_finish_or_are_told_why_not() {
    let sim = Simulator::start();
    let models = ["sim-stream-20x20ms", "sim-hang-after-2"];
    let mut app = App::builder()
        .set("server.drain_seconds", "2")
        .provider(Provider::of(&sim).models(&models))
        .start()
        .await;
    let mut short = app.chat(&chat::seeded("acme/sim-stream-20x20ms", 7)).await;
    let mut endless = app.chat(&chat::stream("acme/sim-hang-after-2")).await;
    short.event().await.unwrap();
    endless.event().await.unwrap();

    let began = Instant::now();
    app.terminate();
    eventually("readiness off", async || {
        let asked = Answer::of(app.client().get(app.url("/health/ready")), None).await;
        asked.is_ok_and(|answer| answer.status == 503).then_some(())
    })
    .await;
    assert!(began.elapsed() < Duration::from_secs(1));
    // who has not heard of it yet is served, on a connection that is not kept
    let late = app.chat(&chat::plain("acme/gpt-4o")).await;
    assert_eq!(late.header("connection"), "close");
    late.ok().await;

    let text = short.streamed_text().await;
    assert!(text.ends_with("7-18 7-19 "), "{text}");
    let events = endless.events().await;
    assert!(
        events.last().unwrap().contains("\"shutting_down\""),
        "{events:?}"
    );
    let waited = began.elapsed();
    assert!(
        waited >= Duration::from_millis(1900),
        "only {waited:?} of two seconds"
    );
    assert!(app.ended().await.success());
    assert!(began.elapsed() < Duration::from_secs(8));

    app.restart().await;
    let calls = app.calls_once(2).await;
    let outcome = |model: &str| {
        let call = calls.iter().find(|call| call["model"] == model);
        call.unwrap()["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(outcome("acme/sim-stream-20x20ms"), "ok");
    assert_eq!(outcome("acme/sim-hang-after-2"), "drained");
}

#[actix_rt::test]
async fn an_idle_gateway_ends_at_once() {
    let mut app = App::builder().start().await;
    let began = Instant::now();
    app.terminate();
    assert!(app.ended().await.success());
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

#[actix_rt::test]
async fn a_converted_stream_is_told_in_its_dialect() {
    let sim = Simulator::start();
    let builder = App::builder().set("server.drain_seconds", "1");
    let mut app = configured(&sim, builder).await;
    let mut open = Vec::new();
    for (speaker, kind) in [
        (Speaker::Chat, "gemini"),
        (Speaker::Responses, "anthropic"),
        (Speaker::Messages, "openai"),
        (Speaker::Messages, "anthropic"),
    ] {
        let body = speaker.asks(&format!("{kind}/sim-hang-after-3"), "hello");
        let mut answer = app.post(speaker.path(), &streaming(body, true)).await;
        answer.event().await.unwrap();
        open.push((speaker, answer));
    }
    app.terminate();
    for (speaker, answer) in open {
        let events = answer.events().await;
        let last: Value = serde_json::from_str(events.last().unwrap()).unwrap();
        let error = match speaker {
            Speaker::Responses => &last,
            Speaker::Chat | Speaker::Messages => &last["error"],
        };
        assert_eq!(error["code"], "shutting_down", "{speaker:?}: {last}");
        if speaker != Speaker::Chat {
            assert_eq!(last["type"], "error", "{last}");
        }
    }
    assert!(app.ended().await.success());
    app.restart().await;
    let calls = app.calls_once(4).await;
    assert!(
        calls.iter().all(|call| call["outcome"] == "drained"),
        "{calls:?}"
    );
}

#[actix_rt::test]
async fn who_still_waits_for_an_upstream_is_told_too() {
    let sim = Simulator::start();
    let hung = Provider::of(&sim).models(&["sim-hang"]);
    let other = Provider::of(&sim).models(&["sim-hang"]);
    let mut app = App::builder()
        .set("server.drain_seconds", "1")
        .set("server.early_headers_seconds", "1")
        .provider(hung)
        .provider(other.name("claude").kind("anthropic"))
        .start()
        .await;
    // its headers go out before the upstream's are here
    let early = app.chat(&chat::stream("acme/sim-hang")).await;
    let bodies = ["acme/sim-hang", "claude/sim-hang"].map(chat::plain);
    let waiting = bodies.iter().map(|body| app.chat(body));
    let stop = async {
        let script = sim.script();
        script
            .wait_for(Duration::from_secs(10), |stats| stats.open == 3)
            .await;
        app.terminate();
    };
    let ((), answers) = futures_util::join!(stop, join_all(waiting));
    for answer in answers {
        answer.error(503, "shutting_down").await;
    }
    let events = early.events().await;
    assert!(
        events.last().unwrap().contains("\"shutting_down\""),
        "{events:?}"
    );
    assert!(app.ended().await.success());
    app.restart().await;
    let calls = app.calls_once(3).await;
    assert!(
        calls.iter().all(|call| call["outcome"] == "drained"),
        "{calls:?}"
    );
}
