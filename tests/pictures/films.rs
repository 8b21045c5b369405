//! Videos of VolcEngine and Ark, through the program: tasks there, jobs here.

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use super::{data_uri, file, reply, rotation, volcengine};
use crate::support::{App, Provider, eventually};

const ARK: &str = "/ark/api/v3/contents/generations/tasks";

async fn start(provider: Provider) -> App {
    App::builder().provider(provider).start().await
}

async fn order(app: &App, body: &Value) -> String {
    let taken = reply(app.post("/api/v1/video", body).await).await;
    taken["taskId"].as_str().unwrap().to_owned()
}

/// The film that a task becomes, which must be one.
async fn filmed(app: &App, id: &str) {
    let path = format!("/api/v1/task-status?taskId={id}");
    let done = eventually("the film", async || {
        let told = app.get(&path).await.json().await;
        (told["status"] != "processing").then_some(told)
    })
    .await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(file(app, &done["url"]).await.0, "video/mp4");
}

async fn picture(app: &App, sim: &Simulator) -> String {
    let link = sim.at("/files/64x64-8192.png");
    let mut file = app.client().get(link).send().await.unwrap();
    data_uri(&file.body().await.unwrap())
}

#[actix_rt::test]
async fn volcengine_films_from_words_and_from_a_picture() {
    let sim = Simulator::start();
    let app = start(volcengine::provider(&sim, &["access-key-one-0123"])).await;
    let model = "volcengine/jimeng-video-3.0";
    let words = json!({"model": model, "prompt": "a fox runs", "duration": 10, "size": "1280x720"});
    filmed(&app, &order(&app, &words).await).await;
    let question = sim.script().last_request("/volcengine/").unwrap().json();
    assert_eq!(question["req_key"], "jimeng_t2v_v30");
    let image = picture(&app, &sim).await;
    let moved = json!({"model": model, "prompt": "it runs", "imageUrl": image});
    filmed(&app, &order(&app, &moved).await).await;
    let stats = sim.script().stats();
    assert_eq!(
        stats.model("jimeng_i2v_first_v30"),
        4,
        "an order and three questions"
    );
}

#[actix_rt::test]
async fn ark_films_from_words_and_from_a_picture() {
    let sim = Simulator::start();
    let app = start(rotation::provider(&sim, "ark", "/ark/api/v3")).await;
    let model = "ark/seedance-1.0-pro";
    let words = json!({"model": model, "prompt": "a fox runs", "duration": 6, "size": "1280x720"});
    filmed(&app, &order(&app, &words).await).await;
    let sent = sim.script().last_request(ARK).unwrap().json();
    assert_eq!(
        sent,
        json!({
            "model": "doubao-seedance-1-0-pro-250528", "duration": 6, "ratio": "16:9",
            "resolution": "720p", "content": [{"type": "text", "text": "a fox runs"}],
        })
    );
    let image = picture(&app, &sim).await;
    let moved = json!({"model": model, "prompt": "it runs", "imageUrl": image});
    filmed(&app, &order(&app, &moved).await).await;
    let sent = sim.script().last_request(ARK).unwrap().json();
    let frame = sent["content"][1]["image_url"]["url"].as_str().unwrap();
    assert!(frame.starts_with("data:image/png;base64,iVBORw0KGgo"));
}

#[actix_rt::test]
async fn a_film_that_nobody_wants_is_stopped_upstream() {
    let sim = Simulator::start();
    let app = start(volcengine::provider(&sim, &["access-key-one-0123"])).await;
    let endless = json!({"model": "volcengine/jimeng-video-3.0", "prompt": "endless"});
    let id = order(&app, &endless).await;
    eventually("a question", async || {
        (sim.script().stats().requests >= 3).then_some(())
    })
    .await;
    app.delete(&format!("/v1/jobs/{id}")).await.ok().await;
    eventually("the account's next task", async || {
        let next = json!({"model": "volcengine/jimeng-3.1", "prompt": "a fox"});
        let answer = app.post("/api/v1/generate", &next).await;
        (answer.status == 200).then_some(())
    })
    .await;
}
