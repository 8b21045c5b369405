//! OpenAI's pictures and edits, through the program.

use serde_json::{Value, json};
use troupe_simulator::{Behaviour, Simulator};

use super::{data_uri, file, generate, png_size, refusal, reply, rotation::provider, square};
use crate::support::App;

const MODELS: &[&str] = &["gpt-image-1", "gpt-image-2", "dall-e-2"];

async fn start(sim: &Simulator) -> App {
    let provider = provider(sim, "openai", "/v1").models(MODELS);
    App::builder().provider(provider).start().await
}

fn told(sim: &Simulator) -> Value {
    let last = sim.script().last_request("/v1/images/generations");
    last.unwrap().json()
}

#[actix_rt::test]
async fn draws_what_each_family_can() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let body = json!({"model": "openai/gpt-image-1", "prompt": "p", "ar": "1:1", "seed": 7, "quality": "low"});
    let answer = generate(&app, &body).await;
    assert_eq!(answer.header("x-troupe-dropped"), "seed");
    let drawn = reply(answer).await;
    assert_eq!(png_size(&file(&app, &drawn["url"]).await.1), (1024, 1024));
    let body =
        json!({"model": "gpt-image-1", "prompt": "p", "size": "1024x1024", "quality": "low"});
    assert_eq!(told(&sim), body);
    let old = json!({"model": "openai/dall-e-2", "prompt": "p", "size": "256x256", "n": 2});
    let drawn = reply(app.post("/api/v1/generate", &old).await).await;
    assert_eq!(drawn["images"].as_array().unwrap().len(), 2);
    let body = json!({
        "model": "dall-e-2", "prompt": "p", "size": "256x256", "n": 2, "response_format": "b64_json",
    });
    assert_eq!(told(&sim), body);
    let free = json!({"model": "openai/gpt-image-2", "prompt": "p", "size": "1024x768"});
    let drawn = reply(generate(&app, &free).await).await;
    assert_eq!(png_size(&file(&app, &drawn["url"]).await.1), (1024, 768));
    let small = json!({"model": "openai/gpt-image-1", "prompt": "p", "size": "64x64"});
    let error = refusal(generate(&app, &small).await, 400, "invalid_request").await;
    assert!(
        error["message"].as_str().unwrap().contains("1536x1024"),
        "{error}"
    );
}

#[actix_rt::test]
async fn edits_with_a_form() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let image = data_uri(&square(&app, &sim).await);
    let body = json!({"model": "openai/gpt-image-1", "prompt": "bluer", "image": [image, image]});
    let edited = reply(app.post("/api/v1/edit", &body).await).await;
    assert_eq!(png_size(&file(&app, &edited["url"]).await.1), (64, 64));
    let sent = sim.script().last_request("/v1/images/edits").unwrap().body;
    assert_eq!(sent.matches("name=\"image[]\"; filename=").count(), 2);
    assert!(!sent.contains("response_format"));
}

#[actix_rt::test]
async fn refusals_keep_their_kind_and_no_token() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let order = json!({"model": "openai/gpt-image-1", "prompt": "p"});
    sim.script().any().answers([Behaviour::content_policy()]);
    let blocked = generate(&app, &order).await;
    assert_eq!(blocked.status, 400);
    assert_eq!(
        sim.script().stats().requests,
        1,
        "another token would not help"
    );
    sim.script().any().answers([Behaviour::leaks_credential()]);
    let leaked = generate(&app, &order).await;
    assert!(leaked.status >= 429, "{}", leaked.status);
    assert!(!leaked.text().await.contains("rotated-token"));
}
