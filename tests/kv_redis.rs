//! Redis goes away, freezes, comes back: requests go on.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant, UNIX_EPOCH},
};

use troupe_simulator::Simulator;

use crate::support::{App, PostgresServer, Provider, RedisServer, chat, eventually};

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
        // counted over it, as long as it is there
        .set("limits.requests_per_minute", "100000")
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
    // the figure itself is measured by `scripts/bench --scenarios kv_r500`; a test only sees that nobody waits for a
    // time-out
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

/// What a gateway logs when it begins to count with others.
const SHARED: &str = "rate limits are shared between nodes";

/// An upstream that takes its time, in which the gateways hear of each other.
const SLOW: &str = "sim-drip-10ms";

/// Asks once; whether the gateway let it in.
async fn is_let_in(app: &App) -> bool {
    let answer = app.chat(&chat::plain(&format!("acme/{SLOW}"))).await;
    assert_eq!(answer.header("x-ratelimit-limit-requests"), "6");
    if answer.status == 200 {
        answer.ok().await;
        return true;
    }
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("x-ratelimit-remaining-requests"), "0");
    assert_ne!(answer.header("retry-after"), "");
    let error = answer.json().await;
    assert_eq!(error["error"]["code"], "key_rate_limited");
    assert_eq!(error["error"]["layer"], "key");
    false
}

/// Waits until much of the clock's minute is left, whose end would begin a new window.
async fn much_of_a_minute() {
    let second = || UNIX_EPOCH.elapsed().expect("a date").as_secs() % 60;
    eventually("a new minute", async || (second() < 45).then_some(())).await;
}

#[actix_rt::test]
async fn two_gateways_share_the_minutes_of_a_key() {
    let (sim, redis) = (Simulator::start(), RedisServer::start());
    let database = format!("{:?}", PostgresServer::shared().create_database());
    let secret_key = "5e".repeat(32);
    let mut apps = Vec::new();
    for _ in 0..2 {
        let builder = App::builder()
            .set("storage.database_url", &database)
            .set("storage.kv_url", &format!("{:?}", redis.url()))
            .set("limits.requests_per_minute", "6")
            .env("TROUPE_SECRET_KEY", &secret_key)
            .provider(Provider::of(&sim).models(&[SLOW]));
        let app = builder.start().await;
        let is_shared = async || app.logs().contains(SHARED).then_some(());
        eventually("a shared limit", is_shared).await;
        apps.push(app);
    }
    much_of_a_minute().await;
    let mut let_in = [0, 0, 0];
    for (turn, app) in [&apps[0], &apps[1], &apps[0]].into_iter().enumerate() {
        // the first leaves half for the second, which takes what it gets
        while (turn > 0 || let_in[0] < 3) && is_let_in(app).await {
            let_in[turn] += 1;
        }
    }
    // the first hears of the second's only with its next request, which is one too many
    assert!(matches!(let_in, [3, 3, 0 | 1]), "{let_in:?}");
}

/// A way to a server on which every answer takes `delay` more.
fn slow_way(to: &str, delay: Duration) -> String {
    let address = to.trim_start_matches("redis://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(&address) else {
                return;
            };
            let back = (server.try_clone(), client.try_clone());
            let (Ok(from), Ok(into)) = back else { return };
            thread::spawn(move || carry(client, server, Duration::ZERO));
            thread::spawn(move || carry(from, into, delay));
        }
    });
    format!("redis://127.0.0.1:{port}")
}

/// Carries bytes until one side closes.
#[expect(
    clippy::disallowed_methods,
    reason = "a thread of its own, whose slowness is the point"
)]
fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        thread::sleep(delay);
        if to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Both).ok();
}

#[actix_rt::test]
async fn nobody_waits_for_a_slow_redis() {
    let (sim, redis) = (Simulator::start(), RedisServer::start());
    let delay = Duration::from_millis(500);
    let app = App::builder()
        .set(
            "storage.kv_url",
            &format!("{:?}", slow_way(&redis.url(), delay)),
        )
        .set("storage.kv_timeout_ms", "5000")
        .set("limits.requests_per_minute", "100000")
        .provider(Provider::of(&sim))
        .start()
        .await;
    // slow, not away: its breaker stays closed, and the limit is shared over it
    let is_shared = async || app.logs().contains(SHARED).then_some(());
    eventually("a shared limit", is_shared).await;
    let slowest = slowest(&app).await;
    assert!(slowest < delay, "{slowest:?}");
    app.calls_once(40).await;
}
