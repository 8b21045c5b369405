//! Videos: tasks of Imagine Server, and OpenAI's `/v1/videos`.

use serde_json::json;
use troupe_simulator::Simulator;

use super::{filming, first_frame, look, reaches};
use crate::{
    pictures::file,
    support::{App, eventually},
};

const FILM: &str = "gitee/wan2.2-i2v";

async fn status(app: &App, id: &str) -> (u16, serde_json::Value) {
    let answer = app.get(&format!("/api/v1/task-status?taskId={id}")).await;
    (answer.status, answer.json().await)
}

#[actix_rt::test]
async fn a_task_is_followed_in_the_words_of_imagine_server() {
    let sim = Simulator::start();
    let app = filming(&sim, 5).await;
    let order =
        json!({"model": FILM, "prompt": "it runs", "imageUrl": first_frame(&app, &sim).await});
    let taken = app.post("/api/v1/video", &order).await;
    let status_code = taken.status;
    let taken = taken.json().await;
    assert_eq!(status_code, 200, "{taken}");
    assert!(taken["predict"].is_u64(), "{taken}");
    let id = taken["taskId"].as_str().unwrap();
    let done = eventually("the film", async || {
        let (code, told) = status(&app, id).await;
        assert_eq!(code, 200);
        (told["status"] != "processing").then_some(told)
    })
    .await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(file(&app, &done["url"]).await.0, "video/mp4");
    let doomed =
        json!({"model": FILM, "prompt": "doomed", "imageUrl": first_frame(&app, &sim).await});
    let taken = app.post("/api/v1/video", &doomed).await.json().await;
    let id = taken["taskId"].as_str().unwrap();
    // an upstream's failed task is tried again some times before it is told
    let retried = look(&app, id).await;
    assert_ne!(retried["status"], "completed");
    app.delete(&format!("/v1/jobs/{id}")).await.ok().await;
    assert_eq!(status(&app, id).await.1["status"], "failed");
}

#[actix_rt::test]
async fn an_unknown_task_is_told_so() {
    let app = App::builder().start().await;
    let (code, told) = status(&app, "job_x").await;
    let message = "The task ID does not exist or has expired";
    assert_eq!(
        (code, told),
        (404, json!({"status": "error", "message": message}))
    );
    assert_eq!(app.get("/api/v1/task-status").await.status, 400);
}

#[actix_rt::test]
async fn openai_clients_film_too() {
    let sim = Simulator::start();
    let app = filming(&sim, 5).await;
    let order = json!({
        "model": FILM, "prompt": "it runs", "input_reference": first_frame(&app, &sim).await,
    });
    let video = app.post("/v1/videos", &order).await.json().await;
    assert_eq!(video["object"], "video", "{video}");
    let id = video["id"].as_str().unwrap();
    let path = format!("/v1/videos/{id}");
    let done = eventually("the film", async || {
        let video = app.get(&path).await.json().await;
        (video["status"] == "completed").then_some(video)
    })
    .await;
    assert_eq!(done["progress"], 100);
    let content = app.get(&format!("{path}/content")).await;
    assert_eq!(content.header("content-type"), "video/mp4");
    assert!(content.bytes().await[4..].starts_with(b"ftyp"));
    let links = look(&app, id).await["results"][0]["url"].clone();
    app.delete(&path).await.ok().await;
    app.get(&path).await.error(404, "not_found").await;
    let gone = app.client().get(links.as_str().unwrap()).send().await;
    assert_eq!(gone.unwrap().status(), 404);
    app.get("/v1/videos/job_x")
        .await
        .error(404, "not_found")
        .await;
}

#[actix_rt::test]
async fn a_cancelled_film_is_cancelled_upstream() {
    let sim = Simulator::start();
    let app = filming(&sim, 20).await;
    let order = json!({
        "model": FILM, "prompt": "endless", "input_reference": first_frame(&app, &sim).await,
    });
    let video = app.post("/v1/videos", &order).await.json().await;
    let id = video["id"].as_str().unwrap();
    reaches(&app, id, "processing").await;
    eventually("a question", async || {
        (sim.script().stats().requests >= 3).then_some(())
    })
    .await;
    app.delete(&format!("/v1/videos/{id}")).await.ok().await;
    assert_eq!(look(&app, id).await["status"], "cancelled");
    told_once(&sim).await;
}

#[actix_rt::test]
async fn a_film_that_waits_for_its_next_attempt_is_cancelled_upstream() {
    let sim = Simulator::start();
    let app = super::filming_with(&sim, 20, |app| {
        app.set("pictures.video_total_ms", "1000")
            .set("jobs.retry_ms", "600000")
            .set("jobs.max_retry_ms", "600000")
    });
    let app = app.await;
    let order = json!({
        "model": FILM, "prompt": "endless", "input_reference": first_frame(&app, &sim).await,
    });
    let video = app.post("/v1/videos", &order).await.json().await;
    let id = video["id"].as_str().unwrap();
    reaches(&app, id, "retrying").await;
    app.delete(&format!("/v1/videos/{id}")).await.ok().await;
    assert_eq!(look(&app, id).await["status"], "cancelled");
    told_once(&sim).await;
}

/// Returns when the upstream has heard that a task is not wanted any more.
async fn told_once(sim: &Simulator) {
    let cancels = eventually("the upstream's cancel", async || {
        let paths = sim.script().stats().by_path;
        let cancels = paths.iter().filter(|(path, _)| path.ends_with("/cancel"));
        let cancels: u64 = cancels.map(|(_, count)| *count).sum();
        (cancels > 0).then_some(cancels)
    });
    assert_eq!(cancels.await, 1);
}
