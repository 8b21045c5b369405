//! The calls of Peinture, the page that people put before Imagine Server: the very requests that it makes.

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use super::{file, reply, rotation::provider, square};
use crate::support::{App, eventually};

const BOUNDARY: &str = "----WebKitFormBoundaryPeinture";

/// A form as browsers send it.
fn form(fields: &[(&str, &str)], image: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let field = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        body.extend_from_slice(field.as_bytes());
    }
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"image\"; filename=\"blob\"\r\nContent-Type: image/png\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(image);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

async fn edit(app: &App, body: Vec<u8>) -> Value {
    let request = app.client().post(app.url("/api/v1/edit"));
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let request = request
        .bearer_auth(App::API_KEY)
        .insert_header(("content-type", kind));
    let mut answer = request.send_body(body).await.unwrap();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(answer.status(), 200, "{body}");
    body
}

#[actix_rt::test]
async fn every_call_of_it_works() {
    let sim = Simulator::start();
    let provider = provider(&sim, "gitee", "/gitee/v1");
    let app = App::builder().provider(provider).start().await;

    let models = reply(app.get("/api/v1/models").await).await;
    let models = models.as_array().unwrap();
    let turbo = models
        .iter()
        .find(|model| model["id"] == "gitee/z-image-turbo");
    let turbo = turbo.unwrap();
    assert_eq!(turbo["type"], json!(["text2image"]));
    assert_eq!(turbo["steps"]["range"], json!([1.0, 20.0]));

    let body = json!({
        "model": "gitee/flux-2", "prompt": "a fox", "ar": "16:9", "seed": 42, "steps": 9,
        "guidance": 3.5, "enableHD": true,
    });
    let drawn = reply(app.post("/api/v1/generate", &body).await).await;
    assert_eq!((&drawn["seed"], &drawn["steps"]), (&json!(42), &json!(9)));
    assert_eq!(drawn["guidance"], 3.5);
    file(&app, &drawn["url"]).await;

    let image = square(&app, &sim).await;
    let fields = [
        ("model", "gitee/qwen-image-edit"),
        ("prompt", "bluer"),
        ("seed", "7"),
        ("steps", "16"),
        ("guidance", "4"),
    ];
    let edited = edit(&app, form(&fields, &image)).await;
    assert_eq!((&edited["seed"], &edited["steps"]), (&json!(7), &json!(16)));
    file(&app, &edited["url"]).await;

    let linked = drawn["url"].as_str().unwrap();
    let moved = json!({
        "model": "gitee/wan2.2-i2v", "imageUrl": super::data_uri(&image), "prompt": "it runs",
        "duration": 3, "seed": 7, "steps": 10, "guidance": 4,
    });
    let taken = reply(app.post("/api/v1/video", &moved).await).await;
    assert!(taken["predict"].is_number(), "{taken}");
    let id = taken["taskId"].as_str().unwrap();
    let path = format!("/api/v1/task-status?taskId={id}");
    let done = eventually("the film", async || {
        let told = app.get(&path).await.json().await;
        (told["status"] != "processing").then_some(told)
    });
    let done = done.await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(file(&app, &done["url"]).await.0, "video/mp4");

    let improved = json!({"model": "gitee/deepseek-v3", "prompt": "a fox"});
    let text = reply(app.post("/api/v1/text", &improved).await).await;
    assert!(!text["text"].as_str().unwrap().is_empty());

    // its own result is given back as a link, which leads into a private network here
    let upscaler = models
        .iter()
        .find(|model| model["type"] == json!(["upscaler"]));
    let upscaler = &upscaler.unwrap()["id"];
    let large = json!({"model": upscaler, "imageUrl": linked});
    let large = reply(app.post("/api/v1/upscaler", &large).await).await;
    file(&app, &large["url"]).await;
}
