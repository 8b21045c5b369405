//! Upstreams are told that what they have taken is not wanted any more, also where nobody is at the job.

use super::{
    hand::{Shop, order, row},
    on_both,
};
use crate::{
    accounts::testing::{World, until},
    jobs::*,
    storage::{
        queries::jobs::{JobRow, insert},
        testing::TestDatabase,
    },
};

/// A job between two attempts, of which an upstream has a task.
async fn resting(file: TestDatabase, wake_at: i64) -> World {
    let world = World::start(file, 1_000_000).await;
    let row = JobRow {
        state: "retrying".to_owned(),
        attempts: 1,
        tickets: Some(r#"{"0":{"token":"t","ticket":{"id":5}}}"#.to_owned()),
        draft: serde_json::to_string(&order("task")).unwrap(),
        wake_at: Some(wake_at),
        ..row()
    };
    let write = move |conn: &mut _| insert(conn, &row);
    world.database.write(write).await.unwrap();
    world
}

async fn called_off(shop: &Shop, what: &str) {
    until(async || {
        let cancelled = shop.hand.0.cancelled.lock().unwrap();
        cancelled.contains(what).then_some(())
    })
    .await;
}

#[actix_rt::test]
async fn a_job_that_rests_is_cancelled_upstream_too() {
    on_both(async |file| {
        let shop = Shop::on(resting(file, i64::MAX).await, &JobsConfig::default()).await;
        let job = shop.jobs.cancel("app", "job_a").await.unwrap().unwrap();
        assert_eq!(job.state, State::Cancelled);
        called_off(&shop, "job_a 5").await;
        shop.world.tree.stop().await;
    })
    .await;
}

#[actix_rt::test]
async fn what_has_failed_for_good_is_called_off() {
    on_both(async |file| {
        let config = JobsConfig {
            max_attempts: 1,
            ..JobsConfig::default()
        };
        let shop = Shop::open(file, &config).await;
        let id = shop.submit("lost").await;
        shop.reaches(&id, State::Failed).await;
        called_off(&shop, &format!("{id} 6")).await;
        shop.world.tree.stop().await;
    })
    .await;
}

#[actix_rt::test]
async fn what_is_past_its_time_is_called_off() {
    let config = JobsConfig {
        max_hours: 0,
        ..JobsConfig::default()
    };
    let shop = Shop::on(resting(TestDatabase::sqlite(), 1).await, &config).await;
    let job = shop.reaches("job_a", State::Failed).await;
    assert_eq!(job.error.unwrap().kind, "timeout");
    called_off(&shop, "job_a 5").await;
    shop.world.tree.stop().await;
}

#[actix_rt::test]
async fn what_is_tried_again_is_not_called_off() {
    let shop = Shop::open(TestDatabase::sqlite(), &JobsConfig::default()).await;
    let id = shop.submit("lost").await;
    shop.reaches(&id, State::Retrying).await;
    shop.world.tree.stop().await;
    assert!(shop.hand.0.cancelled.lock().unwrap().is_empty());
}
