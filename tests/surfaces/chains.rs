//! Conversations that go on by `previous_response_id`.

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use super::{RESPONSES, input, respond, text};
use crate::pairs::{KINDS, Speaker, app, streaming};

fn after(previous: &Value, mut body: Value) -> Value {
    body["previous_response_id"] = previous["id"].clone();
    body
}

/// Where the pieces stand in the text, all of them.
fn places(text: &str, pieces: &[&str]) -> Vec<usize> {
    let place = |piece: &&str| {
        text.find(piece)
            .unwrap_or_else(|| panic!("{piece}: {text}"))
    };
    pieces.iter().map(place).collect()
}

#[actix_rt::test]
async fn each_turn_brings_all_that_were_before_also_after_a_restart() {
    let simulator = Simulator::start();
    let mut app = app(&simulator).await;
    for stream in [false, true] {
        let mut first = Vec::new();
        for kind in KINDS {
            let body = input(
                &format!("{kind}/sim-stream-3"),
                &format!("seed:1 {kind} {stream}"),
            );
            first.push(respond(&app, &streaming(body, stream)).await);
        }
        app.terminate();
        app.ended().await;
        app.restart().await;
        for (kind, first) in KINDS.into_iter().zip(&first) {
            let body = after(first, input(&format!("{kind}/sim-stream-3"), "seed:2"));
            let second = respond(&app, &streaming(body, stream)).await;
            // a native answer passes as it is, and that upstream was told the history, not the id
            let told = match kind {
                "openai_responses" => &Value::Null,
                _ => &first["id"],
            };
            assert_eq!(&second["previous_response_id"], told, "{kind}: {second}");
            let body = after(&second, input(&format!("{kind}/sim-mirror"), "what now?"));
            let third = respond(&app, &streaming(body, stream)).await;
            let mirrored = text(Speaker::Responses, &third);
            let pieces = [
                "seed:1",
                "1-0 1-1 1-2",
                "seed:2",
                "2-0 2-1 2-2",
                "what now?",
            ];
            let places = places(&mirrored, &pieces);
            assert!(places.is_sorted(), "{kind}: {mirrored}");
            assert!(
                !mirrored.contains("previous_response_id"),
                "{kind}: {mirrored}"
            );
        }
    }
}

#[actix_rt::test]
async fn a_conversation_may_branch_and_change_its_upstream() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    let first = respond(&app, &input("anthropic/sim-stream-3", "seed:1")).await;
    for kind in KINDS {
        let body = after(&first, input(&format!("{kind}/sim-mirror"), kind));
        let second = respond(&app, &body).await;
        let mirrored = text(Speaker::Responses, &second);
        places(&mirrored, &["seed:1", "1-0 1-1 1-2", kind]);
    }
}

#[actix_rt::test]
async fn results_go_to_the_calls_of_the_turn_before() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for (kind, stream) in KINDS
        .into_iter()
        .flat_map(|kind| [(kind, false), (kind, true)])
    {
        for scene in ["sim-tools", "sim-think-tools"] {
            let speaker = Speaker::Responses;
            let model = format!("{kind}/{scene}");
            let asked = speaker.with_tools(input(&model, &format!("weather? {model} {stream}")));
            let first = respond(&app, &streaming(asked.clone(), stream)).await;
            let calls = speaker.whole(&first).calls;
            assert_eq!(calls.len(), 2, "{model}: {first}");
            let results = calls.iter().map(|(id, name, _)| {
                json!({"type": "function_call_output", "call_id": id, "output": format!("result of {name}")})
            });
            let mut body = after(&first, asked);
            body["input"] = results.collect();
            let second = respond(&app, &streaming(body, stream)).await;
            let said = text(speaker, &second);
            assert!(places(&said, &["result of get_weather", "result of get_time"]).is_sorted());
        }
    }
}

#[actix_rt::test]
async fn an_unknown_turn_is_the_upstreams_affair_or_refused() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    let unknown = json!({"id": "resp_of_somebody"});
    for kind in ["openai", "anthropic", "gemini"] {
        let body = after(&unknown, input(&format!("{kind}/sim-mirror"), "go on"));
        let answer = app.post(RESPONSES, &body).await;
        let error = answer.error(400, "previous_response_not_found").await;
        assert_eq!(error["param"], "previous_response_id");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("send the whole conversation"), "{message}");
    }
    assert_eq!(simulator.script().stats().requests, 0);

    let native = "openai_responses/sim-mirror";
    let first = respond(&app, &after(&unknown, input(native, "go on"))).await;
    let sent = simulator.script().last_request(RESPONSES).unwrap().json();
    let expected = json!({"model": "sim-mirror", "input": "go on", "previous_response_id": "resp_of_somebody"});
    assert_eq!(sent, expected);
    // what goes on from there is not complete here either: the upstream has it all
    let body = after(&first, input(native, "and on"));
    respond(&app, &body).await;
    let sent = simulator.script().last_request(RESPONSES).unwrap().json();
    assert_eq!(
        (&sent["input"], &sent["previous_response_id"]),
        (&json!("and on"), &first["id"])
    );
    // and to another it cannot be told
    let body = after(&first, input("anthropic/sim-mirror", "and on"));
    let answer = app.post(RESPONSES, &body).await;
    answer.error(400, "previous_response_not_found").await;
}

#[actix_rt::test]
async fn answers_in_the_background_are_refused() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for kind in KINDS {
        let mut body = input(&format!("{kind}/sim-mirror"), "later");
        body["background"] = json!(true);
        let answer = app.post(RESPONSES, &body).await;
        let error = answer.error(400, "invalid_request").await;
        assert_eq!(error["param"], "background");
    }
    assert_eq!(simulator.script().stats().requests, 0);
}

#[actix_rt::test]
async fn a_conversation_that_only_openai_has_goes_nowhere_else() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for conversation in [json!("conv_1"), json!({"id": "conv_1"})] {
        let asked = |kind| {
            let mut body = input(&format!("{kind}/sim-mirror"), "go on");
            body["conversation"] = conversation.clone();
            body
        };
        for kind in ["openai", "anthropic", "gemini"] {
            let answer = app.post(RESPONSES, &asked(kind)).await;
            let error = answer.error(400, "not_convertible").await;
            assert_eq!(error["param"], "conversation");
        }
        respond(&app, &asked("openai_responses")).await;
        let sent = simulator.script().last_request(RESPONSES).unwrap().json();
        assert_eq!(sent["conversation"], conversation);
    }
}
