use std::time::Duration;

use futures_util::future::join_all;

use super::super::tests::open_with;
use crate::{storage::testing::UpstashServer, supervision::Clock};

#[actix_rt::test]
async fn commands_that_wait_at_the_same_time_share_a_request() {
    let server = UpstashServer::start();
    let store = open_with(&server.url(), Clock::system());
    assert_eq!(store.set("a", vec![255], None).await, Ok(()));
    assert_eq!(server.batches(), [1]);
    let minute = Duration::from_secs(60);
    let (gets, counts) = futures_util::future::join(
        join_all((0..60).map(|_| store.get("a"))),
        join_all((0..60).map(|_| store.increment("a", 1, minute))),
    )
    .await;
    // one command's failure is no other's
    assert!(gets.iter().all(|got| *got == Ok(Some(vec![255]))));
    assert!(counts.iter().all(Result::is_err));
    let batches = server.batches();
    assert_eq!(batches.iter().sum::<usize>(), 121);
    assert!(batches.iter().all(|size| (1..=32).contains(size)));
    assert!(batches.len() <= 8, "{batches:?}");
}

#[actix_rt::test]
async fn a_request_is_no_longer_than_the_smallest_plan_allows() {
    let server = UpstashServer::start();
    let store = open_with(&server.url(), Clock::system());
    let keys: Vec<_> = (0..30).map(|number| number.to_string()).collect();
    let sets = keys
        .iter()
        .map(|key| store.set(key, vec![255; 64 << 10], None));
    assert!(join_all(sets).await.iter().all(Result::is_ok));
    let batches = server.batches();
    assert!(batches.iter().all(|size| *size <= 5), "{batches:?}");
}

#[actix_rt::test]
async fn what_was_written_is_read_from_replicas_that_lag() {
    let server = UpstashServer::start();
    server.lag();
    let store = open_with(&server.url(), Clock::system());
    for value in [vec![1], vec![2]] {
        assert_eq!(store.set("a", value.clone(), None).await, Ok(()));
        assert_eq!(store.get("a").await, Ok(Some(value)));
    }
    let other = open_with(&server.url(), Clock::system());
    assert_eq!(other.get("a").await, Ok(None), "without a sync token");
    assert_eq!(other.get("a").await, Ok(Some(vec![2])));
}
