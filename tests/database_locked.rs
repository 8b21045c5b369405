//! Somebody else holds the database's write lock.

use std::time::{Duration, Instant};

use serde_json::json;
use troupe_simulator::Simulator;

use crate::support::{App, Provider, chat, locker::Locker};

#[actix_rt::test]
async fn inference_goes_on_and_the_records_come_later() {
    let sim = Simulator::start();
    let app = App::builder().provider(Provider::of(&sim)).start().await;
    app.chat(&chat::plain("acme/gpt-4o")).await.bytes().await;
    app.calls_once(1).await;

    let lock = Locker::lock(&app.path("data/troupe.db"));
    let locked = Instant::now();
    let mut answered = 1;
    // longer than every wait for the database, several times over
    while locked.elapsed() < Duration::from_secs(30) {
        let began = Instant::now();
        app.chat(&chat::plain("acme/gpt-4o")).await.ok().await;
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "{:?}",
            began.elapsed()
        );
        answered += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let asked = json!({"model": "acme/gpt-4o", "input": "who keeps the light?"});
    let began = Instant::now();
    app.post("/v1/responses", &asked).await.ok().await;
    answered += 1;
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    drop(lock);
    assert_eq!(app.calls_once(answered).await.len(), answered);
}
