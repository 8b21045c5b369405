//! `POST /v1/chat/completions`, plain and streamed.

use serde_json::json;
use troupe_simulator::Simulator;

use crate::support::{App, Provider, chat};

#[actix_rt::test]
async fn answers_with_the_fixed_headers() {
    let sim = Simulator::start();
    let app = App::builder().provider(Provider::of(&sim)).start().await;
    let answer = app.chat(&chat::plain("acme/gpt-4o")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("x-troupe-provider"), "acme");
    assert_eq!(answer.header("x-troupe-attempts"), "1");
    assert!(!answer.header("x-request-id").is_empty());
    let overhead: f64 = answer.header("x-troupe-overhead-ms").parse().unwrap();
    assert!(overhead >= 0.0);
    let body = answer.json().await;
    assert_eq!(body["object"], "chat.completion");
    assert_eq!(body["usage"]["prompt_tokens"], 11);
}

#[actix_rt::test]
async fn passes_unknown_fields_on_and_puts_its_own_credential_in() {
    let sim = Simulator::start();
    let provider = Provider::of(&sim).model_table(r#"{ id = "house", upstream = "sim-echo" }"#);
    let app = App::builder().provider(provider).start().await;
    let mut body = chat::plain("acme/house");
    body["future_field"] = json!({"deep": [1, 2.50, "ü", null]});
    let echo = app.chat(&body).await.json().await["echo"].clone();
    assert_eq!(
        echo["headers"]["authorization"],
        "Bearer sk-upstream-token-a"
    );
    assert!(!echo.to_string().contains(App::API_KEY), "{echo}");
    body["model"] = "sim-echo".into();
    assert_eq!(echo["body"], body);
}

#[actix_rt::test]
async fn a_bare_model_name_finds_its_provider() {
    let sim = Simulator::start();
    let app = App::builder().provider(Provider::of(&sim)).start().await;
    let answer = app.chat(&chat::plain("gpt-4o")).await;
    assert_eq!(
        (answer.status, answer.header("x-troupe-provider")),
        (200, "acme")
    );
}

#[actix_rt::test]
async fn the_default_provider_has_the_bare_names() {
    let (first, second) = (Simulator::start(), Simulator::start());
    let preferred = Provider::of(&second).name("beta").with("default", "true");
    let app = App::builder()
        .provider(Provider::of(&first))
        .provider(preferred)
        .start()
        .await;
    let provider = async |model: &str| {
        let answer = app.chat(&chat::plain(model)).await;
        answer.header("x-troupe-provider").to_owned()
    };
    assert_eq!(provider("gpt-4o").await, "beta");
    assert_eq!(provider("acme/gpt-4o").await, "acme");
}

#[actix_rt::test]
async fn streams_every_event_and_the_end() {
    let sim = Simulator::start();
    let provider = Provider::of(&sim).models(&["sim-stream-5"]);
    let app = App::builder().provider(provider).start().await;
    let answer = app.chat(&chat::seeded("acme/sim-stream-5", 7)).await;
    assert!(
        answer
            .header("content-type")
            .starts_with("text/event-stream")
    );
    let events = answer.events().await;
    let text: String = events
        .iter()
        .filter_map(|event| chat::text(event))
        .collect();
    assert_eq!(text, "7-0 7-1 7-2 7-3 7-4 ");
    assert_eq!(events.last().unwrap(), "[DONE]");
}

#[actix_rt::test]
async fn the_usage_event_comes_to_those_who_asked() {
    let sim = Simulator::start();
    let app = App::builder().provider(Provider::of(&sim)).start().await;
    let mut body = chat::stream("acme/gpt-4o");
    let without = app.chat(&body).await.text().await;
    assert!(!without.contains("prompt_tokens"), "{without}");
    body["stream_options"] = json!({"include_usage": true});
    let with = app.chat(&body).await.events().await;
    let [.., usage, done] = with.as_slice() else {
        panic!("{with:?}");
    };
    assert_eq!(done, "[DONE]");
    let usage: serde_json::Value = serde_json::from_str(usage).unwrap();
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"]["total_tokens"], 27);
}

#[actix_rt::test]
async fn text_survives_however_the_upstream_writes_it() {
    let sim = Simulator::start();
    let models = ["sim-utf8", "sim-stream-3+bytes", "sim-stream-3+drip-5ms"];
    let app = App::builder()
        .provider(Provider::of(&sim).models(&models))
        .start()
        .await;
    let text = app
        .chat(&chat::stream("acme/sim-utf8"))
        .await
        .streamed_text()
        .await;
    assert!(text.starts_with("né0世界🎭 né1世界🎭 "), "{text}");
    for model in ["acme/sim-stream-3+bytes", "acme/sim-stream-3+drip-5ms"] {
        let text = app
            .chat(&chat::seeded(model, 9))
            .await
            .streamed_text()
            .await;
        assert_eq!(text, "9-0 9-1 9-2 ", "{model}");
    }
}

#[actix_rt::test]
async fn large_answers_and_long_lines_pass() {
    let sim = Simulator::start();
    let provider = Provider::of(&sim).models(&["sim-big-8m", "sim-line-1m"]);
    let app = App::builder().provider(provider).start().await;
    let plain = app.chat(&chat::plain("acme/sim-big-8m")).await;
    assert_eq!(plain.bytes().await.len(), 8 << 20);
    let events = app
        .chat(&chat::stream("acme/sim-line-1m"))
        .await
        .events()
        .await;
    let longest = events.iter().map(String::len).max();
    assert_eq!(longest, Some((1 << 20) - "data: ".len()));
}

#[actix_rt::test]
async fn pages_of_other_origins_need_leave() {
    let sim = Simulator::start();
    let app = App::builder()
        .set("server.cors_origins", r#"["https://chat.example.org"]"#)
        .provider(Provider::of(&sim))
        .start()
        .await;
    for (origin, allowed) in [
        ("https://chat.example.org", true),
        ("https://evil.example", false),
    ] {
        let asked = app
            .client()
            .options(app.url("/v1/chat/completions"))
            .insert_header(("origin", origin))
            .insert_header(("access-control-request-method", "POST"))
            .insert_header((
                "access-control-request-headers",
                "authorization,content-type",
            ))
            .send();
        let headers = asked.await.unwrap().headers().clone();
        let answer = headers.get("access-control-allow-origin");
        assert_eq!(
            answer.is_some_and(|value| value == origin),
            allowed,
            "{origin}"
        );
    }
}
