//! Call records of converted answers.

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use crate::{
    pairs::{Speaker, all_pairs, app, configured, streaming},
    support::{App, SOON},
};

/// The record of the request of that id.
async fn record(app: &App, id: &str) -> Value {
    crate::support::eventually("a call record", async || {
        let calls = app.calls().await?;
        calls.into_iter().find(|call| call["id"] == id)
    })
    .await
}

#[actix_rt::test]
async fn every_pair_is_recorded_with_its_tokens() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for (speaker, kind, stream) in all_pairs() {
        let body = streaming(
            speaker.asks(&format!("{kind}/sim-stream-5"), "hello"),
            stream,
        );
        let answer = app.post(speaker.path(), &body).await;
        let id = answer.header("x-request-id").to_owned();
        assert_eq!(answer.header("x-troupe-provider"), kind);
        let bytes = answer.ok().await.len();
        let call = record(&app, &id).await;
        let pair = format!("{speaker:?} on {kind}, stream {stream}: {call}");
        assert_eq!(call["outcome"], "ok", "{pair}");
        assert_eq!(call["endpoint"], speaker.path(), "{pair}");
        assert_eq!(call["provider"], kind, "{pair}");
        assert_eq!(call["model"], format!("{kind}/sim-stream-5"), "{pair}");
        assert_eq!(call["stream"], stream, "{pair}");
        assert_eq!(
            (&call["status"], &call["attempts"]),
            (&json!(200), &json!(1)),
            "{pair}"
        );
        assert_eq!(call["bytes_out"], bytes, "{pair}");
        for tokens in ["prompt_tokens", "completion_tokens"] {
            assert!(call[tokens].as_u64() > Some(0), "{pair}");
        }
    }
}

#[actix_rt::test]
async fn how_a_converted_stream_ended_is_recorded() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for (speaker, kind) in [
        (Speaker::Chat, "gemini"),
        (Speaker::Responses, "anthropic"),
        (Speaker::Messages, "openai"),
        (Speaker::Messages, "openai_responses"),
    ] {
        for (scene, outcome) in [
            ("sim-stream-20+error-after-3", "upstream_error"),
            ("sim-stream-20+cut-after-3", "upstream_cut"),
            ("sim-hang-after-3", "client_closed"),
        ] {
            let body = streaming(speaker.asks(&format!("{kind}/{scene}"), "hello"), true);
            let left = simulator.script().stats().cancelled;
            let mut answer = app.post(speaker.path(), &body).await;
            let id = answer.header("x-request-id").to_owned();
            if outcome == "client_closed" {
                answer.piece().await.unwrap();
                drop(answer);
                let script = simulator.script();
                script.wait_for(SOON, |stats| stats.cancelled > left).await;
            } else {
                answer.bytes().await;
            }
            let call = record(&app, &id).await;
            assert_eq!(
                call["outcome"], outcome,
                "{speaker:?} on {kind} {scene}: {call}"
            );
            assert_eq!(call["provider"], kind);
        }
    }
}

#[actix_rt::test]
async fn a_refusals_status_is_the_one_that_the_client_saw() {
    for (speaker, status) in [(Speaker::Messages, 529), (Speaker::Responses, 503)] {
        let simulator = Simulator::start();
        let builder = App::builder().set("pool.max_wait_ms", "0");
        let app = configured(&simulator, builder).await;
        let body = speaker.asks("gemini/sim-status-503", "hello");
        let answer = app.post(speaker.path(), &body).await;
        let id = answer.header("x-request-id").to_owned();
        let found = answer.status;
        assert_eq!(found, status, "{}", answer.text().await);
        let call = record(&app, &id).await;
        assert_eq!(call["status"], status, "{call}");
    }
}
