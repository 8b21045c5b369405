use std::time::Instant;

use super::{places::Place, *};
use crate::storage::testing::{
    CloudflareServer, RedisServer, UpstashServer, cloudflare::refusal, http::Mood,
};

fn open_at(url: &str) -> Rc<dyn Backend> {
    open_within(TIMEOUT, url, Clock::system())
}

/// Lets operations fail until the breaker opens, then checks that none waits any more.
async fn opens(store: &dyn Backend) {
    for _ in 0..POLICY.failures {
        let began = Instant::now();
        unavailable(store.get("unknown").await);
        assert!(
            began.elapsed() < TIMEOUT * 4,
            "an operation outlasted its time: {:?}",
            began.elapsed()
        );
    }
    let began = Instant::now();
    for _ in 0..1_000 {
        unavailable(store.get("unknown").await);
    }
    assert!(
        began.elapsed() < TIMEOUT,
        "operations still wait: {:?}",
        began.elapsed()
    );
}

async fn closes_again(store: &dyn Backend) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while store.tend().await.is_err() {
        assert!(Instant::now() < deadline, "the breaker does not close");
    }
    assert_eq!(store.get("unknown").await, Ok(None));
    assert_eq!(store.set("a", vec![7], Some(MINUTE)).await, Ok(()));
    assert_eq!(store.get("a").await, Ok(Some(vec![7])));
}

fn remote() -> [Place; 3] {
    [Place::redis(), Place::upstash(), Place::cloudflare()]
}

#[actix_rt::test]
async fn a_frozen_store_is_left_alone_until_it_thaws() {
    for place in remote() {
        let store = open_at(&place.url());
        assert_eq!(store.get("unknown").await, Ok(None));
        place.set(Mood::Frozen);
        opens(&*store).await;
        place.set(Mood::Well);
        closes_again(&*store).await;
    }
}

#[actix_rt::test]
async fn a_store_that_is_down_at_the_start_or_later_is_found_when_it_is_back() {
    for place in remote() {
        place.set(Mood::Down);
        let store = open_at(&place.url());
        opens(&*store).await;
        place.set(Mood::Well);
        closes_again(&*store).await;
        place.set(Mood::Down);
        opens(&*store).await;
        place.set(Mood::Well);
        closes_again(&*store).await;
    }
}

#[actix_rt::test]
async fn a_redis_that_gave_up_its_connections_is_found_again() {
    let redis = RedisServer::start();
    let store = open_at(&redis.url());
    assert_eq!(store.get("unknown").await, Ok(None));
    redis.server().stop();
    redis.server().restart();
    closes_again(&*store).await;
}

#[actix_rt::test]
async fn a_wrong_token_is_told_and_not_shown() {
    let upstash = UpstashServer::start();
    let cloudflare = CloudflareServer::start(Clock::system(), Duration::ZERO);
    for url in [
        upstash.url_with("secret"),
        cloudflare.url_of("c2d3", "secret"),
        cloudflare.url_of("other", "secret"),
    ] {
        let store = open_at(&url);
        for outcome in [store.ping().await, store.get("a").await.map(drop)] {
            let text = unavailable(outcome);
            assert!(text.contains("storage.kv_url"), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
        opens(&*store).await;
    }
}

#[actix_rt::test]
async fn a_used_up_plan_of_upstash_is_told_and_waited_for() {
    let server = UpstashServer::start();
    let store = open_at(&server.url());
    let limits = [
        (
            400,
            "ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.",
        ),
        (
            429,
            "ERR max requests limit exceeded. Limit: 500000, Usage: 500000.",
        ),
    ];
    for (status, error) in limits {
        let body = serde_json::json!({ "error": error }).to_string();
        server.fail(Some((status, &body)));
        let text = unavailable(store.get("a").await);
        assert!(text.contains("used up") && text.contains(error), "{text}");
        opens(&*store).await;
        server.fail(None);
        closes_again(&*store).await;
    }
}

#[actix_rt::test]
async fn a_namespace_that_cloudflare_limits_or_does_not_know_is_left_alone() {
    let server = CloudflareServer::start(Clock::system(), Duration::ZERO);
    let unknown = open_at(&server.url_of("other", "simulated-token"));
    let text = unavailable(unknown.ping().await);
    assert!(text.contains("namespace not found"), "{text}");
    opens(&*unknown).await;
    let store = open_at(&server.url());
    for status in [429, 500, 503] {
        server.fail(Some(refusal(status, 971, "please wait")));
        opens(&*store).await;
        server.fail(None);
        closes_again(&*store).await;
    }
}

#[actix_rt::test]
async fn a_store_that_answers_is_not_asked_for_signs_of_life_where_that_costs() {
    let upstash = UpstashServer::start();
    let cloudflare = CloudflareServer::start(Clock::system(), Duration::ZERO);
    for url in [upstash.url(), cloudflare.url()] {
        assert_eq!(open_at(&url).tend().await, Ok(()));
    }
    assert_eq!((upstash.batches().len(), cloudflare.requests()), (0, 0));
}
