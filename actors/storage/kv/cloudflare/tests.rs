use std::{rc::Rc, sync::Arc, time::Duration};

use super::{
    super::{
        Backend,
        tests::{open_with, refused, unavailable},
    },
    overlay::PACE,
    *,
};
use crate::{
    storage::testing::{CloudflareServer, cloudflare::refusal},
    supervision::clock::ManualClock,
};

const SECOND: Duration = Duration::from_secs(1);
const NOW: u64 = 1_763_735_550_123;

/// A namespace under a clock that stands, and a node that uses it.
struct Stage {
    server: CloudflareServer,
    hand: Arc<ManualClock>,
    clock: Clock,
    store: Rc<dyn Backend>,
}

impl Stage {
    fn with_lag(lag: Duration) -> Self {
        let (clock, hand) = Clock::manual(NOW);
        let server = CloudflareServer::start(clock.clone(), lag);
        let store = open_with(&server.url(), clock.clone());
        Self {
            server,
            hand,
            clock,
            store,
        }
    }

    fn new() -> Self {
        Self::with_lag(Duration::ZERO)
    }

    /// Another node.
    fn other(&self) -> Rc<dyn Backend> {
        open_with(&self.server.url(), self.clock.clone())
    }

    async fn set(&self, value: u8, ttl: Option<Duration>) {
        assert_eq!(self.store.set("a", vec![value], ttl).await, Ok(()));
    }

    async fn tend_after(&self, wait: Duration) -> Vec<String> {
        self.hand.advance(wait);
        assert_eq!(self.store.tend().await, Ok(()));
        self.server.writes()
    }
}

#[actix_rt::test]
async fn of_many_writes_the_last_is_sent_once_a_second() {
    let stage = Stage::new();
    for value in 0..5 {
        stage.set(value, None).await;
    }
    assert_eq!(stage.store.get("a").await, Ok(Some(vec![4])));
    assert_eq!(stage.server.requests(), 0, "answered at once");
    assert_eq!(stage.tend_after(Duration::ZERO).await, ["PUT a"]);
    stage.set(5, None).await;
    stage.set(6, None).await;
    assert_eq!(stage.tend_after(SECOND).await.len(), 1);
    assert_eq!(stage.server.requests(), 1, "too soon to be tried");
    assert_eq!(stage.tend_after(PACE - SECOND).await, ["PUT a", "PUT a"]);
    assert_eq!(stage.other().get("a").await, Ok(Some(vec![6])));
    assert_eq!(stage.tend_after(SECOND * 200).await.len(), 2);
}

#[actix_rt::test]
async fn nothing_is_read_after_its_time_though_cloudflare_keeps_it_for_longer() {
    let stage = Stage::new();
    stage.set(1, Some(SECOND * 10)).await;
    assert_eq!(
        stage.tend_after(Duration::ZERO).await,
        ["PUT a expiration_ttl=60"]
    );
    let other = stage.other();
    assert_eq!(other.get("a").await, Ok(Some(vec![1])));
    stage.hand.advance(SECOND * 10);
    assert_eq!(stage.store.get("a").await, Ok(None));
    assert_eq!(other.get("a").await, Ok(None));
    assert_eq!(other.delete("a").await, Ok(false));
    stage.set(2, Some(SECOND * 90)).await;
    assert_eq!(
        stage.tend_after(SECOND).await.last().unwrap(),
        "PUT a expiration_ttl=89"
    );
}

#[actix_rt::test]
async fn what_is_over_before_it_was_sent_removes_what_was_there() {
    let stage = Stage::new();
    stage.set(1, None).await;
    stage.tend_after(Duration::ZERO).await;
    stage.set(2, Some(SECOND / 2)).await;
    assert_eq!(stage.tend_after(PACE).await, ["PUT a", "DELETE a"]);
    assert_eq!(stage.other().get("a").await, Ok(None));
}

