//! Pictures that are wanted at once: jobs underneath, which are not lost with their connection.

use std::time::Duration;

use actix_rt::time::timeout;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use troupe_simulator::Simulator;

use super::{fox, reaches};
use crate::{
    pictures::file,
    support::{App, Builder, Provider, eventually},
};

/// About two seconds for a picture, of a model that the gateway knows nothing about.
const SLOWER: &str = "sim-drip-120ms";

/// Nor about this one.
const QUICK: &str = "sim-image-64k";

fn drawing(sim: &Simulator) -> Builder {
    let provider = Provider::at(&sim.base_url())
        .name("openai")
        .models(&[SLOWER, QUICK, "sim-hang", "sim-status-503"])
        .model_table("{ id = \"gpt-image-1\", price = 0.04 }");
    App::builder().provider(provider)
}

fn order(model: &str) -> Value {
    json!({"model": format!("openai/{model}"), "prompt": "a red fox"})
}

async fn only_job(app: &App) -> Value {
    eventually("a job", async || {
        let list = app.get("/v1/jobs").await.json().await;
        list["data"].as_array().unwrap().first().cloned()
    })
    .await
}

#[actix_rt::test]
async fn an_answer_names_its_job_which_is_charged() {
    let sim = Simulator::start();
    let app = drawing(&sim).start().await;
    for path in ["/v1/images/generations", "/api/v1/generate"] {
        let answer = app.post(path, &order("gpt-image-1")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-troupe-attempts"), "1");
        assert_eq!(answer.header("x-troupe-provider"), "openai");
        let id = answer.header("x-troupe-job").to_owned();
        let job = super::look(&app, &id).await;
        assert_eq!(
            (&job["status"], &job["attempts"]),
            (&json!("completed"), &json!(1))
        );
        assert_eq!(job["cost"], json!({"pictures": 1, "micro_credits": 40_000}));
    }
    let charges = app
        .admin_get("/api/admin/charges?limit=1")
        .await
        .json()
        .await;
    assert_eq!(
        (&charges["count"], &charges["list"][0]["micro_credits"]),
        (&json!(2), &json!(40_000))
    );
    assert!(charges["next"].is_string(), "{charges}");
    let calls = app.calls_once(2).await;
    assert_eq!(calls.len(), 2);
    for call in calls {
        assert_eq!(
            (&call["provider"], &call["attempts"]),
            (&json!("openai"), &json!(1))
        );
        assert_eq!(
            (&call["status"], &call["outcome"]),
            (&json!(200), &json!("ok"))
        );
        assert_ne!(call["token_alias"], "");
    }
}

#[actix_rt::test]
async fn what_passes_is_charged_once_for_its_call_and_a_user_is_no_reason_to_pass() {
    let sim = Simulator::start();
    let app = drawing(&sim).start().await;
    let path = "/v1/images/generations";
    let mut order = order("gpt-image-1");
    order["user"] = "a reader".into();
    let drawn = app.post(path, &order).await;
    assert_ne!(drawn.header("x-troupe-job"), "");
    assert_eq!(drawn.header("x-troupe-dropped"), "");
    drawn.ok().await;
    // what a job could not keep passes
    order["x-pass"] = true.into();
    order["n"] = 2.into();
    let mut calls = Vec::new();
    for format in ["url", "b64_json"] {
        order["response_format"] = format.into();
        let passed = app.post(path, &order).await;
        assert_eq!(passed.header("x-troupe-job"), "");
        calls.push(passed.header("x-request-id").to_owned());
        passed.ok().await;
    }
    // it has no price
    order["model"] = format!("openai/{QUICK}").into();
    let free = app.post(path, &order).await;
    assert_eq!(free.header("x-troupe-job"), "");
    free.ok().await;
    let page = app.admin_get("/api/admin/charges").await.json().await;
    let charges = page["list"].as_array().unwrap();
    assert_eq!(charges.len(), 3, "{page}");
    for call in calls {
        let own = charges.iter().filter(|charge| charge["job_id"] == call);
        let own: Vec<_> = own.collect();
        assert_eq!(own.len(), 1, "{page}");
        assert_eq!(
            (&own[0]["pictures"], &own[0]["micro_credits"]),
            (&json!(2), &json!(80_000))
        );
    }
}

#[actix_rt::test]
async fn base64_is_the_file_also_through_a_job() {
    let app = App::builder().start().await;
    let mut body = fox();
    body["response_format"] = "b64_json".into();
    let answer = app.post("/v1/images/generations", &body).await;
    let id = answer.header("x-troupe-job").to_owned();
    let answer = answer.json().await;
    let inline = answer["data"][0]["b64_json"].as_str().unwrap();
    let job = super::look(&app, &id).await;
    let stored = file(&app, &job["results"][0]["url"]).await.1;
    assert_eq!(BASE64_STANDARD.decode(inline).unwrap(), stored);
}

#[actix_rt::test]
async fn a_model_that_nobody_knows_draws_for_jobs_unless_it_is_quick() {
    let sim = Simulator::start();
    let app = drawing(&sim)
        .set("jobs.patience_ms", "1000")
        .set("jobs.keep_alive_ms", "100")
        .start()
        .await;
    let path = "/v1/images/generations";
    for _ in 0..2 {
        let answer = app.post(path, &order(SLOWER)).await;
        assert_eq!(answer.status, 200);
        assert_ne!(answer.header("x-troupe-job"), "");
        let text = answer.text().await;
        assert!(text.starts_with("   "), "{text:?}");
        let drawn: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(file(&app, &drawn["data"][0]["url"]).await.0, "image/png");
    }
    let first = app.post(path, &order(QUICK)).await;
    assert_ne!(first.header("x-troupe-job"), "");
    first.ok().await;
    eventually("it is known to be quick", async || {
        let answer = app.post(path, &order(QUICK)).await;
        assert_eq!(answer.status, 200);
        answer.header("x-troupe-job").is_empty().then_some(())
    })
    .await;
}

#[actix_rt::test]
async fn an_answer_that_takes_long_is_kept_alive() {
    let sim = Simulator::start();
    let app = drawing(&sim)
        .set("jobs.patience_ms", "100")
        .set("jobs.keep_alive_ms", "100")
        .start()
        .await;
    let answer = app.post("/api/v1/generate", &order(SLOWER)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    let id = answer.header("x-troupe-job").to_owned();
    let text = answer.text().await;
    assert!(text.starts_with("   "), "{text:?}");
    let drawn: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(file(&app, &drawn["url"]).await.0, "image/png");
    assert_eq!(super::look(&app, &id).await["status"], "completed");
    // an error comes in the dialect's words, with the status that has gone out
    let doomed = order("sim-hang");
    let hung = app.post("/api/v1/generate", &doomed);
    let mut hung = timeout(Duration::from_secs(10), hung).await.unwrap();
    assert_eq!(
        (hung.status, hung.piece().await.unwrap().as_ref()),
        (200, &b" "[..])
    );
    let id = hung.header("x-troupe-job").to_owned();
    app.delete(&format!("/v1/jobs/{id}")).await.ok().await;
    let refused: Value = serde_json::from_str(&hung.text().await).unwrap();
    assert!(
        refused["code"].is_string() && refused["message"].is_string(),
        "{refused}"
    );
    let calls = app.calls_once(2).await;
    let told: Vec<_> = calls.iter().map(|call| &call["status"]).collect();
    assert_eq!(told, [200, 200]);
    assert!(calls.iter().any(|call| !call["error_code"].is_null()));
}

#[actix_rt::test]
async fn the_picture_of_a_client_that_left_is_kept() {
    let sim = Simulator::start();
    let app = drawing(&sim).start().await;
    let gone = order(SLOWER);
    let asked = app.try_post("/api/v1/generate", &gone);
    assert!(timeout(Duration::from_millis(600), asked).await.is_err());
    let job = only_job(&app).await;
    let id = job["id"].as_str().unwrap();
    let job = reaches(&app, id, "completed").await;
    assert_eq!(job["attempts"], 1);
    assert_eq!(file(&app, &job["results"][0]["url"]).await.0, "image/png");
    assert_eq!(app.calls_once(1).await[0]["outcome"], "client_closed");
}

#[actix_rt::test]
async fn a_picture_at_once_does_not_wait_behind_a_backlog() {
    let sim = Simulator::start();
    let app = drawing(&sim).set("jobs.max_running", "1").start().await;
    for priority in [0, 5] {
        let mut body = order("sim-hang");
        (body["async"], body["priority"]) = (true.into(), priority.into());
        app.post("/api/v1/generate", &body).await;
    }
    let answer = app
        .post("/v1/images/generations", &order("gpt-image-1"))
        .await;
    assert_eq!(answer.status, 200);
    let mut loud = order("sim-hang");
    (loud["async"], loud["priority"]) = (true.into(), 11.into());
    let refused = app.post("/api/v1/generate", &loud).await;
    assert_eq!(refused.status, 400);
    let list = app.get("/v1/jobs").await.json().await;
    let priorities: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| &job["priority"])
        .collect();
    assert_eq!(priorities, [0, 5, 0]);
}

#[actix_rt::test]
async fn jobs_go_along_routes_too() {
    let sim = Simulator::start();
    let app = drawing(&sim)
        .route(
            "fox",
            "targets = [\"openai/sim-status-503\", \"openai/gpt-image-1\"]",
        )
        .start()
        .await;
    let mut body = json!({"model": "fox", "prompt": "a fox"});
    let drawn = app.post("/api/v1/generate", &body).await;
    assert_eq!(
        (drawn.status, drawn.header("x-troupe-attempts")),
        (200, "2")
    );
    body["async"] = true.into();
    let taken = app.post("/api/v1/generate", &body).await.json().await;
    let job = reaches(&app, taken["id"].as_str().unwrap(), "completed").await;
    assert_eq!(
        (&job["attempts"], &job["cost"]["micro_credits"]),
        (&json!(1), &json!(40_000))
    );
}
