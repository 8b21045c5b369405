//! `/api/v1/text`.

use serde_json::json;
use troupe_simulator::Simulator;

use super::{refusal, reply, rotation::provider};
use crate::support::{App, Provider};

#[actix_rt::test]
async fn a_prompt_is_improved_and_a_question_answered() {
    let sim = Simulator::start();
    let provider = Provider::of(&sim).models(&["sim-mirror"]);
    let app = App::builder()
        .provider(provider)
        .set("pictures.improve_prompt", "\"improve this\"")
        .start()
        .await;
    // the simulator tells the request back
    let mirror = json!({"model": "acme/sim-mirror", "prompt": "a fox"});
    let text = reply(app.post("/api/v1/text", &mirror).await).await;
    let text = text["text"].as_str().unwrap().to_owned();
    assert!(
        text.contains("improve this") && text.contains("a fox"),
        "{text}"
    );
    let mut plain = mirror.clone();
    plain["system"] = "".into();
    plain["max_tokens"] = 99.into();
    let text = reply(app.post("/api/v1/text", &plain).await).await;
    assert!(
        !text["text"].as_str().unwrap().contains("improve this"),
        "{text}"
    );
    assert!(text["text"].as_str().unwrap().contains("99"), "{text}");
    let missing = json!({"model": "acme/sim-mirror"});
    refusal(
        app.post("/api/v1/text", &missing).await,
        400,
        "invalid_request",
    )
    .await;
}

#[actix_rt::test]
async fn what_fails_is_told_in_the_words_of_this_surface() {
    let sim = Simulator::start();
    let names = [
        "sim-status-500",
        "sim-status-400",
        "sim-status-429-after-7",
        "sim-policy",
    ];
    let provider = Provider::of(&sim)
        .models(&names)
        .with("pool", "{ max_wait_ms = 0 }");
    let app = App::builder().provider(provider).start().await;
    for (name, status, code, heading) in [
        (names[0], 502, "upstream_error", "Request failed"),
        (
            names[1],
            400,
            "upstream_invalid_request",
            "Invalid parameters",
        ),
        (names[2], 429, "rate_limit_exceeded", "Too Many Requests"),
        (names[3], 400, "content_policy", "Invalid parameters"),
    ] {
        let body = json!({"model": format!("acme/{name}"), "prompt": "a fox"});
        let answer = app.post("/api/v1/text", &body).await;
        let id = answer.header("x-request-id").to_owned();
        let error = refusal(answer, status, code).await;
        assert_eq!(error["error"], heading, "{error}");
        assert!(!id.is_empty());
        assert_eq!(error["request_id"], id);
    }
    let unknown = json!({"model": "acme/nothing", "prompt": "a fox"});
    let answer = app.post("/api/v1/text", &unknown).await;
    let error = refusal(answer, 404, "model_not_found").await;
    assert_eq!(error["error"], "Not found");
}

#[actix_rt::test]
async fn a_stream_is_refused_and_not_ignored() {
    let sim = Simulator::start();
    let app = App::builder().provider(Provider::of(&sim)).start().await;
    let mut body = json!({"model": "acme/gpt-4o", "prompt": "a fox", "stream": true});
    let answer = app.post("/api/v1/text", &body).await;
    let error = refusal(answer, 400, "invalid_request").await;
    assert_eq!(error["param"], "stream");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("/v1/chat/completions"), "{error}");
    assert_eq!(sim.script().stats().requests, 0);
    body["stream"] = false.into();
    reply(app.post("/api/v1/text", &body).await).await;
}

#[actix_rt::test]
async fn gemini_talks_in_its_own_words() {
    let sim = Simulator::start();
    let model = "gemini-2.5-flash";
    let provider = provider(&sim, "gemini", "/v1beta").models(&[model]);
    let app = App::builder().provider(provider).start().await;
    let body = json!({"model": format!("gemini/{model}"), "prompt": "a cat", "system": "be brief"});
    let said = reply(app.post("/api/v1/text", &body).await).await;
    assert!(
        said["text"].as_str().is_some_and(|text| !text.is_empty()),
        "{said}"
    );
    let path = format!("/v1beta/models/{model}:generateContent");
    let told = sim.script().last_request(&path).unwrap().json();
    assert_eq!(
        told["systemInstruction"]["parts"][0]["text"]
            .as_str()
            .map(|text| text.contains("be brief")),
        Some(true)
    );
    assert_eq!(told["contents"][0]["parts"][0]["text"], "a cat");
}
