//! Several nodes, one store.

use std::{sync::Arc, time::Instant};

use super::*;
use crate::{
    storage::{
        kv::{Kv, KvUrl},
        testing::RedisServer,
    },
    supervision::{ChildSpec, Disturbance, RestartMetrics, SupervisionConfig, clock::ManualClock},
};

/// The middle of a minute: nothing turns while a test runs.
const NOON: u64 = 1_763_726_430_000;
const KV_WAIT: Duration = Duration::from_millis(250);

struct Node {
    tree: Tree,
    rate: RateLimit,
    time: Arc<ManualClock>,
}

impl Node {
    async fn start(kv_url: &str, requests_per_minute: u32) -> Self {
        let config = SupervisionConfig {
            backoff_min_ms: 1,
            ..SupervisionConfig::default()
        };
        let (clock, time) = Clock::manual(NOON);
        // the store's breaker has a clock of its own, that moves
        let tree = Tree::plant(config, Clock::system(), RestartMetrics::default(), || {});
        let url = KvUrl::parse(kv_url).unwrap();
        let open = move || Kv::open(&url, KV_WAIT, Clock::system());
        let kv = tree.start(ChildSpec::new("storage/kv", "kv", open)).await;
        let kv = KvStore::new(kv.unwrap(), KV_WAIT);
        let limits = LimitsConfig {
            requests_per_minute,
            ..LimitsConfig::default()
        };
        let rate = RateLimit::start(&tree, &limits, &clock, &kv).await.unwrap();
        Self { tree, rate, time }
    }

    /// Waits until it has heard whether the store shares.
    async fn linked(self, link: windows::Link) -> Self {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.rate.windows.link() != link {
            assert!(Instant::now() < deadline, "never {link:?}");
            // the actor is told by a request; these are of nobody else
            self.rate.take("probe").await.ok();
            tokio::task::yield_now().await;
        }
        self
    }

    async fn remaining(&self, key: &str) -> Option<u32> {
        let taken = self.rate.take(key).await.ok()?;
        Some(taken.unwrap().remaining)
    }
}

#[actix_rt::test]
async fn a_node_alone_counts_each_key_by_the_minute() {
    let node = Node::start("memory://", 2).await;
    let node = node.linked(windows::Link::Alone).await;
    assert_eq!(node.remaining("a").await, Some(1));
    assert_eq!(node.remaining("a").await, Some(0));
    let RateExceeded(standing) = node.rate.take("a").await.unwrap_err();
    assert_eq!(
        standing,
        Standing {
            limit: 2,
            remaining: 0,
            reset_ms: NOON + 30_000,
            reset_in: Duration::from_secs(30),
        }
    );
    assert_eq!(node.remaining("b").await, Some(1), "of another key");
    node.time.advance(Duration::from_secs(30));
    assert_eq!(node.remaining("a").await, Some(1), "in another minute");
    node.tree.stop().await;
}

#[actix_rt::test]
async fn without_a_limit_nothing_is_counted() {
    let node = Node::start("memory://", 0).await;
    assert_eq!(node.rate.take("a").await, Ok(None));
    node.tree.stop().await;
}

#[actix_rt::test]
async fn nodes_on_one_store_share_a_window() {
    let redis = RedisServer::start();
    let first = Node::start(&redis.url(), 5).await;
    let second = Node::start(&redis.url(), 5).await;
    let first = first.linked(windows::Link::Shared).await;
    let second = second.linked(windows::Link::Shared).await;
    for left in [4, 3, 2] {
        assert_eq!(first.remaining("a").await, Some(left));
    }
    while first.rate.windows.has_news() {
        tokio::task::yield_now().await;
    }
    // the second has heard of it by its first request's end, or within the next
    let mut let_in = 0;
    while second.rate.take("a").await.is_ok() {
        let_in += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(let_in, 2);
    let mut more = 0;
    while first.rate.take("a").await.is_ok() {
        more += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(more <= 1, "the first hears with its next request: {more}");
    first.tree.stop().await;
    second.tree.stop().await;
}

#[actix_rt::test]
async fn a_frozen_store_is_waited_for_once_and_briefly() {
    let redis = RedisServer::start();
    let node = Node::start(&redis.url(), 1_000_000).await;
    let node = node.linked(windows::Link::Shared).await;
    redis.server().pause();
    let mut waits = Vec::new();
    for number in 0..200 {
        let began = Instant::now();
        node.rate.take(&format!("key-{number}")).await.unwrap();
        waits.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    redis.server().resume();
    waits.sort();
    // a busy machine adds to it; without the bound each would wait for the store's 250 ms
    assert!(waits[199] < KV_WAIT, "{:?}", waits[199]);
    let node = node.linked(windows::Link::Shared).await;
    node.tree.stop().await;
}

#[actix_rt::test]
async fn the_count_outlasts_a_fall_of_the_actor() {
    let redis = RedisServer::start();
    let node = Node::start(&redis.url(), 3).await;
    let node = node.linked(windows::Link::Shared).await;
    assert_eq!(node.remaining("a").await, Some(2));
    node.tree
        .disturb("accounts/rate", Disturbance::Panic)
        .await
        .unwrap();
    assert_eq!(node.remaining("a").await, Some(1));
    assert_eq!(node.remaining("a").await, Some(0));
    assert_eq!(node.remaining("a").await, None);
    node.tree.stop().await;
}
