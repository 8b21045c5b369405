//! Each request leaves exactly one record, however it ends.

use std::{cell::RefCell, collections::BTreeMap};

use futures_util::future::{join, join_all};
use serde_json::Value;
use troupe_simulator::{PROMPT_TOKENS, Simulator};

use crate::support::{App, Provider, SOON, chat, eventually};

/// Times that a loaded gateway is killed; `TROUPE_TEST_KILLS` asks for more.
fn kills() -> usize {
    let asked = std::env::var("TROUPE_TEST_KILLS").ok();
    asked.and_then(|kills| kills.parse().ok()).unwrap_or(20)
}

/// Records by id; none may occur twice.
fn by_id(calls: &[Value]) -> BTreeMap<&str, &Value> {
    let mut found = BTreeMap::new();
    for call in calls {
        let id = call["id"].as_str().unwrap();
        assert!(found.insert(id, call).is_none(), "two records of {id}");
    }
    found
}

#[actix_rt::test]
async fn one_record_whatever_the_outcome() {
    let sim = Simulator::start();
    let models = ["sim-status-500", "sim-cut-after-3", "sim-hang-after-3"];
    let provider = Provider::of(&sim).models(&models);
    let app = App::builder().provider(provider).start().await;
    let mut ids = BTreeMap::new();
    for (model, outcome) in [
        ("acme/gpt-4o", "ok"),
        ("acme/nothing", "client_error"),
        ("acme/sim-status-500", "upstream_error"),
        ("acme/sim-cut-after-3", "upstream_cut"),
    ] {
        let answer = app.chat(&chat::stream(model)).await;
        ids.insert(answer.header("x-request-id").to_owned(), outcome);
        answer.bytes().await;
    }
    let mut left = app.chat(&chat::stream("acme/sim-hang-after-3")).await;
    ids.insert(left.header("x-request-id").to_owned(), "client_closed");
    left.event().await.unwrap();
    drop(left);
    sim.script()
        .wait_for(SOON, |stats| stats.cancelled == 1)
        .await;

    let calls = app.calls_once(ids.len()).await;
    let calls = by_id(&calls);
    assert_eq!(calls.len(), ids.len());
    for (id, outcome) in &ids {
        assert_eq!(calls[id.as_str()]["outcome"], *outcome);
    }
}

#[actix_rt::test]
async fn a_record_tells_what_happened() {
    let sim = Simulator::start();
    let app = App::builder().provider(Provider::of(&sim)).start().await;
    let bytes = app.chat(&chat::stream("gpt-4o")).await.bytes().await.len();
    let calls = app.calls_once(1).await;
    let call = &calls[0];
    assert_eq!(call["endpoint"], "/v1/chat/completions");
    assert_eq!(call["model"], "acme/gpt-4o");
    assert_eq!(call["provider"], "acme");
    assert_eq!(call["attempts"], 1);
    assert_eq!(call["status"], 200);
    assert_eq!(call["stream"], true);
    assert_eq!(call["prompt_tokens"], PROMPT_TOKENS);
    assert_eq!(call["completion_tokens"], 16);
    assert_eq!(call["bytes_out"], bytes);
    assert!(call["latency_us"].as_u64() >= call["first_byte_us"].as_u64());
    assert!(!call["app_id"].as_str().unwrap().is_empty());
    assert!(!call["key_id"].as_str().unwrap().is_empty());
    assert!(!call["token_alias"].as_str().unwrap().contains("token-a"));
}

#[actix_rt::test]
async fn lists_are_read_page_by_page() {
    let sim = Simulator::start();
    let app = App::builder().provider(Provider::of(&sim)).start().await;
    for _ in 0..5 {
        app.chat(&chat::plain("acme/gpt-4o")).await.bytes().await;
    }
    let all = app.calls_once(5).await;
    let page = app.admin_get("/api/admin/calls?limit=2").await.json().await;
    assert_eq!(page["count"], 5);
    assert_eq!(page["list"].as_array().unwrap().as_slice(), &all[..2]);
    let next = page["next"].as_str().unwrap();
    let path = format!("/api/admin/calls?limit=2&cursor={next}");
    let page = app.admin_get(&path).await.json().await;
    assert_eq!(page["list"].as_array().unwrap().as_slice(), &all[2..4]);
    let refused = app.get("/api/admin/calls").await;
    assert_eq!(refused.status, 401, "an API key opens no admin route");
}

#[actix_rt::test]
async fn kill_9_under_load_loses_no_record_and_doubles_none() {
    let sim = Simulator::start();
    let provider = Provider::of(&sim).models(&["sim-stream-8x2ms"]);
    let mut app = App::builder().provider(provider).start().await;
    let answered = RefCell::new(Vec::new());
    for round in 0..kills() {
        let pid = app.pid().to_string();
        let load = join_all((0..16).map(async |client| {
            let body = match client % 2 {
                0 => chat::plain("acme/gpt-4o"),
                _ => chat::stream("acme/sim-stream-8x2ms"),
            };
            while let Some(id) = one(&app, &body).await {
                answered.borrow_mut().push(id);
            }
        }));
        let killed = async {
            // a different moment in each round
            let wanted = answered.borrow().len() + 40 + 37 * round;
            eventually("load", async || {
                (answered.borrow().len() >= wanted).then_some(())
            })
            .await;
            let kill = std::process::Command::new("kill")
                .args(["-KILL", &pid])
                .status();
            assert!(kill.unwrap().success());
        };
        join(load, killed).await;
        app.ended().await;
        app.restart().await;
    }
    let answered = answered.into_inner();
    eventually("a record of each answer", async || {
        let calls = app.calls().await?;
        let calls = by_id(&calls);
        let all = answered.iter().all(|id| calls.contains_key(id.as_str()));
        all.then_some(())
    })
    .await;
}

/// One request; its id once the client has the whole answer, `None` if it did not get that.
async fn one(app: &App, body: &Value) -> Option<String> {
    let answer = app.try_post("/v1/chat/completions", body).await.ok()?;
    let (id, status) = (answer.header("x-request-id").to_owned(), answer.status);
    let body = answer.try_bytes().await?;
    // awc takes a body that was cut for a whole one
    let whole = body.ends_with(b"[DONE]\n\n") || serde_json::from_slice::<Value>(&body).is_ok();
    (status == 200 && whole).then_some(id)
}
