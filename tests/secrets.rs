//! No secret in the logs, the files, the errors, the metrics and the admin's JSON.

use serde_json::json;
use troupe_simulator::{Behaviour, Simulator};

use crate::support::{App, Provider, chat, leaks};

const TOKENS: [&str; 2] = ["sk-upstream-token-a", "sk-upstream-token-b"];

const SECRETS: [&str; 5] = [
    TOKENS[0],
    TOKENS[1],
    App::API_KEY,
    App::ADMIN_TOKEN,
    App::ADMIN_PASSWORD,
];

fn check(place: &str, text: &[u8]) {
    leaks::in_text(place, text, &SECRETS);
}

#[actix_rt::test]
async fn secrets_stay_where_they_belong() {
    let sim = Simulator::start();
    sim.script()
        .token(TOKENS[0])
        .answers([Behaviour::leaks_credential()]);
    sim.script()
        .model("sim-status-500")
        .answers([Behaviour::status_with(
            500,
            &json!({"error": {"message": format!("bad key {}", TOKENS[1])}}).to_string(),
        )]);
    let provider = Provider::of(&sim)
        .tokens(&TOKENS)
        .models(&["sim-status-500", "sim-leak"])
        .with("pool", "{ max_wait_ms = 0 }");
    let mut app = App::builder()
        .set("supervision.fault_injection", "true")
        .provider(provider)
        .start()
        .await;
    for model in [
        "acme/gpt-4o",
        "acme/sim-status-500",
        "acme/sim-leak",
        "acme/nothing",
    ] {
        let answer = app.chat(&chat::plain(model)).await;
        for (name, value) in &answer.headers {
            check(&format!("the header {name}"), value.as_bytes());
        }
        check(&format!("the answer of {model}"), &answer.bytes().await);
    }
    let wrong = app.client().post(app.url("/v1/chat/completions"));
    let wrong = wrong.bearer_auth(format!("{}x", App::API_KEY));
    let mut wrong = wrong.send_json(&chat::plain("acme/gpt-4o")).await.unwrap();
    check("the refusal of a wrong key", &wrong.body().await.unwrap());
    app.calls_once(2).await;
    for path in [
        "calls",
        "charges",
        "restarts",
        "pools",
        "route?model=acme/gpt-4o",
        "housekeeping",
        "supervision",
    ] {
        let answer = app.admin_get(&format!("/api/admin/{path}")).await;
        check(path, &answer.ok().await);
    }
    for path in [
        "/metrics",
        "/health",
        "/health/ready",
        "/v1/models",
        "/admin/supervision",
    ] {
        check(path, &app.admin_get(path).await.bytes().await);
    }
    let doctor = app.run(&["doctor"]);
    check(
        "the doctor's report",
        &[doctor.stdout, doctor.stderr].concat(),
    );
    app.terminate();
    app.ended().await;
    leaks::in_files(&app.path(""), &SECRETS);
}
