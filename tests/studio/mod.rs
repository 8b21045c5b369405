//! The studio's API: tasks, history, pictures, tags, and the WebSocket.

mod errors;
mod pictures;
mod socket;
mod tasks;

use serde_json::{Value, json};

use troupe_simulator::Simulator;

use crate::{
    pictures::{data_uri, square},
    repeats::key,
    support::{Answer, App, Provider, eventually},
};

/// An order that the built-in demo draws at once.
fn fox() -> Value {
    json!({
        "model": "demo/demo-image", "prompt": "a red fox in the snow", "width": 64, "height": 64, "seed": 7,
    })
}

/// Orders a task and gives it as it was taken.
async fn ordered(app: &App, body: &Value) -> Value {
    let answer = app.post("/api/v1/tasks", body).await;
    let (status, location) = (answer.status, answer.header("location").to_owned());
    let task = answer.json().await;
    assert_eq!(status, 201, "{task}");
    assert_eq!(location, format!("/api/v1/task/{}", id(&task)));
    task
}

fn id(task: &Value) -> &str {
    task["task_id"]
        .as_str()
        .unwrap_or_else(|| panic!("no task: {task}"))
}

async fn look(app: &App, id: &str) -> Value {
    let answer = app.get(&format!("/api/v1/task/{id}")).await;
    let (status, waits) = (answer.status, !answer.header("retry-after").is_empty());
    let task = answer.json().await;
    assert_eq!(status, 200, "{task}");
    assert_eq!(waits, task["completed_at"].is_null(), "{task}");
    task
}

/// The task once it has that status.
async fn reaches(app: &App, id: &str, status: &str) -> Value {
    eventually(status, async || {
        Some(look(app, id).await).filter(|task| task["status"] == status)
    })
    .await
}

/// A completed task of the demo.
async fn done(app: &App, body: &Value) -> Value {
    let task = ordered(app, body).await;
    reaches(app, id(&task), "completed").await
}

/// An error in the seed's shape.
async fn refused(answer: Answer, status: u16, error: &str) -> Value {
    let found = answer.status;
    let body = answer.json().await;
    assert_eq!((found, &body["error"]), (status, &json!(error)), "{body}");
    assert!(
        body["message"].is_string() && body["code"].is_string(),
        "{body}"
    );
    body
}

/// GETs with another app's key.
async fn get_as(app: &App, key: &str, path: &str) -> Answer {
    let request = app.client().get(app.url(path)).bearer_auth(key);
    Answer::of(request, None).await.unwrap()
}

/// A request with the app's own key and one more header.
async fn with(app: &App, method: awc::http::Method, path: &str, header: (&str, &str)) -> Answer {
    let request = app
        .client()
        .request(method, app.url(path))
        .bearer_auth(App::API_KEY);
    Answer::of(request.insert_header(header), None)
        .await
        .unwrap()
}

async fn patch(app: &App, path: &str, body: &Value) -> Answer {
    let request = app.client().patch(app.url(path)).bearer_auth(App::API_KEY);
    Answer::of(request, Some(body)).await.unwrap()
}

/// A gateway with a provider whose films are tasks, asked after again and again.
async fn filming(sim: &Simulator) -> App {
    filming_with(sim, &[]).await
}

async fn filming_with(sim: &Simulator, settings: &[(&str, &str)]) -> App {
    let provider = Provider::at(&sim.at("/gitee/v1"))
        .name("gitee")
        .kind("gitee")
        .models_of_upstream()
        .tokens(&["sk-film-0001", "sk-film-0002"])
        .with("options", "{ poll_ms = 20 }");
    let builder = App::builder().provider(provider);
    settings
        .iter()
        .fold(builder, |builder, (key, value)| builder.set(key, value))
        .start()
        .await
}

/// A film that never ends.
async fn endless(app: &App, sim: &Simulator) -> Value {
    let frame = data_uri(&square(app, sim).await);
    json!({"model": "gitee/wan2.2-i2v", "action": "video", "prompt": "endless", "image": frame})
}

/// The key of another app.
async fn stranger(app: &App) -> String {
    key(app, &["--name", "stranger", "--app", "stranger"]).await
}
