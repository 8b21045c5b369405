//! Jobs that wait for another attempt say why, and until when.

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use super::{first_frame, reaches};
use crate::support::{Answer, App, Provider};

#[actix_rt::test]
async fn a_job_that_is_tried_again_says_why_and_when() {
    let sim = Simulator::start();
    let provider = Provider::at(&sim.at("/gitee/v1"))
        .name("gitee")
        .kind("gitee")
        .models_of_upstream()
        .tokens(&["sk-film-0001"])
        .with("options", "{ poll_ms = 5 }");
    let builder = App::builder().set("jobs.retry_ms", "60000");
    let app = builder.provider(provider).start().await;
    let film = json!({
        "model": "gitee/wan2.2-i2v", "prompt": "doomed", "imageUrl": first_frame(&app, &sim).await,
    });
    let film = app.post("/api/v1/video", &film).await.json().await;
    let id = film["taskId"].as_str().unwrap();
    let job = reaches(&app, id, "retrying").await;
    assert_eq!(job["last_error"]["kind"], "upstream", "{job}");
    assert_eq!(job["last_error"]["message"], "the upstream failed");
    let created = job["created_at"].as_i64().unwrap();
    assert!(
        job["next_attempt_at"].as_i64().unwrap() >= created + 60,
        "{job}"
    );
    assert!(job["estimated_seconds"].as_i64().unwrap() > 50, "{job}");
    assert!(job["error"].is_null(), "{job}");

    let mut events = app.get(&format!("/v1/jobs/{id}/events")).await;
    let event = events.event().await.unwrap();
    assert!(
        event.contains("\"next_attempt_at\":") && event.contains("last_error"),
        "{event}"
    );

    let id = uuid::Uuid::parse_str(id.trim_start_matches("job_")).unwrap();
    let request = app.client().get(app.url(&format!("/api/v1/task/{id}")));
    let request = request.bearer_auth(App::API_KEY);
    let request = request.insert_header(("accept-language", "zh-CN"));
    let task: Value = Answer::of(request, None).await.unwrap().json().await;
    assert_eq!(task["last_error"]["message"], "模型处理失败", "{task}");
    assert!(
        task["next_attempt_at"].as_str().unwrap().ends_with('Z'),
        "{task}"
    );
    app.delete(&format!("/v1/jobs/job_{}", id.simple()))
        .await
        .ok()
        .await;
}
