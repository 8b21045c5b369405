//! Somebody else holds the database's write lock.

use std::time::{Duration, Instant};

use troupe_simulator::Simulator;

use crate::support::{App, Provider, chat, locker::Locker};

#[actix_rt::test]
async fn inference_goes_on_and_the_records_come_later() {
    let sim = Simulator::start();
    let app = App::builder()
        .set("storage.busy_timeout_ms", "200")
        .set("storage.query_timeout_ms", "500")
        .provider(Provider::of(&sim))
        .start()
        .await;
    app.chat(&chat::plain("acme/gpt-4o")).await.bytes().await;
    app.calls_once(1).await;

    let lock = Locker::lock(&app.path("data/troupe.db"));
    let locked = Instant::now();
    let mut answered = 1;
    // long enough for several writes to be given up
    while locked.elapsed() < Duration::from_secs(3) {
        let began = Instant::now();
        app.chat(&chat::plain("acme/gpt-4o")).await.ok().await;
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "{:?}",
            began.elapsed()
        );
        answered += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(lock);
    assert_eq!(app.calls_once(answered).await.len(), answered);
}
