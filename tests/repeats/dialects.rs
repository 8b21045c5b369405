//! Repeats of requests that are converted: the same answer again, under a request id of its own.

use serde_json::Value;
use troupe_simulator::Simulator;

use super::{REPLAYED, SHARED, key};
use crate::{
    pairs::{Speaker, configured, streaming},
    support::{Answer, App},
};

async fn ask(app: &App, key: &str, speaker: Speaker, body: &Value) -> Answer {
    let request = app.client().post(app.url(speaker.path())).bearer_auth(key);
    Answer::of(request, Some(body)).await.unwrap()
}

#[actix_rt::test]
async fn an_idempotency_key_brings_the_first_answer_again() {
    let simulator = Simulator::start();
    let app = configured(&simulator, App::builder()).await;
    let mut seen = 0;
    for (speaker, kind) in [
        (Speaker::Messages, "gemini"),
        (Speaker::Messages, "anthropic"),
        (Speaker::Responses, "anthropic"),
    ] {
        for stream in [false, true] {
            let body = streaming(
                speaker.asks(&format!("{kind}/sim-stream-5"), "hello"),
                stream,
            );
            let ask = async || {
                let request = app.client().post(app.url(speaker.path()));
                let key = format!("{kind}-{speaker:?}-{stream}");
                let request = request
                    .insert_header(("x-api-key", App::API_KEY))
                    .insert_header(("idempotency-key", key));
                Answer::of(request, Some(&body)).await.unwrap()
            };
            let (first, second) = (ask().await, ask().await);
            assert_eq!(
                (first.header(REPLAYED), second.header(REPLAYED)),
                ("", "true")
            );
            let ids = [&first, &second].map(|answer| answer.header("x-request-id").to_owned());
            assert_ne!(ids[0], ids[1]);
            if speaker == Speaker::Messages {
                let own = [&first, &second].map(|answer| answer.header("request-id").to_owned());
                assert_eq!(own, ids);
            }
            assert_eq!(second.header("x-troupe-provider"), kind);
            assert_eq!(
                first.ok().await,
                second.ok().await,
                "{speaker:?} {kind} {stream}"
            );
            seen += 1;
            assert_eq!(simulator.script().stats().requests, seen);
        }
    }
}

#[actix_rt::test]
async fn twins_share_a_converted_stream() {
    let simulator = Simulator::start();
    let builder = App::builder()
        .set("keys.refresh_ms", "100")
        .set("answers.dedupe_window_ms", "30000");
    let app = configured(&simulator, builder).await;
    let key = key(&app, &["--dedupe", "attach"]).await;
    let speaker = Speaker::Messages;
    let body = streaming(speaker.asks("gemini/sim-stream-20x20ms", "hello"), true);
    let mut first = ask(&app, &key, speaker, &body).await;
    let begun = first.piece().await.unwrap();
    let second = ask(&app, &key, speaker, &body).await;
    assert_eq!(second.header(SHARED), "true");
    assert_eq!(second.header("request-id"), second.header("x-request-id"));
    let rest = first.bytes().await;
    assert_eq!(second.ok().await, [&begun[..], &rest].concat());
    assert_eq!(simulator.script().stats().requests, 1);
}
