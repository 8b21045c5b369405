//! Jobs over HTTP: pictures and videos that outlive their request, and the process.

mod crashes;
mod drained;
mod kills;
mod oversight;
mod paid;
mod scale;
mod videos;
mod waited;
mod waits;

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use crate::{
    pictures::{data_uri, file},
    support::{Answer, App, Builder, Provider, eventually},
};

/// A gateway with a provider whose videos are tasks, asked after every `poll_ms`.
async fn filming(sim: &Simulator, poll_ms: u64) -> App {
    filming_with(sim, poll_ms, |app| app).await
}

/// The same with more in its configuration.
async fn filming_with(sim: &Simulator, poll_ms: u64, more: impl FnOnce(Builder) -> Builder) -> App {
    let provider = Provider::at(&sim.at("/gitee/v1"))
        .name("gitee")
        .kind("gitee")
        .models_of_upstream()
        .tokens(&["sk-film-0001", "sk-film-0002"])
        .with("options", &format!("{{ poll_ms = {poll_ms} }}"));
    more(App::builder().provider(provider)).start().await
}

/// A small picture to begin a film with, as a data URI.
async fn first_frame(app: &App, sim: &Simulator) -> String {
    let sent = app.client().get(sim.at("/files/32x32-0.png")).send().await;
    data_uri(&sent.unwrap().body().await.unwrap())
}

/// The 202 of a submission: the job, which is also where `Location` says.
async fn taken(app: &App, answer: Answer) -> String {
    assert_eq!(answer.status, 202);
    let location = answer.header("location").to_owned();
    assert!(!answer.header("retry-after").is_empty());
    let job = answer.json().await;
    let id = job["id"].as_str().unwrap().to_owned();
    assert_eq!(location, format!("/v1/jobs/{id}"));
    assert_eq!(job["urls"]["get"], app.url(&location));
    id
}

async fn look(app: &App, id: &str) -> Value {
    let answer = app.get(&format!("/v1/jobs/{id}")).await;
    assert_eq!(answer.status, 200);
    let waits = !answer.header("retry-after").is_empty();
    let job = answer.json().await;
    assert_eq!(waits, job["completed_at"].is_null(), "{job}");
    job
}

/// The job once it has that status.
async fn reaches(app: &App, id: &str, status: &str) -> Value {
    eventually(status, async || {
        Some(look(app, id).await).filter(|job| job["status"] == status)
    })
    .await
}

fn fox() -> Value {
    json!({"model": "demo/demo-image", "prompt": "a red fox", "size": "64x64", "seed": 7})
}

#[actix_rt::test]
async fn any_route_of_pictures_makes_jobs_where_it_is_asked_to() {
    let app = App::builder().start().await;
    for path in ["/v1/images/generations", "/api/v1/generate"] {
        let mut body = fox();
        body["async"] = true.into();
        let id = taken(&app, app.post(path, &body).await).await;
        let job = reaches(&app, &id, "completed").await;
        assert_eq!(
            (&job["progress"], &job["attempts"]),
            (&json!(100), &json!(1))
        );
        let made = &job["results"][0];
        assert_eq!((&made["width"], &made["seed"]), (&json!(64), &json!(7)));
        assert_eq!(file(&app, &made["url"]).await.0, "image/png");
    }
    let request = app.client().post(app.url("/v1/images/generations"));
    let request = request.bearer_auth(App::API_KEY);
    let request = request.insert_header(("prefer", "respond-async"));
    let answer = Answer::of(request, Some(&fox())).await.unwrap();
    taken(&app, answer).await;
    // without a word it is drawn at once, and is a job all the same
    assert_eq!(app.post("/v1/images/generations", &fox()).await.status, 200);
    let list = app.get("/v1/jobs?limit=2").await.json().await;
    assert_eq!(
        (list["data"].as_array().unwrap().len(), &list["has_more"]),
        (2, &json!(true))
    );
    let next = format!(
        "/v1/jobs?limit=2&after={}",
        list["last_id"].as_str().unwrap()
    );
    let rest = app.get(&next).await.json().await;
    assert_eq!(
        (rest["data"].as_array().unwrap().len(), &rest["has_more"]),
        (2, &json!(false))
    );
}

#[actix_rt::test]
async fn a_job_is_told_as_it_goes_and_again_from_where_it_was_left() {
    let app = App::builder().start().await;
    let mut body = fox();
    body["async"] = true.into();
    let id = taken(&app, app.post("/v1/images/generations", &body).await).await;
    let path = format!("/v1/jobs/{id}/events");
    let told = app.get(&path).await.text().await;
    let numbers: Vec<u64> = told
        .lines()
        .filter_map(|line| line.strip_prefix("id: ")?.parse().ok())
        .collect();
    assert!(numbers.is_sorted() && numbers.len() >= 2, "{told}");
    assert!(
        told.contains("event: result") && told.contains("\"status\":\"completed\""),
        "{told}"
    );
    let request = app.client().get(app.url(&path)).bearer_auth(App::API_KEY);
    let after = numbers[numbers.len() - 2].to_string();
    let request = request.insert_header(("last-event-id", after));
    let rest = Answer::of(request, None).await.unwrap().text().await;
    assert_eq!(rest.matches("event: ").count(), 1, "{rest}");
    app.get("/v1/jobs/job_unknown")
        .await
        .error(404, "not_found")
        .await;
    app.get("/v1/jobs/job_unknown/events")
        .await
        .error(404, "not_found")
        .await;
}

#[actix_rt::test]
async fn what_makes_no_sense_is_refused_before_it_is_a_job() {
    let app = App::builder().start().await;
    let mut body = fox();
    body["async"] = true.into();
    body["n"] = 99.into();
    let refused = app.post("/v1/images/generations", &body).await;
    assert_eq!(refused.status, 400);
    let list = app.get("/v1/jobs").await.json().await;
    assert_eq!(list["data"], json!([]));
}
