//! Jobs that somebody waits for.

use std::time::Duration;

use super::hand::{Shop, new};
use crate::{
    accounts::testing::until, jobs::*, storage::testing::TestDatabase, supervision::Disturbance,
};

#[actix_rt::test]
async fn who_waits_is_told_of_attempts_and_of_the_end() {
    let config = JobsConfig {
        max_running: 1,
        ..JobsConfig::default()
    };
    let shop = Shop::open(TestDatabase::sqlite(), &config).await;
    shop.submit("hang").await;
    shop.hand.0.begun.notified().await;
    // there is no room for jobs that are in nobody's hurry
    let mut waiting = shop
        .jobs
        .begin(new("app", "ok"), waiting::Files::new(), ())
        .await
        .unwrap();
    let first = waiting.next().await;
    assert!(matches!(first, Some(News::Attempt { target, .. }) if target == "acme/m"));
    let Some(News::Ended(ended)) = waiting.next().await else {
        panic!("no end");
    };
    assert_eq!(ended.result.unwrap(), super::hand::made());
    assert!(waiting.next().await.is_none());
    let job = shop.get(waiting.id()).await;
    assert_eq!((job.state, job.attempts), (State::Completed, 1));
    assert_eq!(shop.charges().await.len(), 1);
    shop.world.tree.stop().await;
}

#[actix_rt::test]
async fn who_waits_is_told_of_a_failure_at_once_and_who_left_is_served_all_the_same() {
    let config = JobsConfig {
        retry_ms: 1,
        ..JobsConfig::default()
    };
    let shop = Shop::open(TestDatabase::sqlite(), &config).await;
    let mut waiting = shop
        .jobs
        .begin(new("app", "flaky"), waiting::Files::new(), ())
        .await
        .unwrap();
    while let Some(news) = waiting.next().await {
        if let News::Ended(ended) = news {
            assert_eq!(ended.result.unwrap_err().message, "so it goes");
        }
    }
    assert_eq!(shop.get(waiting.id()).await.state, State::Failed);
    a_job_that_was_left_is_done(&shop).await;
    shop.world.tree.stop().await;
}

#[actix_rt::test]
async fn what_falls_before_the_manager_hears_of_it_is_tried_again() {
    let config = JobsConfig {
        retry_ms: 1,
        ..JobsConfig::default()
    };
    let shop = Shop::open(TestDatabase::sqlite(), &config).await;
    let freeze = Disturbance::Freeze { ms: 500 };
    let frozen = shop.world.tree.disturb("jobs/manager", freeze);
    frozen.await.unwrap();
    a_job_that_was_left_is_done(&shop).await;
    shop.world.tree.stop().await;
}

/// A job whose first attempt fails when nobody waits for it any more is done at the second.
async fn a_job_that_was_left_is_done(shop: &Shop) {
    let left = shop
        .jobs
        .begin(new("app", "late"), waiting::Files::new(), ())
        .await
        .unwrap();
    shop.hand.0.begun.notified().await;
    let id = left.id().to_owned();
    drop(left);
    shop.hand.0.go.notify_one();
    until(async || {
        shop.world.hand.advance(Duration::from_secs(1));
        Some(shop.get(&id).await).filter(|job| job.state == State::Completed)
    })
    .await;
    assert_eq!(shop.hand.submitted(&id), 2);
}

#[actix_rt::test]
async fn a_job_that_is_waited_for_is_cancelled_as_any_other() {
    let shop = Shop::open(TestDatabase::sqlite(), &JobsConfig::default()).await;
    let mut waiting = shop
        .jobs
        .begin(new("app", "hang"), waiting::Files::new(), ())
        .await
        .unwrap();
    shop.hand.0.begun.notified().await;
    shop.jobs.cancel("app", waiting.id()).await.unwrap();
    while let Some(news) = waiting.next().await {
        if let News::Ended(ended) = news {
            assert_eq!(ended.result.unwrap_err().kind.to_string(), "cancelled");
        }
    }
    assert_eq!(shop.get(waiting.id()).await.state, State::Cancelled);
    until(async || (shop.jobs.counts().await == Ok(Counts::default())).then_some(())).await;
    shop.world.tree.stop().await;
}
