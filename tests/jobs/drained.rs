//! SIGTERM in the middle: what could not be asked for later is done first, and nothing is begun any more.

use std::time::{Duration, Instant};

use serde_json::json;
use troupe_simulator::Simulator;

use super::{filming, first_frame, look, reaches};
use crate::support::{App, Provider, eventually};

const ORDERS: &str = "/v1/images/generations";
/// Longer for a picture than an ordered end gives to what it cuts.
const SLOW: &str = "sim-drip-500ms";

async fn submitted(app: &App) -> String {
    let order = json!({"model": format!("openai/{SLOW}"), "prompt": "a red fox", "async": true});
    let taken = app.post(ORDERS, &order).await.json().await;
    taken["id"].as_str().unwrap().to_owned()
}

#[actix_rt::test]
async fn what_is_drawn_is_done_before_the_end_and_what_waits_after_the_next_start() {
    let sim = Simulator::start();
    let provider = Provider::at(&sim.base_url()).name("openai");
    let mut app = App::builder()
        .set("server.drain_seconds", "60")
        .set("jobs.max_running", "1")
        .provider(provider.models(&[SLOW]))
        .start()
        .await;
    let orders = || sim.script().stats().path(ORDERS);
    let first = submitted(&app).await;
    eventually("an order", async || (orders() == 1).then_some(())).await;
    let second = submitted(&app).await;
    app.terminate();
    assert!(app.ended().await.success());
    assert_eq!(orders(), 1);
    app.restart().await;
    let job = look(&app, &first).await;
    assert_eq!(
        (&job["status"], &job["attempts"]),
        (&json!("completed"), &json!(1)),
        "{job}"
    );
    let job = reaches(&app, &second, "completed").await;
    assert_eq!((orders(), &job["attempts"]), (2, &json!(1)), "{job}");
}

#[actix_rt::test]
async fn what_can_be_asked_for_later_is_not_waited_for() {
    let sim = Simulator::start();
    let mut app = filming(&sim, 60_000).await;
    let order = json!({
        "model": "gitee/wan2.2-i2v", "prompt": "it runs",
        "input_reference": first_frame(&app, &sim).await,
    });
    let video = app.post("/v1/videos", &order).await.json().await;
    let id = video["id"].as_str().unwrap().to_owned();
    eventually("the upstream has it", async || {
        let paths = sim.script().stats().by_path;
        paths
            .keys()
            .any(|path| path.contains("/videos/"))
            .then_some(())
    })
    .await;
    let begun = Instant::now();
    app.terminate();
    assert!(app.ended().await.success());
    assert!(begun.elapsed() < Duration::from_secs(20));
    app.restart().await;
    let job = look(&app, &id).await;
    assert_eq!(
        (&job["status"], &job["attempts"]),
        (&json!("processing"), &json!(1)),
        "{job}"
    );
}
