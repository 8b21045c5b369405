//! Routes whose targets speak different dialects.

use serde_json::json;
use troupe_simulator::{Behaviour, Simulator};

use super::{RESPONSES, input, respond};
use crate::{
    pairs::{KINDS, Speaker, configured, streaming},
    support::App,
};

async fn app(simulator: &Simulator, targets: &[&str]) -> App {
    let builder = App::builder()
        .set("pool.max_wait_ms", "0")
        .route("smart", &format!("targets = {targets:?}"));
    configured(simulator, builder).await
}

#[actix_rt::test]
async fn the_next_target_answers_in_the_clients_dialect() {
    for (at, from) in KINDS.into_iter().enumerate() {
        let to = KINDS[(at + 1) % KINDS.len()];
        let simulator = Simulator::start();
        let targets = [
            format!("{from}/sim-status-500"),
            format!("{to}/sim-stream-5"),
        ];
        let app = app(&simulator, &targets.each_ref().map(String::as_str)).await;
        for speaker in Speaker::ALL {
            for stream in [false, true] {
                let body = streaming(speaker.asks("smart", "seed:6"), stream);
                let answer = app.post(speaker.path(), &body).await;
                let way = format!("{speaker:?} from {from} to {to}, stream {stream}");
                assert_eq!(answer.header("x-troupe-provider"), to, "{way}");
                let heard = match stream {
                    true => speaker.streamed(answer).await,
                    false => speaker.whole(&answer.json().await),
                };
                assert_eq!(heard.text.trim(), "6-0 6-1 6-2 6-3 6-4", "{way}");
            }
        }
    }
}

#[actix_rt::test]
async fn what_one_cannot_be_told_goes_to_another() {
    let simulator = Simulator::start();
    let app = app(&simulator, &["anthropic/sim-mirror", "openai/sim-params"]).await;
    let mut body = Speaker::Chat.asks("smart", "hello");
    body["n"] = json!(2);
    let answer = app.chat(&body).await;
    assert_eq!(answer.header("x-troupe-provider"), "openai");
    assert_eq!(answer.header("x-troupe-dropped"), "");
    answer.ok().await;
    assert_eq!(simulator.script().stats().path("/v1/messages"), 0);
    // where nobody can be told it, the field is named
    body["model"] = json!("anthropic/sim-mirror");
    let error = app.chat(&body).await.error(400, "not_convertible").await;
    assert_eq!(error["param"], "n");
}

#[actix_rt::test]
async fn a_turn_that_only_the_upstream_knows_goes_to_one_that_may() {
    let simulator = Simulator::start();
    let app = app(
        &simulator,
        &["anthropic/sim-mirror", "openai_responses/sim-mirror"],
    )
    .await;
    let mut body = input("smart", "go on");
    body["previous_response_id"] = json!("resp_of_somebody");
    respond(&app, &body).await;
    let sent = simulator.script().last_request(RESPONSES).unwrap().json();
    assert_eq!(sent["previous_response_id"], "resp_of_somebody");
}

#[actix_rt::test]
async fn only_what_the_answering_target_lost_is_named() {
    let simulator = Simulator::start();
    let app = app(&simulator, &["anthropic/sim-params", "openai/sim-params"]).await;
    simulator
        .script()
        .path("/v1/messages")
        .answers([Behaviour::status(500)]);
    let mut body = Speaker::Chat.asks("smart", "hello");
    body["seed"] = json!(7);
    let answer = app.chat(&body).await;
    assert_eq!(answer.header("x-troupe-provider"), "openai");
    assert_eq!(answer.header("x-troupe-dropped"), "");
}

#[actix_rt::test]
async fn when_nobody_answers_the_last_upstreams_words_are_told_in_the_dialect() {
    let simulator = Simulator::start();
    let app = app(
        &simulator,
        &["gemini/sim-status-500", "anthropic/sim-status-503"],
    )
    .await;
    let body = Speaker::Messages.asks("smart", "hello");
    let answer = app.post(Speaker::Messages.path(), &body).await;
    let status = answer.status;
    let body = answer.json().await;
    assert_eq!(status, 529, "{body}");
    assert_eq!(body["error"]["type"], "overloaded_error", "{body}");
}
