//! Redis goes away, freezes, comes back: requests go on.

use std::time::{Duration, Instant};

use troupe_simulator::Simulator;

use crate::support::{App, Provider, RedisServer, chat};

/// Serves some requests; the slowest of the second half, when a breaker has had its time to open.
async fn slowest(app: &App) -> Duration {
    let mut slowest = Duration::ZERO;
    for number in 0..40 {
        let began = Instant::now();
        app.chat(&chat::plain("acme/gpt-4o")).await.ok().await;
        if number >= 20 {
            slowest = slowest.max(began.elapsed());
        }
    }
    slowest
}

#[actix_rt::test]
async fn requests_go_on_without_redis() {
    let (sim, redis) = (Simulator::start(), RedisServer::start());
    let app = App::builder()
        .set("storage.kv_url", &format!("{:?}", redis.url()))
        .provider(Provider::of(&sim))
        .start()
        .await;
    slowest(&app).await;
    redis.server().pause();
    let paused = slowest(&app).await;
    redis.server().resume();
    redis.server().stop();
    let stopped = slowest(&app).await;
    redis.server().restart();
    slowest(&app).await;
    // the figure itself is measured in the benches; a test only sees that nobody waits for a time-out
    let bearable = Duration::from_millis(200);
    assert!(paused < bearable, "paused: {paused:?}");
    assert!(stopped < bearable, "stopped: {stopped:?}");
    app.calls_once(160).await;
}

#[actix_rt::test]
async fn a_gateway_starts_without_redis() {
    let (sim, redis) = (Simulator::start(), RedisServer::start());
    redis.server().stop();
    let app = App::builder()
        .set("storage.kv_url", &format!("{:?}", redis.url()))
        .provider(Provider::of(&sim))
        .start()
        .await;
    slowest(&app).await;
}
