//! Videos of OpenAI, xAI and Google, through the program: as tasks of Imagine Server, and as OpenAI's.

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use super::{data_uri, file, reply, rotation::provider, square};
use crate::support::{App, Form, eventually};

const SORA: &str = "sora-2";
const VEO: &str = "veo-3.1-generate-preview";

async fn start(sim: &Simulator, kind: &str, path: &str, model: &str) -> App {
    let provider = provider(sim, kind, path).models(&[model]);
    App::builder().provider(provider).start().await
}

/// The task, once it is over.
pub async fn over(app: &App, order: &Value) -> Value {
    let taken = reply(app.post("/api/v1/video", order).await).await;
    let id = taken["taskId"].as_str().unwrap();
    let path = format!("/api/v1/task-status?taskId={id}");
    eventually("the film", async || {
        let told = app.get(&path).await.json().await;
        (told["status"] != "processing").then_some(told)
    })
    .await
}

/// The last request to a path that begins so.
fn sent(sim: &Simulator, path: &str) -> String {
    sim.script().last_request(path).unwrap().body
}

#[actix_rt::test]
async fn words_and_pictures_become_films() {
    for (kind, path, model, submit) in [
        ("openai", "/v1", SORA, "/v1/videos".to_owned()),
        (
            "grok",
            "/grok/v1",
            "grok-imagine-video",
            "/grok/v1/videos/generations".to_owned(),
        ),
        (
            "gemini",
            "/v1beta",
            VEO,
            format!("/v1beta/models/{VEO}:predictLongRunning"),
        ),
    ] {
        let sim = Simulator::start();
        let app = start(&sim, kind, path, model).await;
        let model = format!("{kind}/{model}");
        let words = json!({"model": model, "prompt": "it runs", "duration": 8});
        let done = over(&app, &words).await;
        assert_eq!(done["status"], "success", "{kind}: {done}");
        assert_eq!(file(&app, &done["url"]).await.0, "video/mp4");
        let image = data_uri(&square(&app, &sim).await);
        let moving = json!({"model": model, "prompt": "it runs", "imageUrl": image});
        let done = over(&app, &moving).await;
        assert_eq!(done["status"], "success", "{kind}: {done}");
        let body = sent(&sim, &submit);
        let picture = match kind {
            "openai" => "name=\"input_reference\"; filename=",
            "grok" => "\"image\":{\"url\":\"data:image/png;base64,",
            _ => "\"bytesBase64Encoded\":\"",
        };
        assert!(body.contains(picture), "{kind}: no picture in {body}");
        assert!(!done.to_string().contains("rotated-token"));
    }
}

#[actix_rt::test]
async fn what_filters_keep_back_fails_with_their_words() {
    for (kind, path, model, prompt, words) in [
        ("openai", "/v1", SORA, "doomed", "moderation system"),
        (
            "grok",
            "/grok/v1",
            "grok-imagine-video",
            "unsafe",
            "moderation",
        ),
    ] {
        let sim = Simulator::start();
        let app = start(&sim, kind, path, model).await;
        let order = json!({"model": format!("{kind}/{model}"), "prompt": prompt});
        let failed = over(&app, &order).await;
        assert_eq!(failed["status"], "failed", "{kind}: {failed}");
        let error = failed["error"].as_str().unwrap();
        assert!(error.contains(words), "{kind}: {error}");
    }
}

#[actix_rt::test]
async fn lengths_are_those_of_the_model() {
    let sim = Simulator::start();
    let app = start(&sim, "openai", "/v1", SORA).await;
    let order = json!({"model": "openai/sora-2", "prompt": "p", "seconds": "5"});
    let refused = app.post("/v1/videos", &order).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text().await.contains("4, 8 or 12 seconds"));
    assert_eq!(sim.script().stats().requests, 0);
}

#[actix_rt::test]
async fn openai_s_client_sends_a_form() {
    let sim = Simulator::start();
    let app = start(&sim, "openai", "/v1", SORA).await;
    let frame = square(&app, &sim).await;
    let fields = [
        ("model", "openai/sora-2"),
        ("prompt", "it runs"),
        ("seconds", "8"),
        ("size", "1280x720"),
    ];
    let form = Form::of(&fields).file("input_reference", &frame);
    let video = reply(form.post(&app, "/v1/videos").await).await;
    assert_eq!(
        (&video["object"], &video["status"]),
        (&json!("video"), &json!("queued"))
    );
    assert_eq!(
        (&video["seconds"], &video["size"]),
        (&json!("8"), &json!("1280x720"))
    );
    let path = format!("/v1/videos/{}", video["id"].as_str().unwrap());
    eventually("the film", async || {
        let video = app.get(&path).await.json().await;
        (video["status"] == "completed").then_some(())
    })
    .await;
    let content = app.get(&format!("{path}/content")).await;
    assert_eq!(content.header("content-type"), "video/mp4");
    assert!(!content.ok().await.is_empty());
    let sent = sent(&sim, "/v1/videos");
    for part in [
        "name=\"input_reference\"; filename=",
        "name=\"seconds\"\r\n\r\n8\r\n",
        "name=\"size\"\r\n\r\n1280x720\r\n",
    ] {
        assert!(sent.contains(part), "{part} is not in {sent}");
    }
}
