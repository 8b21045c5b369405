//! Orders of pictures and videos with an `Idempotency-Key`: one job, whatever becomes of the gateway meanwhile.

use awc::http::Method;
use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};
use serde_json::{Value, json};
use troupe_simulator::Simulator;

use super::{REPLAYED, replayed};
use crate::{
    pictures::data_uri,
    support::{Answer, App, Provider, eventually},
};

/// Whose pictures are tasks.
const TASKS: &str = "/modelscope/v1/images/generations";

async fn order(app: &App, path: &str, key: &str, body: &Value) -> Answer {
    try_order(app, path, key, body).await.unwrap()
}

async fn try_order(app: &App, path: &str, key: &str, body: &Value) -> Option<Answer> {
    let request = app.client().request(Method::POST, app.url(path));
    let request = request.bearer_auth(App::API_KEY);
    let request = request.insert_header(("idempotency-key", key));
    Answer::of(request, Some(body)).await.ok()
}

async fn jobs(app: &App) -> Vec<Value> {
    let list = app.get("/v1/jobs?limit=100").await.json().await;
    list["data"].as_array().unwrap().clone()
}

async fn charges(app: &App) -> usize {
    let page = app.admin_get("/api/admin/charges?limit=100").await;
    page.json().await["list"].as_array().unwrap().len()
}

/// A gateway whose pictures are tasks, asked after every `poll_ms`, and films.
async fn drawing(sim: &Simulator, poll_ms: u64) -> App {
    let of = |name: &str, path: &str| {
        Provider::at(&sim.at(path))
            .name(name)
            .kind(name)
            .models_of_upstream()
            .tokens(&["sk-task-0001"])
            .with("options", &format!("{{ poll_ms = {poll_ms} }}"))
    };
    App::builder()
        .provider(of("modelscope", "/modelscope/v1"))
        .provider(of("gitee", "/gitee/v1"))
        .start()
        .await
}

fn picture() -> Value {
    json!({"model": "modelscope/z-image-turbo", "prompt": "a red fox"})
}

/// The database forgets the answers, as if it had not come to them.
fn change(app: &App, sql: &str) {
    let file = app.path("data/troupe.db");
    let mut conn = SqliteConnection::establish(&file.to_string_lossy()).unwrap();
    sql_query(sql).execute(&mut conn).unwrap();
}

#[actix_rt::test]
async fn every_order_takes_a_key() {
    let sim = Simulator::start();
    let app = drawing(&sim, 20).await;
    let fox = picture();
    let with = |name: &str| {
        let mut body = fox.clone();
        body[name] = true.into();
        body
    };
    let sent = app.client().get(sim.at("/files/32x32-0.png")).send().await;
    let frame = data_uri(&sent.unwrap().body().await.unwrap());
    let film = json!({"model": "gitee/wan2.2-i2v", "prompt": "it runs", "imageUrl": frame});
    let orders = [
        ("/v1/images/generations", fox.clone()),
        ("/v1/images/generations", with("async")),
        ("/api/v1/generate", fox.clone()),
        ("/api/v1/generate", with("async")),
        ("/api/v1/imagine", fox.clone()),
        ("/api/v1/tasks", fox.clone()),
        ("/api/v1/video", film),
    ];
    for (number, (path, body)) in orders.iter().enumerate() {
        let key = format!("key-{number}");
        let first = order(&app, path, &key, body).await;
        assert!(first.status < 300, "{path}: {}", first.status);
        assert_eq!(first.header(REPLAYED), "", "{path}");
        let first = (first.status, first.bytes().await);
        let again = order(&app, path, &key, body).await;
        assert_eq!(again.header(REPLAYED), "true", "{path}");
        assert_eq!((again.status, again.bytes().await), first, "{path}");
        assert_eq!(jobs(&app).await.len(), number + 1, "{path}");
    }
    // each surface says in its own way that a key belongs to one order
    for (path, error) in [
        ("/api/v1/tasks", "validation_error"),
        ("/api/v1/generate", "validation_error"),
        ("/api/v1/imagine", "Invalid parameters"),
    ] {
        order(&app, path, "one", &fox).await;
        let other = order(&app, path, "one", &with("async")).await;
        assert_eq!(other.status, 422, "{path}");
        let told = other.json().await;
        assert_eq!(
            (&told["error"], &told["code"]),
            (&json!(error), &json!("idempotency_key_reused"))
        );
    }
}

#[actix_rt::test]
async fn who_waits_for_a_picture_gets_it_after_a_kill_and_pays_once() {
    let sim = Simulator::start();
    let mut app = drawing(&sim, 400).await;
    let orders = || sim.script().stats().path(TASKS);
    let questions = || -> u64 {
        let paths = sim.script().stats().by_path;
        let questions = paths.iter().filter(|(path, _)| path.contains("/v1/tasks"));
        questions.map(|(_, count)| *count).sum()
    };
    for (number, path) in ["/v1/images/generations", "/api/v1/generate"]
        .into_iter()
        .enumerate()
    {
        let body = picture();
        let before = questions();
        // the upstream has the order, and its ticket is stored
        let asked = eventually("a question", async || (questions() > before).then_some(()));
        tokio::select! {
            _ = try_order(&app, path, "k", &body) => panic!("it was to take longer"),
            () = asked => {}
        }
        app.kill9();
        app.restart().await;
        let answer = order(&app, path, "k", &body).await;
        let job = jobs(&app).await[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(answer.header("x-troupe-job"), job);
        let answer = answer.json().await;
        let url = answer["data"][0]["url"].as_str().or(answer["url"].as_str());
        assert!(url.is_some(), "{answer}");
        let count = number + 1;
        assert_eq!((jobs(&app).await.len(), orders()), (count, count as u64));
        assert_eq!(charges(&app).await, count);
        assert!(replayed(order(&app, path, "k", &body).await).await.0);
    }
}

#[actix_rt::test]
async fn an_answer_that_was_lost_is_told_by_the_job() {
    let sim = Simulator::start();
    let mut app = drawing(&sim, 20).await;
    let path = "/api/v1/tasks";
    let first = order(&app, path, "k", &picture()).await.json().await;
    let lose = "DELETE FROM idempotent_answers";
    app.kill9();
    change(&app, lose);
    app.restart().await;
    let again = order(&app, path, "k", &picture()).await;
    assert_eq!((again.status, again.header(REPLAYED)), (201, ""));
    assert_eq!(again.json().await["task_id"], first["task_id"]);
    change(&app, lose);
    let mut other = picture();
    other["prompt"] = "two red foxes".into();
    let other = order(&app, path, "k", &other).await;
    assert_eq!(other.status, 422);
    assert_eq!(other.json().await["code"], "idempotency_key_reused");
    assert_eq!(jobs(&app).await.len(), 1);
    // a day is over
    change(&app, "UPDATE jobs SET created_at = created_at - 90000000");
    let later = order(&app, path, "k", &picture()).await.json().await;
    assert_ne!(later["task_id"], first["task_id"]);
    assert_eq!(jobs(&app).await.len(), 2);
}
