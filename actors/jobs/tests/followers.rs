//! Who follows a job.

use futures_util::StreamExt as _;

use super::hand::Shop;
use crate::{
    jobs::{events::EventKind, *},
    storage::testing::TestDatabase,
};

#[actix_rt::test]
async fn followers_hear_of_everything_once_and_can_come_back() {
    let config = JobsConfig {
        max_running: 1,
        ..JobsConfig::default()
    };
    let shop = Shop::open(TestDatabase::sqlite(), &config).await;
    let first = shop.submit("hang").await;
    shop.hand.0.begun.notified().await;
    let id = shop.submit("ok").await;
    let events = shop.jobs.watch("app", &id, 0).await.unwrap().unwrap();
    let mut events = Box::pin(events);
    let begin = events.next().await.unwrap();
    assert_eq!(
        (begin.kind, begin.job.state),
        (EventKind::Status, State::Pending)
    );
    shop.jobs.cancel("app", &first).await.unwrap();
    let rest: Vec<_> = events.collect().await;
    let last = rest.last().unwrap();
    assert_eq!(
        (last.kind, last.job.state),
        (EventKind::Status, State::Completed)
    );
    assert!(rest.iter().any(|event| event.kind == EventKind::Result(0)));
    assert!(rest.is_sorted_by(|one, next| one.number < next.number));
    let again = shop
        .jobs
        .watch("app", &id, last.number - 1)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again.collect::<Vec<_>>().await, std::slice::from_ref(last));
    shop.world.tree.stop().await;
}

#[actix_rt::test]
async fn a_part_is_told_while_others_are_drawn() {
    let shop = Shop::open(TestDatabase::sqlite(), &JobsConfig::default()).await;
    let id = shop.submit("halves").await;
    let events = shop.jobs.watch("app", &id, 0).await.unwrap().unwrap();
    let mut results = Box::pin(events.filter(|event| {
        let is_result = matches!(event.kind, EventKind::Result(_));
        std::future::ready(is_result)
    }));
    let first = results.next().await.unwrap();
    assert_eq!(
        (first.kind, first.job.state),
        (EventKind::Result(0), State::Processing)
    );
    assert_eq!(first.job.output.made(), 1);
    shop.jobs.cancel("app", &id).await.unwrap();
    assert_eq!(results.next().await, None);
    shop.world.tree.stop().await;
}

#[actix_rt::test]
async fn who_waits_hears_of_a_new_place() {
    let config = JobsConfig {
        max_running: 1,
        ..JobsConfig::default()
    };
    let shop = Shop::open(TestDatabase::sqlite(), &config).await;
    shop.submit("hang").await;
    shop.hand.0.begun.notified().await;
    let (first, second) = (shop.submit("ok").await, shop.submit("ok").await);
    let watch = async |after| {
        let events = shop.jobs.watch("app", &second, after).await;
        Box::pin(events.unwrap().unwrap())
    };
    let mut events = watch(0).await;
    let begin = events.next().await.unwrap();
    assert_eq!(begin.job.position, Some(2));
    shop.jobs.cancel("app", &first).await.unwrap();
    let moved = events.next().await.unwrap();
    assert_eq!(
        (moved.kind, moved.number, moved.job.position),
        (EventKind::Progress, begin.number, Some(1))
    );
    // who comes back hears of it too
    let again = watch(moved.number).await.next().await.unwrap();
    assert_eq!((again.number, again.job.position), (moved.number, Some(1)));
    shop.world.tree.stop().await;
}
