//! Requests with an `Idempotency-Key` while the database or the keeper of answers is away.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all};
use serde_json::json;
use troupe_simulator::Simulator;

use super::{builder, keyed, replayed};
use crate::support::{chat, eventually, locker::Locker};

#[actix_rt::test]
async fn without_a_database_no_promise_is_made() {
    let sim = Simulator::start();
    let app = builder(&sim)
        .set("supervision.fault_injection", "true")
        .set("storage.query_timeout_ms", "200")
        .start()
        .await;
    let body = chat::plain("acme/gpt-4o");
    let path = "/api/admin/supervision/storage/database/fault";
    let freeze = json!({"kind": "freeze", "ms": 4_000});
    let told = app.admin_post(path, &freeze).await;
    assert!(told.status < 300, "{}", told.text().await);
    let refused = keyed(&app, "k", &body).await;
    assert_eq!(refused.header("retry-after"), "5");
    refused.error(503, "idempotency_unavailable").await;
    assert_eq!(sim.script().stats().requests, 0);
    app.chat(&body).await.ok().await;
    eventually("the database back", async || {
        let answer = keyed(&app, "k", &body).await;
        (answer.status == 200).then_some(())
    })
    .await;
}

#[actix_rt::test]
async fn what_the_database_did_not_take_is_stored_later() {
    let sim = Simulator::start();
    let mut app = builder(&sim)
        .set("storage.busy_timeout_ms", "50")
        .start()
        .await;
    let body = chat::plain("acme/gpt-4o");
    let lock = Locker::lock(&app.path("data/troupe.db"));
    let bytes = keyed(&app, "first", &body).await.ok().await;
    let again = keyed(&app, "first", &body).await;
    assert_eq!(replayed(again).await, (true, bytes.clone()));
    let second = keyed(&app, "second", &body).await;
    second.error(503, "idempotency_unavailable").await;
    drop(lock);
    eventually("the database back", async || {
        let answer = keyed(&app, "second", &body).await;
        (answer.status == 200).then_some(())
    })
    .await;
    app.kill9();
    app.restart().await;
    let again = keyed(&app, "first", &body).await;
    assert_eq!(replayed(again).await, (true, bytes));
    assert_eq!(sim.script().stats().requests, 2);
}

#[actix_rt::test]
async fn nobody_notices_a_panic_of_the_keeper() {
    let sim = Simulator::start();
    let app = builder(&sim)
        .set("supervision.fault_injection", "true")
        .start()
        .await;
    let body = chat::plain("acme/gpt-4o");
    let (done, served) = (Cell::new(false), Cell::new(0_u32));
    let bad = RefCell::new(Vec::new());
    let load = join_all((0..8).map(async |client| {
        while !done.get() {
            let (number, twins) = (served.replace(served.get() + 1), client % 2 == 0);
            let answer = match twins {
                true => keyed(&app, &format!("n{number}"), &body).await,
                false => app.chat(&body).await,
            };
            if answer.status != 200 {
                let told = answer.json().await;
                bad.borrow_mut().push(told);
            }
        }
    }));
    let fault = async {
        let path = "/api/admin/supervision/answers/fault";
        let told = app.admin_post(path, &json!({"kind": "panic"})).await;
        assert!(told.status < 300, "{}", told.text().await);
        let began = Instant::now();
        eventually("its return", async || {
            let tree = app.admin_get("/api/admin/supervision").await.json().await;
            let list = tree["list"].as_array()?.clone();
            let node = list.into_iter().find(|node| node["path"] == "answers")?;
            (node["restarts"].as_u64()? > 0 && node["state"] == "up").then_some(())
        })
        .await;
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "{:?}",
            began.elapsed()
        );
        let enough = served.get() + 40;
        eventually("service", async || (served.get() >= enough).then_some(())).await;
        done.set(true);
    };
    join(load, fault).await;
    assert!(bad.borrow().is_empty(), "{:?}", bad.borrow());
}
