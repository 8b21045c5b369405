//! Where client and upstream speak the same, nothing is touched but the model's name.

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use crate::{
    pairs::{Speaker, app, streaming},
    support::{Answer, App},
};

const SAME: [(Speaker, &str); 3] = [
    (Speaker::Chat, "openai"),
    (Speaker::Responses, "openai_responses"),
    (Speaker::Messages, "anthropic"),
];

/// The same request to the upstream itself.
async fn direct(simulator: &Simulator, app: &App, speaker: Speaker, body: &Value) -> Vec<u8> {
    let base = simulator.base_url();
    let url = format!("{base}{}", speaker.path().trim_start_matches("/v1"));
    let request = app.client().post(url).bearer_auth("sk-upstream-token-a");
    let request = request.insert_header(("anthropic-version", "2023-06-01"));
    Answer::of(request, Some(body)).await.unwrap().ok().await
}

#[actix_rt::test]
async fn answers_are_the_upstreams_byte_for_byte() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for (speaker, kind) in SAME {
        for scene in [
            "sim-stream-5",
            "sim-think-tools",
            "sim-text-tools+cached",
            "sim-length",
        ] {
            for stream in [false, true] {
                let body = speaker.with_tools(speaker.asks(scene, "seed:3 äöü"));
                let mut body = streaming(body, stream);
                if stream && speaker == Speaker::Chat {
                    // else the gateway asks for the usage, and takes out the one event that has it
                    body["stream_options"] = json!({"include_usage": true});
                }
                let expected = direct(&simulator, &app, speaker, &body).await;
                body["model"] = format!("{kind}/{scene}").into();
                let answer = app.post(speaker.path(), &body).await.ok().await;
                assert_eq!(
                    String::from_utf8_lossy(&answer),
                    String::from_utf8_lossy(&expected),
                    "{speaker:?} {scene}, stream {stream}"
                );
            }
        }
    }
}

#[actix_rt::test]
async fn requests_arrive_as_they_were_written() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for (speaker, kind) in SAME {
        let turns = match speaker {
            Speaker::Responses => {
                r#""input" : [{"role":"user","content":"\u00e4 hi","x_new":[1.50]}], "store":false"#
            }
            Speaker::Chat | Speaker::Messages => {
                r#""messages" : [{"role":"user","content":"\u00e4 hi","x_new":[1.50]}]"#
            }
        };
        let body = format!(
            r#"{{ "x_first": {{"a":1e3}}, "model":"{kind}/sim-mirror",  {turns}, "max_tokens": 9, "x_last":null }}"#
        );
        let request = app.client().post(app.url(speaker.path()));
        let request = request
            .bearer_auth(App::API_KEY)
            .insert_header(("anthropic-version", "2024-10-22"))
            .insert_header(("anthropic-beta", "context-1m-2025-08-07,new-thing"))
            .insert_header(("x-private", "not for upstreams"))
            .content_type("application/json");
        // whether the upstream likes it is its own affair
        request.send_body(body.clone()).await.unwrap();
        let received = simulator.script().last_request(speaker.path()).unwrap();
        let expected = body.replace(&format!("{kind}/"), "");
        assert_eq!(received.body, expected, "{speaker:?}");
        assert_eq!(received.header("x-private"), "");
        let beta = received.header("anthropic-beta");
        if speaker == Speaker::Messages {
            assert_eq!(beta, "context-1m-2025-08-07,new-thing");
            assert_eq!(received.header("anthropic-version"), "2024-10-22");
        } else {
            assert_eq!(beta, "");
        }
    }
}

#[actix_rt::test]
async fn a_converted_request_has_a_version_of_our_own() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    let body = Speaker::Chat.asks("anthropic/sim-stream-5", "hello");
    app.chat(&body).await.ok().await;
    let received = simulator.script().last_request("/v1/messages").unwrap();
    assert_eq!(received.header("anthropic-version"), "2023-06-01");
    assert_eq!(received.header("x-api-key"), "sk-upstream-token-a");
    assert_eq!(received.json()["max_tokens"], 8_192);
}

#[actix_rt::test]
async fn fields_that_nobody_knows_come_back() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    let mut body = Speaker::Chat.asks("openai/sim-echo", "hello");
    body["x_new"] = json!({"deep": [1, 2.50, null]});
    let echoed: Value = serde_json::from_slice(&app.chat(&body).await.ok().await).unwrap();
    assert_eq!(echoed["echo"]["body"]["x_new"], body["x_new"], "{echoed}");
}
