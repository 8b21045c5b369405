//! Operators: the jobs of all apps.

use serde_json::json;
use troupe_simulator::Simulator;

use super::{filming, first_frame, reaches};
use crate::support::{App, Provider, eventually};

const MODEL: &str = "gitee/wan2.2-i2v";

#[actix_rt::test]
async fn an_admin_sees_and_cancels_the_jobs_of_all_apps() {
    let sim = Simulator::start();
    let app = filming(&sim, 20).await;
    let frame = first_frame(&app, &sim).await;
    let submit = async |prompt: &str| {
        let film = json!({"model": MODEL, "prompt": prompt, "imageUrl": frame});
        let taken = app.post("/api/v1/video", &film).await.json().await;
        taken["taskId"].as_str().unwrap().to_owned()
    };
    let done = submit("it runs").await;
    reaches(&app, &done, "completed").await;
    let film = submit("endless").await;
    reaches(&app, &film, "processing").await;

    assert_eq!(app.get("/api/admin/jobs").await.status, 401);
    let list = async |query: &str| {
        let answer = app.admin_get(&format!("/api/admin/jobs?{query}")).await;
        answer.json().await
    };
    let first = list("limit=1").await;
    assert_eq!(
        (&first["count"], &first["list"][0]["id"]),
        (&json!(2), &json!(film))
    );
    let next = first["next"].as_str().unwrap();
    let second = list(&format!("limit=1&cursor={next}")).await;
    let job = &second["list"][0];
    assert_eq!(
        (&job["id"], &job["state"]),
        (&json!(done), &json!("completed"))
    );
    assert!(
        second["next"].is_null() && job["app"].is_string(),
        "{second}"
    );
    assert!(!second.to_string().contains("it runs"), "{second}");
    let app_id = job["app"].as_str().unwrap();
    for (query, count) in [
        ("state=processing", 1),
        ("provider=gitee", 2),
        ("provider=demo", 0),
        (&*format!("model={MODEL}"), 2),
        (&*format!("app={app_id}&state=completed"), 1),
        ("app=nobody", 0),
    ] {
        assert_eq!(list(query).await["count"], count, "{query}");
    }
    let wrong = app.admin_get("/api/admin/jobs?state=asleep").await;
    wrong.error(400, "invalid_request").await;

    let path = format!("/api/admin/jobs/{film}/cancel");
    assert_eq!(app.post(&path, &json!({})).await.status, 401);
    let cancelled = app.admin_post(&path, &json!({})).await.json().await;
    assert_eq!(cancelled["state"], "cancelled");
    reaches(&app, &film, "cancelled").await;
    let nobody = app
        .admin_post("/api/admin/jobs/job_x/cancel", &json!({}))
        .await;
    nobody.error(404, "not_found").await;
}

#[actix_rt::test]
async fn an_app_has_so_many_streams_of_events_and_no_more() {
    let sim = Simulator::start();
    let provider = Provider::at(&sim.at("/gitee/v1"))
        .name("gitee")
        .kind("gitee")
        .models_of_upstream()
        .tokens(&["sk-film-0001"]);
    let builder = App::builder().set("jobs.streams_per_app", "1");
    let app = builder.provider(provider).start().await;
    let film = json!({
        "model": MODEL, "prompt": "endless", "imageUrl": first_frame(&app, &sim).await,
    });
    let film = app.post("/api/v1/video", &film).await.json().await;
    let path = format!("/v1/jobs/{}/events", film["taskId"].as_str().unwrap());
    let mut events = app.get(&path).await;
    assert!(events.event().await.is_some());
    let refused = app.get(&path).await;
    assert!(!refused.header("retry-after").is_empty());
    refused.error(429, "app_limit_reached").await;
    let job = path.trim_end_matches("/events");
    app.delete(job).await.ok().await;
    events.events().await;
    // the seat is free again with the end of the stream
    eventually("a free seat", async || {
        (app.get(&path).await.status == 200).then_some(())
    })
    .await;
}
