//! `POST /v1/images/edits`, as OpenAI's clients send it: a form, or JSON.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use troupe_simulator::Simulator;

use super::{data_uri, file, png_size, reply, rotation::provider, square};
use crate::support::{App, Form, eventually};

const PATH: &str = "/v1/images/edits";
const FIELDS: [(&str, &str); 3] = [
    ("model", "openai/gpt-image-1"),
    ("prompt", "bluer"),
    ("size", "1024x1024"),
];

async fn start(sim: &Simulator) -> App {
    let provider = provider(sim, "openai", "/v1").models(&["gpt-image-1"]);
    App::builder().provider(provider).start().await
}

/// What the upstream was sent.
fn told(sim: &Simulator) -> String {
    sim.script().last_request(PATH).unwrap().body
}

/// The picture that stands in an answer.
fn inline(item: &Value) -> Vec<u8> {
    let base64 = item["b64_json"].as_str();
    BASE64_STANDARD
        .decode(base64.unwrap_or_else(|| panic!("{item}")))
        .unwrap()
}

#[actix_rt::test]
async fn a_form_brings_links() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let image = square(&app, &sim).await;
    let form = Form::of(&FIELDS)
        .file("image[]", &image)
        .file("image[]", &image)
        .file("mask", &image)
        .text("n", "2")
        .text("input_fidelity", "high");
    let answer = form.post(&app, PATH).await;
    assert!(answer.header("x-troupe-job").starts_with("job_"));
    let answer = reply(answer).await;
    let data = answer["data"].as_array().unwrap();
    assert_eq!(data.len(), 2, "{answer}");
    for item in data {
        assert_eq!(png_size(&file(&app, &item["url"]).await.1), (1024, 1024));
    }
    assert_eq!(answer["usage"]["total_tokens"], 595);
    let told = told(&sim);
    assert_eq!(told.matches("name=\"image[]\"; filename=").count(), 2);
    assert_eq!(told.matches("name=\"mask\"; filename=").count(), 1);
    for text in [
        "name=\"n\"\r\n\r\n2\r\n",
        "name=\"input_fidelity\"\r\n\r\nhigh\r\n",
    ] {
        assert!(told.contains(text), "{text} is not in {told}");
    }
}

#[actix_rt::test]
async fn base64_comes_where_it_is_asked_for() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let image = square(&app, &sim).await;
    let form = Form::of(&FIELDS)
        .file("image", &image)
        .text("response_format", "b64_json");
    let answer = reply(form.post(&app, PATH).await).await;
    assert_eq!(png_size(&inline(&answer["data"][0])), (1024, 1024));
    assert!(!told(&sim).contains("response_format"), "that is ours");
}

#[actix_rt::test]
async fn json_does_as_well() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let image = data_uri(&square(&app, &sim).await);
    let body = json!({
        "model": "openai/gpt-image-1", "prompt": "bluer", "n": 2, "response_format": "b64_json",
        "image": [image, {"image_url": image}], "mask": image,
    });
    let answer = app.post(PATH, &body).await.json().await;
    let data = answer["data"].as_array().unwrap();
    assert_eq!(data.len(), 2, "{answer}");
    for item in data {
        assert_eq!(png_size(&inline(item)), (64, 64));
    }
    let told = told(&sim);
    assert_eq!(told.matches("name=\"image[]\"; filename=").count(), 2);
    assert_eq!(told.matches("name=\"mask\"; filename=").count(), 1);
}

#[actix_rt::test]
async fn a_form_can_ask_for_a_job() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let image = square(&app, &sim).await;
    let form = Form::of(&FIELDS)
        .file("image", &image)
        .text("async", "true");
    let taken = form.post(&app, PATH).await;
    assert_eq!(taken.status, 202);
    let place = taken.header("location").to_owned();
    let job = eventually("the edit", async || {
        let job = app.get(&place).await.json().await;
        (job["status"] == "completed").then_some(job)
    })
    .await;
    let made = file(&app, &job["results"][0]["url"]).await;
    assert_eq!(png_size(&made.1), (1024, 1024));
}

#[actix_rt::test]
async fn what_makes_no_edit_is_refused() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let image = square(&app, &sim).await;
    let whole = || Form::of(&FIELDS).file("image", &image);
    for (form, param) in [
        (Form::of(&FIELDS), "image"),
        (Form::of(&FIELDS[..1]).file("image", &image), "prompt"),
        (Form::of(&FIELDS).text("image", "no picture"), "image"),
        (whole().text("response_format", "png"), "response_format"),
        (whole().text("n", "many"), "n"),
        (whole().text("n", "11"), "n"),
    ] {
        let answer = form.post(&app, PATH).await;
        let error = answer.error(400, "invalid_request").await;
        assert_eq!(error["param"], param, "{error}");
    }
    let unnamed = Form::of(&FIELDS[1..]).file("image", &image);
    unnamed
        .post(&app, PATH)
        .await
        .error(400, "missing_model")
        .await;
    assert_eq!(sim.script().stats().requests, 0);
}
