//! Google's pictures and edits, through the program.

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use super::{data_uri, file, generate, png_size, refusal, reply, rotation::provider, square};
use crate::support::App;

const FLASH: &str = "gemini-2.5-flash-image";
const IMAGEN: &str = "imagen-4.0-generate-001";

async fn start(sim: &Simulator, models: &[&str]) -> App {
    let provider = provider(sim, "gemini", "/v1beta").models(models);
    App::builder().provider(provider).start().await
}

fn told(sim: &Simulator, model: &str, method: &str) -> Value {
    let path = format!("/v1beta/models/{model}:{method}");
    let last = sim.script().last_request(&path).unwrap();
    assert!(last.header("x-goog-api-key").starts_with("rotated-token"));
    assert_eq!(last.header("authorization"), "");
    last.json()
}

#[actix_rt::test]
async fn gemini_draws_and_edits() {
    let sim = Simulator::start();
    let app = start(&sim, &[FLASH]).await;
    let model = format!("gemini/{FLASH}");
    let body = json!({"model": model, "prompt": "p", "ar": "16:9", "seed": 7});
    let drawn = reply(generate(&app, &body).await).await;
    assert_eq!(png_size(&file(&app, &drawn["url"]).await.1), (512, 288));
    let config =
        json!({"responseModalities": ["IMAGE"], "seed": 7, "imageConfig": {"aspectRatio": "16:9"}});
    assert_eq!(
        told(&sim, FLASH, "generateContent")["generationConfig"],
        config
    );
    let picture = data_uri(&square(&app, &sim).await);
    let body = json!({"model": model, "prompt": "bluer", "image": picture});
    let edited = reply(app.post("/api/v1/edit", &body).await).await;
    assert_eq!(png_size(&file(&app, &edited["url"]).await.1), (64, 64));
    let sent = told(&sim, FLASH, "generateContent");
    let inline = &sent["contents"][0]["parts"][1]["inlineData"];
    assert_eq!(inline["mimeType"], "image/png");
    let base64 = inline["data"].as_str().unwrap();
    assert_eq!(picture, format!("data:image/png;base64,{base64}"));
}

#[actix_rt::test]
async fn imagen_draws_several() {
    let sim = Simulator::start();
    let app = start(&sim, &[IMAGEN]).await;
    let body =
        json!({"model": format!("gemini/{IMAGEN}"), "prompt": "p", "size": "1024x768", "n": 3});
    let drawn = reply(app.post("/v1/images/generations", &body).await).await;
    assert_eq!(drawn["data"].as_array().unwrap().len(), 3);
    let parameters = json!({"sampleCount": 3, "aspectRatio": "4:3", "includeRaiReason": true});
    assert_eq!(told(&sim, IMAGEN, "predict")["parameters"], parameters);
}

#[actix_rt::test]
async fn a_size_that_google_is_not_told_is_named() {
    let sim = Simulator::start();
    let app = start(&sim, &[FLASH]).await;
    let model = format!("gemini/{FLASH}");
    for (fields, dropped) in [
        (json!({"size": "2048x2048"}), "size"),
        (json!({"size": "2048x2048", "resolution": "2K"}), ""),
        (json!({"size": "1024x1024"}), ""),
        (json!({"aspect_ratio": "1:1"}), ""),
    ] {
        let mut order = json!({"model": model, "prompt": "p"});
        let fields = fields.as_object().unwrap().clone();
        order.as_object_mut().unwrap().extend(fields);
        let drawn = app.post("/v1/images/generations", &order).await;
        assert_eq!(drawn.header("x-troupe-dropped"), dropped, "{order}");
        drawn.ok().await;
    }
}

#[actix_rt::test]
async fn what_filters_keep_back_is_refused_with_their_words() {
    let sim = Simulator::start();
    let app = start(&sim, &["sim-filter", "sim-refuse"]).await;
    for (model, words) in [
        ("sim-filter", "PROHIBITED_CONTENT"),
        ("sim-refuse", "Unable to show"),
    ] {
        let order = json!({"model": format!("gemini/{model}"), "prompt": "p"});
        let error = refusal(generate(&app, &order).await, 400, "content_policy").await;
        assert!(
            error["message"].as_str().unwrap().contains(words),
            "{error}"
        );
    }
    assert_eq!(
        sim.script().stats().requests,
        2,
        "another token would not help"
    );
}
