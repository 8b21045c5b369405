use std::time::Instant;

use super::*;
use crate::storage::testing::RedisServer;

const TIMEOUT: Duration = Duration::from_millis(250);
const MINUTE: Duration = Duration::from_secs(60);
const POLICY: BreakerPolicy = BreakerPolicy {
    failures: 2,
    open_for: Duration::from_millis(20),
};

fn open_at(url: &str) -> Rc<dyn Backend> {
    open(
        &KvUrl::parse(url).unwrap(),
        TIMEOUT,
        POLICY,
        Clock::system(),
    )
    .unwrap()
}

/// What every store must do, in the same way.
async fn behaves(store: &dyn Backend) {
    assert_eq!(store.ping().await, Ok(()));
    assert_eq!(store.get("a").await, Ok(None));
    assert_eq!(store.set("a", vec![0, 255, 10], Some(MINUTE)).await, Ok(()));
    assert_eq!(store.get("a").await, Ok(Some(vec![0, 255, 10])));
    assert_eq!(
        store.set_if_absent("a", vec![1], Some(MINUTE)).await,
        Ok(false)
    );
    assert_eq!(store.set_if_absent("b", vec![1], None).await, Ok(true));
    assert_eq!(store.get("b").await, Ok(Some(vec![1])));
    assert_eq!(store.delete("b").await, Ok(true));
    assert_eq!(store.delete("b").await, Ok(false));
    assert_eq!(store.increment("n", 5, MINUTE).await, Ok(5));
    assert_eq!(store.increment("n", -2, MINUTE).await, Ok(3));
    assert!(matches!(
        store.increment("a", 1, MINUTE).await,
        Err(KvError::Refused(_))
    ));
    let instant = Duration::from_nanos(1);
    assert_eq!(store.set("gone", vec![1], Some(instant)).await, Ok(()));
    let deadline = Instant::now() + Duration::from_secs(5);
    while store.get("gone").await != Ok(None) {
        assert!(Instant::now() < deadline, "the entry is still there");
    }
    assert_eq!(store.set("gone", vec![2], None).await, Ok(()));
    assert_eq!(
        store.get("gone").await,
        Ok(Some(vec![2])),
        "an old time to live must not outlast a new value"
    );
}

#[actix_rt::test]
async fn both_stores_behave_alike() {
    behaves(&*open_at("memory://")).await;
    behaves(&*open_at(&RedisServer::start().url())).await;
}

#[actix_rt::test]
async fn a_counter_counts_each_of_many_increments_at_once() {
    let redis = RedisServer::start();
    for url in ["memory://", &redis.url()] {
        let store = open_at(url);
        let all = (0..100).map(|_| store.increment("n", 1, MINUTE));
        let mut sums: Vec<_> = futures_util::future::join_all(all)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        sums.sort_unstable();
        assert_eq!(sums, (1..=100).collect::<Vec<i64>>());
    }
}

/// Lets operations fail until the breaker opens, then checks that none waits any more.
async fn opens(store: &dyn Backend) {
    for _ in 0..POLICY.failures {
        let began = Instant::now();
        let failed = store.get("a").await;
        assert!(matches!(failed, Err(KvError::Unavailable(_))), "{failed:?}");
        assert!(
            began.elapsed() < TIMEOUT * 4,
            "an operation outlasted its time: {:?}",
            began.elapsed()
        );
    }
    let began = Instant::now();
    for _ in 0..1_000 {
        assert!(matches!(store.get("a").await, Err(KvError::Unavailable(_))));
    }
    assert!(
        began.elapsed() < TIMEOUT,
        "operations still wait: {:?}",
        began.elapsed()
    );
}

async fn closes_again(store: &dyn Backend) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while store.ping().await.is_err() {
        assert!(Instant::now() < deadline, "the breaker does not close");
    }
    assert_eq!(store.set("a", vec![7], Some(MINUTE)).await, Ok(()));
    assert_eq!(store.get("a").await, Ok(Some(vec![7])));
}

#[actix_rt::test]
async fn a_frozen_redis_is_left_alone_until_it_thaws() {
    let redis = RedisServer::start();
    let store = open_at(&redis.url());
    assert_eq!(store.set("a", vec![1], Some(MINUTE)).await, Ok(()));
    redis.server().pause();
    opens(&*store).await;
    redis.server().resume();
    closes_again(&*store).await;
}

#[actix_rt::test]
async fn a_redis_that_is_down_at_the_start_or_later_is_found_when_it_is_back() {
    let redis = RedisServer::start();
    redis.server().stop();
    let store = open_at(&redis.url());
    opens(&*store).await;
    redis.server().restart();
    closes_again(&*store).await;
    redis.server().stop();
    opens(&*store).await;
    redis.server().restart();
    closes_again(&*store).await;
}
