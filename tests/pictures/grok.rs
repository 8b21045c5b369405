//! xAI's pictures and edits, through the program.

use serde_json::{Value, json};
use troupe_simulator::{Behaviour, Simulator};

use super::{data_uri, file, fox, generate, png_size, refusal, reply, rotation::provider, square};
use crate::support::App;

const MODEL: &str = "grok/grok-imagine-image";

async fn start(sim: &Simulator) -> App {
    let provider = provider(sim, "grok", "/grok/v1");
    App::builder().provider(provider).start().await
}

fn told(sim: &Simulator, path: &str) -> Value {
    sim.script().last_request(path).unwrap().json()
}

#[actix_rt::test]
async fn draws_shapes() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let body = json!({"model": MODEL, "prompt": "p", "ar": "16:9", "resolution": "2k", "n": 2});
    let drawn = reply(generate(&app, &body).await).await;
    assert_eq!(drawn["images"].as_array().unwrap().len(), 2);
    assert_eq!(png_size(&file(&app, &drawn["url"]).await.1), (512, 288));
    let body = json!({
        "model": "grok-imagine-image", "prompt": "p", "aspect_ratio": "16:9", "resolution": "2k", "n": 2,
    });
    assert_eq!(told(&sim, "/grok/v1/images/generations"), body);
    let openai = json!({"model": MODEL, "prompt": "p", "size": "1024x1536"});
    reply(app.post("/v1/images/generations", &openai).await).await;
    assert_eq!(
        told(&sim, "/grok/v1/images/generations")["aspect_ratio"],
        "2:3"
    );
    let odd = json!({"model": MODEL, "prompt": "p", "size": "1000x999"});
    let error = refusal(generate(&app, &odd).await, 400, "invalid_request").await;
    assert!(
        error["message"].as_str().unwrap().contains("16:9"),
        "{error}"
    );
}

#[actix_rt::test]
async fn edits_as_json() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let image = data_uri(&square(&app, &sim).await);
    let body = json!({"model": MODEL, "prompt": "bluer", "image": image});
    let edited = reply(app.post("/api/v1/edit", &body).await).await;
    assert_eq!(png_size(&file(&app, &edited["url"]).await.1), (64, 64));
    assert_eq!(told(&sim, "/grok/v1/images/edits")["image"]["url"], image);
    let two = json!({"model": MODEL, "prompt": "bluer", "image": [image, image]});
    reply(app.post("/api/v1/edit", &two).await).await;
    let images = told(&sim, "/grok/v1/images/edits")["images"].clone();
    assert_eq!(images.as_array().unwrap().len(), 2);
}

#[actix_rt::test]
async fn what_moderation_keeps_back_is_refused() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let order = json!({"model": MODEL, "prompt": "unsafe"});
    let error = refusal(generate(&app, &order).await, 400, "content_policy").await;
    assert!(
        error["message"].as_str().unwrap().contains("moderation"),
        "{error}"
    );
    sim.script().any().answers([Behaviour::leaks_credential()]);
    let leaked = generate(&app, &fox(MODEL)).await;
    assert!(leaked.status >= 429, "{}", leaked.status);
    assert!(!leaked.text().await.contains("rotated-token"));
}

#[actix_rt::test]
async fn talks() {
    let sim = Simulator::start();
    let provider = provider(&sim, "grok", "/grok/v1").models(&["grok-4"]);
    let app = App::builder().provider(provider).start().await;
    let body = json!({"model": "grok/grok-4", "prompt": "a cat"});
    reply(app.post("/api/v1/text", &body).await).await;
    assert_eq!(told(&sim, "/grok/v1/chat/completions")["model"], "grok-4");
}
