//! What many large pictures at a time cost in memory. They are moved in base64 and in files, never as links, so that all
//! of each goes through the gateway.

use futures_util::future::join_all;
use serde_json::{Value, json};
use troupe_simulator::{Behaviour, Simulator};

use super::{file, png_size, reply, rotation::provider};
use crate::support::{Answer, App};

/// For the whole process, with a hundred pictures of a mebibyte under way.
const MOST: u64 = 200 << 20;
const PICTURE: usize = 1 << 20;
/// Noise has a byte for each pixel.
const SIZE: &str = "1024x1024";
const MODEL: &str = "openai/gpt-image-1";

/// A gateway whose upstream answers with pictures of a mebibyte, in base64.
async fn start(sim: &Simulator) -> App {
    sim.script().any().answers([Behaviour::Noise]);
    let provider = provider(sim, "openai", "/v1").models(&["gpt-image-1", "sim-noise"]);
    App::builder().provider(provider).start().await
}

/// The answers to a hundred such requests at a time.
async fn a_hundred(app: &App, path: &str, body: &Value) -> Vec<Answer> {
    join_all((0..100).map(|_| app.post(path, body))).await
}

/// Reads all answers at once, as many clients would, and looks at the memory that all of it took.
async fn in_bounds(app: &App, answers: Vec<Answer>) -> Vec<Value> {
    let read = join_all(answers.into_iter().map(reply)).await;
    let peak = app.peak_memory();
    println!("{} MiB at most", peak >> 20);
    assert!(peak < MOST, "{} MiB at most", peak >> 20);
    read
}

/// The length of the base64 of an answer's first picture.
fn inline(answer: &Value) -> usize {
    let base64 = answer["data"][0]["b64_json"].as_str();
    base64.unwrap_or_else(|| panic!("{answer}")).len()
}

#[actix_rt::test]
async fn pictures_are_drawn_without_being_held() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let body = json!({"model": MODEL, "prompt": "a fox", "size": SIZE});
    let answers = a_hundred(&app, "/api/v1/generate", &body).await;
    for drawn in in_bounds(&app, answers).await {
        let (_, file) = file(&app, &drawn["url"]).await;
        assert_eq!(
            (png_size(&file), file.len() > PICTURE),
            ((1024, 1024), true)
        );
    }
}

#[actix_rt::test]
async fn base64_passes_without_being_held() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    // no job could keep the user, so these pass
    let body = json!({
        "model": MODEL, "prompt": "a fox", "size": SIZE, "x-pass": true, "response_format": "b64_json",
    });
    let answers = a_hundred(&app, "/v1/images/generations", &body).await;
    for answer in in_bounds(&app, answers).await {
        assert!(inline(&answer) > PICTURE, "all of it");
    }
}

#[actix_rt::test]
async fn base64_that_passes_becomes_links_without_being_held() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let body = json!({
        "model": MODEL, "prompt": "a fox", "size": SIZE, "x-pass": true, "response_format": "url",
    });
    let answers = a_hundred(&app, "/v1/images/generations", &body).await;
    for answer in in_bounds(&app, answers).await {
        let link = answer["data"][0]["url"].as_str().unwrap();
        assert!(link.starts_with(&app.url("/media/")), "{link}");
    }
}

#[actix_rt::test]
async fn links_that_pass_are_followed_without_being_held() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let body =
        json!({"model": "openai/sim-noise", "prompt": "a fox", "size": SIZE, "x-pass": true});
    let answers = a_hundred(&app, "/v1/images/generations", &body).await;
    for answer in in_bounds(&app, answers).await {
        let link = answer["data"][0]["url"].as_str().unwrap();
        assert!(link.starts_with(&app.url("/media/")), "{link}");
    }
}
