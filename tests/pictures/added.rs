//! A4F and ModelsLab, the providers that were added by one file each.

use serde_json::json;
use troupe_simulator::Simulator;

use super::{file, fox, generate, png_size, reply, rotation::provider, videos::over};
use crate::support::App;

#[actix_rt::test]
async fn a4f_draws_and_talks() {
    let sim = Simulator::start();
    let app = App::builder()
        .provider(provider(&sim, "a4f", "/a4f/v1"))
        .start()
        .await;
    let drawn = reply(generate(&app, &fox("a4f/imagen-4")).await).await;
    assert_eq!(png_size(&file(&app, &drawn["url"]).await.1), (1024, 1024));
    let told = sim
        .script()
        .last_request("/a4f/v1/images/generations")
        .unwrap()
        .json();
    assert_eq!(told["model"], "provider-4/imagen-4");
    let body = json!({"model": "a4f/glm-4.5", "prompt": "a cat"});
    reply(app.post("/api/v1/text", &body).await).await;
    let told = sim
        .script()
        .last_request("/a4f/v1/chat/completions")
        .unwrap()
        .json();
    assert_eq!(told["model"], "provider-8/glm-4.5");
}

#[actix_rt::test]
async fn modelslab_draws_at_once_and_under_load() {
    let sim = Simulator::start();
    let app = App::builder()
        .provider(provider(&sim, "modelslab", "/modelslab"))
        .start()
        .await;
    for prompt in ["a cat", "a queued cat"] {
        let body = json!({"model": "modelslab/flux", "prompt": prompt, "ar": "16:9"});
        let drawn = reply(generate(&app, &body).await).await;
        assert_eq!(png_size(&file(&app, &drawn["url"]).await.1), (1024, 576));
    }
    let told = sim
        .script()
        .last_request("/modelslab/images/text2img")
        .unwrap();
    assert_eq!(told.header("authorization"), "", "the key is in the body");
    assert!(
        told.json()["key"]
            .as_str()
            .is_some_and(|key| key.starts_with("rotated-token"))
    );
}

#[actix_rt::test]
async fn modelslab_films_from_words() {
    let sim = Simulator::start();
    let app = App::builder()
        .provider(provider(&sim, "modelslab", "/modelslab"))
        .start()
        .await;
    let order = json!({"model": "modelslab/cogvideox-5b", "prompt": "a fox runs"});
    let done = over(&app, &order).await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(file(&app, &done["url"]).await.0, "video/mp4");
    let told = sim
        .script()
        .last_request("/modelslab/video/text2video")
        .unwrap()
        .json();
    assert_eq!(told["prompt"], "a fox runs");
}
