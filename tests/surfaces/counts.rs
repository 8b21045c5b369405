//! `/v1/messages/count_tokens`, and `/v1/models` for Anthropic's clients.

use serde_json::{Value, json};
use troupe_simulator::{Behaviour, Simulator};

use super::MESSAGES;
use crate::{
    pairs::{Speaker, app},
    support::{Answer, App},
};

const COUNT: &str = "/v1/messages/count_tokens";
const ESTIMATE: &str = "x-troupe-estimate";

fn question(model: &str) -> Value {
    json!({"model": model, "system": "You are brief.",
        "messages": [{"role": "user", "content": "How many words has this?"}]})
}

/// The count, and whether it is said to be an estimate.
async fn count(app: &App, body: &Value) -> (u64, bool) {
    let answer = app.post(COUNT, body).await;
    let estimate = answer.header(ESTIMATE) == "true";
    let told: Value = serde_json::from_slice(&answer.ok().await).unwrap();
    assert_eq!(told.as_object().unwrap().len(), 1, "{told}");
    (told["input_tokens"].as_u64().unwrap(), estimate)
}

#[actix_rt::test]
async fn upstreams_that_count_are_asked_and_others_estimated() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for kind in ["anthropic", "gemini"] {
        let (tokens, estimate) = count(&app, &question(&format!("{kind}/sim-cached"))).await;
        let message = Speaker::Messages.asks(&format!("{kind}/sim-cached"), "hello");
        let heard = Speaker::Messages.hears(&app, &message).await;
        assert_eq!((tokens, estimate), (heard.usage[0], false), "{kind}");
    }
    for kind in ["openai", "openai_responses"] {
        let (tokens, estimate) = count(&app, &question(&format!("{kind}/sim-cached"))).await;
        assert!(estimate && (8..40).contains(&tokens), "{kind}: {tokens}");
        let mut longer = question(&format!("{kind}/sim-cached"));
        longer["messages"][0]["content"] = json!("word ".repeat(1_000));
        let (tokens, _) = count(&app, &longer).await;
        assert!((900..1_200).contains(&tokens), "{kind}: {tokens}");
    }
    let paths = simulator.script().stats().by_path;
    assert!(!paths.contains_key("/v1/chat/completions"), "{paths:?}");
    let calls = app.calls_once(8).await;
    let counted = calls.iter().filter(|call| call["endpoint"] == COUNT);
    let counted: Vec<_> = counted.collect();
    assert_eq!(counted.len(), 6);
    assert!(
        counted.iter().all(|call| call["outcome"] == "ok"),
        "{counted:?}"
    );
}

#[actix_rt::test]
async fn the_body_goes_through_as_it_is() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    let request = app.client().post(app.url(COUNT));
    let request = request
        .insert_header(("x-api-key", App::API_KEY))
        .insert_header(("anthropic-version", "2023-06-01"))
        .insert_header(("anthropic-beta", "token-counting-2024-11-01"))
        .content_type("application/json");
    let body = r#"{ "messages":[{"role":"user","content":"hi"}], "model" : "anthropic/sim-mirror","thinking":{"type":"enabled","budget_tokens":2000} }"#;
    let sent = request.send_body(body).await.unwrap();
    Answer::new(sent).ok().await;
    let received = simulator.script().last_request(COUNT).unwrap();
    assert_eq!(
        received.body,
        body.replace("anthropic/sim-mirror", "sim-mirror")
    );
    assert_eq!(
        received.header("anthropic-beta"),
        "token-counting-2024-11-01"
    );
    assert_eq!(received.header("x-api-key"), "sk-upstream-token-a");
}

#[actix_rt::test]
async fn an_upstream_that_does_not_count_now_leaves_an_estimate() {
    for (kind, path) in [
        ("anthropic", COUNT),
        ("gemini", "/v1beta/models/sim-stream-5:countTokens"),
    ] {
        let simulator = Simulator::start();
        let app = app(&simulator).await;
        for status in [500, 503, 404] {
            let script = simulator.script();
            let body = r#"{"error":{"message":"no such route"}}"#;
            let failure = match status {
                404 => Behaviour::status_with(404, body),
                status => Behaviour::status(status),
            };
            script.path(path).answers([failure]);
            let (tokens, estimate) = count(&app, &question(&format!("{kind}/sim-stream-5"))).await;
            assert!(estimate && tokens > 5, "{kind} {status}: {tokens}");
        }
    }
}

#[actix_rt::test]
async fn what_the_upstream_objects_to_is_told() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    let mut body = question("anthropic/sim-stream-5");
    body["max_tokens"] = json!(5);
    let answer = app.post(COUNT, &body).await;
    assert_eq!(answer.status, 400);
    let error = answer.json().await;
    assert_eq!(error["error"]["type"], "invalid_request_error");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("max_tokens"), "{message}");
}

#[actix_rt::test]
async fn thoughts_of_another_provider_are_counted_without() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    let speaker = Speaker::Messages;
    let body = speaker.with_thinking(speaker.asks("gemini/sim-think-tools", "think, then call"));
    let mut body = speaker.with_tools(body);
    let heard = speaker.hears(&app, &body).await;
    assert!(!heard.thoughts.is_empty());
    speaker.answers_calls(&mut body, &heard);
    body.as_object_mut().unwrap().remove("max_tokens");
    for kind in ["anthropic", "gemini", "openai"] {
        body["model"] = json!(format!("{kind}/sim-think-tools"));
        let (tokens, estimate) = count(&app, &body).await;
        assert!(tokens > 0);
        assert_eq!(estimate, kind == "openai", "{kind}");
    }
}

#[actix_rt::test]
async fn models_have_the_shape_of_whoever_asks() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    let get = async |path: &str| {
        let request = app.client().get(app.url(path));
        let request = request
            .insert_header(("x-api-key", App::API_KEY))
            .insert_header(("anthropic-version", "2023-06-01"));
        Answer::of(request, None).await.unwrap()
    };
    let answer = get("/v1/models").await;
    assert!(!answer.header("request-id").is_empty());
    let list = answer.json().await;
    let first = &list["data"][0];
    assert_eq!(
        (&first["type"], &list["has_more"]),
        (&json!("model"), &json!(false))
    );
    assert_eq!(list["first_id"], first["id"]);
    for field in ["id", "display_name", "created_at"] {
        assert!(first[field].is_string(), "{first}");
    }
    let one = get("/v1/models/gemini/sim-echo").await.json().await;
    assert_eq!(
        (&one["type"], &one["id"]),
        (&json!("model"), &json!("gemini/sim-echo"))
    );
    let missing = get("/v1/models/gemini/nothing").await;
    assert_eq!(missing.status, 404);
    let id = missing.header("request-id").to_owned();
    let missing = missing.json().await;
    assert_eq!(missing["type"], "error");
    assert_eq!(missing["error"]["type"], "not_found_error");
    assert_eq!(missing["request_id"], id);
    // and without the header in OpenAI's
    let list = app.get("/v1/models").await.json().await;
    assert_eq!(list["data"][0]["object"], "model");
    assert!(app.get(MESSAGES).await.status == 405);
}