#[actix_rt::test]
async fn a_node_never_reads_behind_its_own_writes() {
    let stage = Stage::with_lag(SECOND * 60);
    let other = stage.other();
    stage.set(1, None).await;
    stage.tend_after(Duration::ZERO).await;
    stage.tend_after(SECOND * 300).await;
    assert_eq!(other.get("a").await, Ok(Some(vec![1])));
    stage.set(2, None).await;
    stage.tend_after(Duration::ZERO).await;
    stage.tend_after(SECOND * 59).await;
    assert_eq!(other.get("a").await, Ok(Some(vec![1])), "not there yet");
    assert_eq!(stage.store.get("a").await, Ok(Some(vec![2])));
    assert_eq!(stage.store.delete("a").await, Ok(true));
    stage.tend_after(SECOND).await;
    assert_eq!(other.get("a").await, Ok(Some(vec![2])));
    assert_eq!(stage.store.get("a").await, Ok(None), "removed here");
    stage.tend_after(SECOND * 61).await;
    assert_eq!(other.get("a").await, Ok(None));
}

#[actix_rt::test]
async fn writes_that_are_not_taken_are_sent_again_when_cloudflare_wants_them() {
    let stage = Stage::new();
    let limited = refusal(429, 971, "please wait").with("retry-after", "7");
    let failures = [(limited, 7), (refusal(503, 0, "down"), 1)];
    for (failure, seconds) in failures {
        let before = stage.server.writes().len();
        stage.set(1, None).await;
        stage.server.fail(Some(failure));
        stage.tend_after(SECOND * 2).await;
        let tries = stage.server.requests();
        stage.server.fail(None);
        stage.tend_after(SECOND * seconds - SECOND / 10).await;
        assert_eq!(stage.server.requests(), tries, "within the pause");
        assert_eq!(stage.store.get("a").await, Ok(Some(vec![1])));
        let writes = stage.tend_after(SECOND).await;
        assert_eq!(writes.len(), before + 1, "{seconds}");
    }
}

#[actix_rt::test]
async fn another_nodes_write_within_the_second_is_waited_for() {
    let stage = Stage::new();
    let other = stage.other();
    assert_eq!(other.set("a", vec![9], None).await, Ok(()));
    assert_eq!(other.tend().await, Ok(()));
    stage.set(1, None).await;
    assert_eq!(stage.tend_after(SECOND / 2).await.len(), 1);
    assert_eq!(stage.tend_after(PACE).await.len(), 2);
    assert_eq!(stage.other().get("a").await, Ok(Some(vec![1])));
}

#[actix_rt::test]
async fn a_write_that_cloudflare_will_never_take_is_given_up() {
    let stage = Stage::new();
    stage.server.fail(Some(refusal(400, 10_033, "no")));
    stage.set(1, None).await;
    stage.tend_after(Duration::ZERO).await;
    stage.server.fail(None);
    assert!(stage.tend_after(SECOND * 5).await.is_empty());
    assert_eq!(stage.store.get("a").await, Ok(None));
    refused(stage.store.set(&"k".repeat(513), vec![1], None).await);
    refused(stage.store.get("..").await);
}

#[actix_rt::test]
async fn only_so_many_writes_may_wait() {
    let stage = Stage::new();
    for number in 0..BOUNDS.keys {
        let key = number.to_string();
        assert_eq!(stage.store.set(&key, vec![1], None).await, Ok(()));
    }
    unavailable(stage.store.set("one more", vec![1], None).await);
    unavailable(stage.store.delete("one more").await);
    assert_eq!(stage.store.set("0", vec![2], None).await, Ok(()));
}

#[actix_rt::test]
async fn a_value_of_somebody_else_is_not_taken_for_ours() {
    let stage = Stage::new();
    stage
        .server
        .fail(Some(crate::storage::testing::http::Reply {
            status: 200,
            headers: Vec::new(),
            body: b"hello".to_vec(),
        }));
    let text = refused(stage.store.get("a").await);
    assert!(text.contains("not stored by troupe"), "{text}");
}

#[actix_rt::test]
async fn before_a_stop_all_is_sent_each_key_at_its_pace() {
    let server = CloudflareServer::start(Clock::system(), Duration::ZERO);
    let store = open_with(&server.url(), Clock::system());
    assert_eq!(store.set("a", vec![1], None).await, Ok(()));
    assert_eq!(store.tend().await, Ok(()));
    assert_eq!(store.set("a", vec![2], None).await, Ok(()));
    assert_eq!(store.delete("b").await, Ok(false));
    assert_eq!(store.flush().await, Ok(()));
    assert_eq!(server.writes(), ["PUT a", "DELETE b", "PUT a"]);
}
