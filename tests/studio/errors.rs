//! Errors in the seed's shape and in the caller's language, and how the gateway fares.

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use super::{done, endless, filming, fox, id, ordered, reaches, refused};
use crate::support::{Answer, App};

async fn in_chinese(app: &App, body: &Value) -> Answer {
    let request = app
        .client()
        .post(app.url("/api/v1/tasks"))
        .bearer_auth(App::API_KEY);
    let request = request.insert_header(("accept-language", "zh-CN,zh;q=0.9,en;q=0.5"));
    Answer::of(request, Some(body)).await.unwrap()
}

#[actix_rt::test]
async fn all_that_is_wrong_is_told_by_field_in_either_language() {
    let app = App::builder().start().await;
    let body = json!({
        "model": "demo/demo-image", "prompt": "", "num_images": 99, "width": 64, "seed": "many", "tags": 7,
    });
    let told = refused(
        app.post("/api/v1/tasks", &body).await,
        400,
        "validation_error",
    )
    .await;
    let fields: Vec<_> = told["details"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(
        fields,
        ["height", "seed", "tags", "num_images", "prompt"],
        "{told}"
    );
    assert_eq!(
        told["details"]["prompt"],
        json!(["The prompt must not be empty"])
    );
    let told = refused(
        in_chinese(&app, &json!({"model": "demo/demo-image"})).await,
        400,
        "validation_error",
    )
    .await;
    assert_eq!(
        (&told["message"], &told["details"]["prompt"][0]),
        (&json!("提示词不能为空"), &json!("提示词不能为空"))
    );
    let broken = app
        .client()
        .post(app.url("/api/v1/tasks"))
        .bearer_auth(App::API_KEY);
    let broken = broken
        .content_type("application/json")
        .send_body("{")
        .await
        .unwrap();
    let told = refused(Answer::new(broken), 400, "validation_error").await;
    assert_eq!(told["code"], "invalid_json");
    for path in ["/api/v1/tasks?status=dancing", "/api/v1/history?limit=many"] {
        refused(app.get(path).await, 400, "validation_error").await;
    }
    let request = app.client().get(app.url("/api/v1/tasks"));
    let request = request.insert_header(("accept-language", "zh"));
    let told = refused(
        Answer::of(request, None).await.unwrap(),
        401,
        "unauthorized",
    )
    .await;
    assert!(
        told["message"]
            .as_str()
            .unwrap()
            .starts_with("请使用有效的"),
        "{told}"
    );
    let absent = app
        .client()
        .get(app.url("/api/v1/task/550e8400-e29b-41d4-a716-446655440000"));
    let absent = absent
        .bearer_auth(App::API_KEY)
        .insert_header(("accept-language", "zh"));
    let told = refused(Answer::of(absent, None).await.unwrap(), 404, "not_found").await;
    assert_eq!(told["message"], "任务不存在");
}

#[actix_rt::test]
async fn before_it_is_known_whose_order_it_is_the_seed_s_shape_holds() {
    let app = App::builder().start().await;
    let generate = || {
        let request = app.client().post(app.url("/api/v1/generate"));
        request.insert_header(("accept-language", "zh-CN"))
    };
    let keyless = Answer::of(generate(), Some(&fox())).await.unwrap();
    let told = refused(keyless, 401, "unauthorized").await;
    let message = told["message"].as_str().unwrap();
    assert!(message.starts_with("请使用有效的"), "{told}");
    for body in ["{", "{\"prompt\": \"a red fox\"}"] {
        let request = generate().bearer_auth(App::API_KEY);
        let sent = request.content_type("application/json").send_body(body);
        let told = refused(Answer::new(sent.await.unwrap()), 400, "validation_error").await;
        assert!(!told["message"].as_str().unwrap().is_ascii(), "{told}");
    }
}

#[actix_rt::test]
async fn beyond_the_queue_there_is_429_with_the_time() {
    let sim = Simulator::start();
    let app = super::filming_with(
        &sim,
        &[("jobs.max_queued_per_app", "1"), ("jobs.max_running", "1")],
    )
    .await;
    let body = endless(&app, &sim).await;
    let running = ordered(&app, &body).await;
    reaches(&app, id(&running), "processing").await;
    let waiting = ordered(&app, &body).await;
    assert!(waiting["queue_position"].as_u64() >= Some(1), "{waiting}");
    let answer = app.post("/api/v1/tasks", &body).await;
    let told_by_header = answer.header("retry-after").to_owned();
    let told = refused(answer, 429, "rate_limit_exceeded").await;
    assert_eq!(told["retry_after"].to_string(), told_by_header);
    let told = refused(in_chinese(&app, &body).await, 429, "rate_limit_exceeded").await;
    assert!(
        told["message"]
            .as_str()
            .unwrap()
            .starts_with("超出并发任务限制"),
        "{told}"
    );
}

#[actix_rt::test]
async fn a_failed_task_says_what_to_do() {
    let sim = Simulator::start();
    let app = super::filming_with(&sim, &[("jobs.max_attempts", "1")]).await;
    let mut body = endless(&app, &sim).await;
    body["prompt"] = "doomed".into();
    let order = ordered(&app, &body).await;
    let error = reaches(&app, id(&order), "failed").await["error"].clone();
    assert_eq!(
        (&error["kind"], error["code"].is_string()),
        (&json!("upstream"), true),
        "{error}"
    );
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("The model failed; try again ("),
        "{message}"
    );
}

#[actix_rt::test]
async fn the_gateway_tells_how_it_fares() {
    let app = App::builder().start().await;
    done(&app, &fox()).await;
    let info = app.get("/api/v1/system/info").await.json().await;
    assert_eq!(
        (&info["api_connected"], &info["queue"]),
        (&json!(true), &json!({"queued": 0, "running": 0}))
    );
    assert!(
        info["models"]
            .as_array()
            .unwrap()
            .contains(&json!("demo/demo-image")),
        "{info}"
    );
    assert_eq!(info["upstreams"][0]["provider"], "demo");
    assert_eq!(info["quota"]["used"], Value::Null);
    let disk = &info["disk"];
    assert!(
        disk["free"].as_u64() > Some(0) && disk["total"].as_u64() >= disk["free"].as_u64(),
        "{info}"
    );
    let storage = &info["storage"];
    assert_eq!(storage["files"], 1);
    assert!(
        storage["bytes"].as_u64() > Some(0) && storage["limit"].as_u64() > Some(0),
        "{info}"
    );
    assert!(
        info["version"].is_string() && info["uptime_seconds"].is_u64(),
        "{info}"
    );
    let keyless = app.client().get(app.url("/api/v1/system/info"));
    refused(
        Answer::of(keyless, None).await.unwrap(),
        401,
        "unauthorized",
    )
    .await;
    let health = app.client().get(app.url("/api/v1/health"));
    let health = Answer::of(health, None).await.unwrap().json().await;
    assert_eq!(
        (&health["status"], &health["api_connected"]),
        (&json!("ok"), &json!(true))
    );
}

#[actix_rt::test]
async fn quotas_are_told_where_upstreams_tell_them() {
    let sim = Simulator::start();
    let app = filming(&sim).await;
    let info = app.get("/api/v1/system/info").await.json().await;
    let quotas = info["quota"]["providers"]["gitee"].as_array();
    assert_eq!(quotas.map(Vec::len), Some(2), "{info}");
}
