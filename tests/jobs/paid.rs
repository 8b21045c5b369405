//! What the upstream has drawn is paid for: it is not ordered again because it did not get here.

use serde_json::{Value, json};
use troupe_simulator::{Behaviour, Simulator};

use super::look;
use crate::support::{App, Builder, Provider, eventually};

const ORDERS: &str = "/v1/images/generations";
/// Answers with a link to [`FILE`].
const MODEL: &str = "sim-1k";
const FILE: &str = "/files/64x64-0.png";

fn drawing(sim: &Simulator) -> Builder {
    let provider = Provider::at(&sim.base_url())
        .name("openai")
        .tokens(&["sk-paid-0001", "sk-paid-0002"])
        .models(&[MODEL]);
    App::builder()
        .set("jobs.retry_ms", "1")
        .set("jobs.max_retry_ms", "1")
        .provider(provider)
}

/// A job for a picture, at its end.
async fn ended(app: &App) -> Value {
    let order = json!({"model": format!("openai/{MODEL}"), "prompt": "a red fox", "async": true});
    let taken = app.post(ORDERS, &order).await.json().await;
    let id = taken["id"].as_str().unwrap().to_owned();
    eventually("the end", async || {
        let job = look(app, &id).await;
        (!job["completed_at"].is_null()).then_some(job)
    })
    .await
}

#[actix_rt::test]
async fn a_picture_whose_link_does_not_open_is_not_ordered_again() {
    let sim = Simulator::start();
    sim.script().path(FILE).answers([Behaviour::status(404)]);
    let app = drawing(&sim).start().await;
    let job = ended(&app).await;
    assert_eq!(
        (&job["status"], &job["attempts"]),
        (&json!("failed"), &json!(1)),
        "{job}"
    );
    let why = job["error"]["message"].as_str().unwrap();
    assert!(why.contains("has made it") && why.contains("404"), "{why}");
    assert_eq!(sim.script().stats().path(ORDERS), 1);
}

#[actix_rt::test]
async fn a_link_whose_host_fails_is_opened_again() {
    let sim = Simulator::start();
    let answers = [Behaviour::status(503), Behaviour::Ok];
    sim.script().path(FILE).answers(answers);
    let app = drawing(&sim).start().await;
    let job = ended(&app).await;
    assert_eq!(
        (&job["status"], &job["attempts"]),
        (&json!("completed"), &json!(1)),
        "{job}"
    );
    assert_eq!(sim.script().stats().path(ORDERS), 1);
}

#[actix_rt::test]
async fn a_picture_that_the_store_does_not_take_is_not_ordered_again() {
    let sim = Simulator::start();
    let mut file = awc::Client::new().get(sim.at(FILE)).send().await.unwrap();
    let bytes = file.body().await.unwrap().len();
    // there is room for one, which is too young to go for another
    let app = drawing(&sim)
        .set("storage.media_max_bytes", &(bytes * 3 / 2).to_string())
        .start()
        .await;
    assert_eq!(ended(&app).await["status"], "completed");
    let job = ended(&app).await;
    let error = &job["error"];
    assert_eq!(
        (&error["kind"], &error["code"]),
        (&json!("storage"), &json!("storage_full")),
        "{job}"
    );
    assert_eq!(sim.script().stats().path(ORDERS), 2);
    let metrics = app.get("/metrics").await.text().await;
    let gauge = format!("\ntroupe_media_bytes {bytes}\n");
    assert!(metrics.contains(&gauge), "{metrics}");
}
