//! Gitee AI, through the program.

use serde_json::{Value, json};
use troupe_simulator::{Behaviour, Simulator};

use super::{
    data_uri, file, fox, generate, png_size, reply, rotation::provider, square, videos::over,
};
use crate::support::App;

async fn start(sim: &Simulator) -> App {
    let provider = provider(sim, "gitee", "/gitee/v1");
    App::builder().provider(provider).start().await
}

fn told(sim: &Simulator, path: &str) -> Value {
    sim.script().last_request(path).unwrap().json()
}

/// A small picture, as a data URI.
async fn picture(app: &App, sim: &Simulator) -> String {
    data_uri(&square(app, sim).await)
}

#[actix_rt::test]
async fn draws_at_once() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let drawn = reply(generate(&app, &fox("gitee/z-image-turbo")).await).await;
    assert_eq!((&drawn["width"], &drawn["seed"]), (&json!(1024), &json!(7)));
    assert_eq!(png_size(&file(&app, &drawn["url"]).await.1), (1024, 1024));
    let body = json!({
        "model": "z-image-turbo", "prompt": "a red fox in the snow", "response_format": "url",
        "seed": 7, "size": "1024x1024",
    });
    assert_eq!(told(&sim, "/gitee/v1/images/generations"), body);
    let several = json!({"model": "gitee/flux-1", "prompt": "p", "n": 3, "size": "256x256"});
    let drawn = reply(app.post("/v1/images/generations", &several).await).await;
    assert_eq!(drawn["data"].as_array().unwrap().len(), 3);
}

#[actix_rt::test]
async fn edits_with_the_lightning_lora() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let image = picture(&app, &sim).await;
    let body = json!({"model": "gitee/qwen-image-edit", "prompt": "make it blue", "image": image});
    let edited = reply(app.post("/api/v1/edit", &body).await).await;
    assert_eq!(png_size(&file(&app, &edited["url"]).await.1), (64, 64));
    let sent = sim
        .script()
        .last_request("/gitee/v1/images/edits")
        .unwrap()
        .body;
    for piece in [
        "Qwen-Image-Edit-Lightning-8steps",
        "name=\"image\"; filename=",
        "image/png",
    ] {
        assert!(sent.contains(piece), "no {piece} in what was sent");
    }
}

#[actix_rt::test]
async fn enlarges() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let image = picture(&app, &sim).await;
    let body = json!({"model": "gitee/anime-sharp", "imageUrl": image});
    let larger = reply(app.post("/api/v1/upscaler", &body).await).await;
    assert_eq!(png_size(&file(&app, &larger["url"]).await.1), (128, 128));
}

#[actix_rt::test]
async fn talks() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let body = json!({"model": "gitee/deepseek-v3", "prompt": "a cat"});
    let said = reply(app.post("/api/v1/text", &body).await).await;
    assert!(
        said["text"].as_str().is_some_and(|text| !text.is_empty()),
        "{said}"
    );
    assert_eq!(
        told(&sim, "/gitee/v1/chat/completions")["model"],
        "DeepSeek-V3.2"
    );
}

#[actix_rt::test]
async fn refusals_keep_their_status_and_no_token() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let order = fox("gitee/z-image-turbo");
    sim.script().any().answers([Behaviour::status(404)]);
    assert_eq!(generate(&app, &order).await.status, 400);
    sim.script().any().answers([Behaviour::leaks_credential()]);
    let leaked = generate(&app, &order).await;
    assert!(
        leaked.status >= 500 || leaked.status == 429,
        "{}",
        leaked.status
    );
    assert!(!leaked.text().await.contains("rotated-token"));
}

#[actix_rt::test]
async fn draws_as_a_task_where_the_configuration_says_so() {
    let sim = Simulator::start();
    let provider = provider(&sim, "gitee", "/gitee/v1")
        .model_table("{ id = \"z-image-turbo\", is_task = true }");
    let app = App::builder().provider(provider).start().await;
    let drawn = reply(generate(&app, &fox("gitee/z-image-turbo")).await).await;
    assert_eq!(png_size(&file(&app, &drawn["url"]).await.1), (1024, 1024));
    let sent = told(&sim, "/gitee/v1/async/images/generations");
    assert_eq!(
        (&sent["model"], &sent["size"]),
        (&json!("z-image-turbo"), &json!("1024x1024"))
    );
    let stats = sim.script().stats();
    assert_eq!(stats.path("/gitee/v1/images/generations"), 0);
    let listed = reply(app.get("/api/v1/models/all").await).await;
    assert_eq!(listed[0]["async"], true, "{listed}");
}

#[actix_rt::test]
async fn edits_as_a_task() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let image = picture(&app, &sim).await;
    for (model, upstream) in [
        ("flux-1-kontext", "FLUX.1-Kontext-dev"),
        ("qwen-image-edit-2511", "Qwen-Image-Edit-2511"),
    ] {
        let model = format!("gitee/{model}");
        let body = json!({"model": model, "prompt": "make it blue", "image": image});
        let edited = reply(app.post("/api/v1/edit", &body).await).await;
        assert_eq!(png_size(&file(&app, &edited["url"]).await.1), (64, 64));
        let sent = sim.script().last_request("/gitee/v1/async/images/edits");
        let sent = sent.unwrap().body;
        assert!(sent.contains(upstream) && sent.contains("name=\"image\"; filename="));
    }
}

#[actix_rt::test]
async fn films_from_words() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let order = json!({"model": "gitee/wan2.1-t2v", "prompt": "a fox runs", "duration": 3});
    let done = over(&app, &order).await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(file(&app, &done["url"]).await.0, "video/mp4");
    let sent = told(&sim, "/gitee/v1/async/videos/generations");
    let body = json!({"model": "Wan2.1-T2V-14B", "prompt": "a fox runs", "num_frames": 48});
    assert_eq!(sent, body);
}
