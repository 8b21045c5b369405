//! Pictures and videos over HTTP: `/api/v1/…` and OpenAI's routes, on every kind of provider that draws.

mod added;
mod ark;
mod demo;
mod edits;
mod films;
mod gemini;
mod gitee;
mod grok;
mod huggingface;
mod inputs;
mod memory;
mod models;
mod modelscope;
mod openai;
mod patience;
mod peinture;
mod ranges;
mod rotation;
mod texts;
mod videos;
pub mod volcengine;

use awc::http::StatusCode;
use serde_json::{Value, json};
use troupe_simulator::Simulator;

use crate::support::{Answer, App};

/// Asks for a picture in the words of Imagine Server.
pub async fn generate(app: &App, body: &Value) -> Answer {
    app.post("/api/v1/generate", body).await
}

/// The reply of a request that must succeed.
pub async fn reply(answer: Answer) -> Value {
    let body = answer.ok().await;
    serde_json::from_slice(&body).unwrap()
}

/// The file behind a link of ours, with its type.
pub async fn file(app: &App, url: &Value) -> (String, Vec<u8>) {
    let url = url.as_str().unwrap_or_else(|| panic!("no link: {url}"));
    assert!(url.starts_with(&app.url("/media/")), "{url} is not ours");
    let mut response = app.client().get(url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let kind = response.headers().get("content-type").unwrap();
    let kind = kind.to_str().unwrap().to_owned();
    let body = response.body().limit(64 << 20).await.unwrap();
    (kind, body.to_vec())
}

/// Width and height of a PNG file.
pub fn png_size(file: &[u8]) -> (u32, u32) {
    assert!(file.starts_with(b"\x89PNG\r\n\x1a\n"), "no PNG");
    let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

/// A small picture, as a data URI.
pub fn data_uri(file: &[u8]) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(file))
}

/// A picture of 32 by 32 pixels.
pub async fn square(app: &App, sim: &Simulator) -> Vec<u8> {
    let link = sim.at("/files/32x32-0.png");
    let mut file = app.client().get(link).send().await.unwrap();
    file.body().await.unwrap().to_vec()
}

/// An error in the shape of this surface.
pub async fn refusal(answer: Answer, status: u16, code: &str) -> Value {
    assert_eq!(answer.status, status);
    let error = answer.json().await;
    assert_eq!(error["code"], code, "{error}");
    assert!(
        error["error"].is_string() && error["message"].is_string(),
        "{error}"
    );
    error
}

/// The request that every kind of provider gets.
pub fn fox(model: &str) -> Value {
    json!({"model": model, "prompt": "a red fox in the snow", "ar": "1:1", "seed": 7})
}
