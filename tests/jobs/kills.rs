//! `kill -9` in the middle: what was acknowledged is done, and what the upstream has taken is not ordered again.

use serde_json::json;
use troupe_simulator::Simulator;

use super::{filming, first_frame, fox, reaches, taken};
use crate::support::{App, eventually};

#[actix_rt::test]
async fn a_task_that_the_upstream_has_is_asked_for_after_a_kill_and_not_ordered_again() {
    let sim = Simulator::start();
    let mut app = filming(&sim, 400).await;
    let order = json!({
        "model": "gitee/wan2.2-i2v", "prompt": "it runs",
        "input_reference": first_frame(&app, &sim).await,
    });
    let video = app.post("/v1/videos", &order).await.json().await;
    let id = video["id"].as_str().unwrap().to_owned();
    let ordered = || {
        let paths = sim.script().stats().by_path;
        let orders = paths.iter().filter(|(path, _)| path.contains("/videos/"));
        orders.map(|(_, count)| *count).sum::<u64>()
    };
    // asked for once: the ticket was stored before that
    let questions = || {
        let paths = sim.script().stats().by_path;
        let questions = paths.iter().filter(|(path, _)| path.contains("/task"));
        questions.map(|(_, count)| *count).sum::<u64>()
    };
    eventually("a question", async || (questions() >= 1).then_some(())).await;
    app.kill9();
    app.restart().await;
    let job = reaches(&app, &id, "completed").await;
    assert_eq!((ordered(), &job["attempts"]), (1, &json!(1)), "{job}");
    assert!(job["results"][0]["url"].is_string(), "{job}");
}

#[actix_rt::test]
async fn every_acknowledged_job_is_done_after_kills() {
    let mut app = App::builder().set("jobs.max_running", "2").start().await;
    let mut ids = Vec::new();
    for round in 0..3_u64 {
        for number in 0..6 {
            let mut body = fox();
            body["seed"] = (round * 10 + number).into();
            body["async"] = true.into();
            ids.push(taken(&app, app.post("/v1/images/generations", &body).await).await);
        }
        app.kill9();
        app.restart().await;
    }
    for id in &ids {
        let job = eventually("the end", async || {
            let job = super::look(&app, id).await;
            (!job["completed_at"].is_null()).then_some(job)
        })
        .await;
        // one that was interrupted twice has failed with its reason
        let interrupted = job["error"]["kind"] == "interrupted";
        assert!(job["status"] == "completed" || interrupted, "{job}");
    }
}
