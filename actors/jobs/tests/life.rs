//! From submission to end: retries, cancels, limits.

use std::time::Duration;

use super::{
    hand::{Shop, made, new, order},
    on_both,
};
use crate::{
    accounts::testing::until,
    jobs::{policy::Full, *},
    storage::testing::TestDatabase,
};

#[actix_rt::test]
async fn a_job_is_done_and_seen_by_its_app_alone() {
    on_both(async |file| {
        let shop = Shop::open(file, &JobsConfig::default()).await;
        let id = shop.submit("ok").await;
        let job = shop.reaches(&id, State::Completed).await;
        assert_eq!((job.progress, job.attempts, job.output), (100, 1, made()));
        let cost = Cost {
            pictures: 1,
            micro_credits: 40_000,
        };
        assert_eq!(job.cost, Some(cost));
        let charges = shop.charges().await;
        assert_eq!(charges.len(), 1);
        let charge = (charges[0].job_id.as_str(), charges[0].micro_credits);
        assert_eq!(charge, (id.as_str(), 40_000));
        assert_eq!(job.order, Some(order("ok")));
        assert_eq!(shop.jobs.get("other", &id).await, Ok(None));
        assert_eq!(shop.jobs.cancel("other", &id).await, Ok(None));
        assert!(shop.jobs.watch("other", &id, 0).await.unwrap().is_none());
        let listed = shop.jobs.list(
            "app",
            Wish {
                limit: 9,
                ..Wish::default()
            },
        );
        assert_eq!(listed.await.unwrap().len(), 1);
        // final means final
        let again = shop.jobs.cancel("app", &id).await.unwrap().unwrap();
        assert_eq!(again.state, State::Completed);
        assert_eq!(shop.charges().await.len(), 1);
        shop.world.tree.stop().await;
    })
    .await;
}

#[actix_rt::test]
async fn what_passes_is_tried_again_and_a_refusal_is_final() {
    let config = JobsConfig {
        retry_ms: 1,
        ..JobsConfig::default()
    };
    let shop = Shop::open(TestDatabase::sqlite(), &config).await;
    let (flaky, cold, refused) = (
        shop.submit("flaky").await,
        shop.submit("cold").await,
        shop.submit("refused").await,
    );
    shop.reaches(&flaky, State::Retrying).await;
    let resting = until(async || Some(shop.get(&cold).await).filter(|job| job.revision == 2)).await;
    assert_eq!((resting.state, resting.attempts), (State::Pending, 0));
    // why they wait, and until when
    let code = |job: &Job| job.setback.as_ref().map(|setback| setback.code.clone());
    assert_eq!(code(&resting), Some("no_credential".to_owned()));
    assert!(resting.wake_at.is_some() && resting.error.is_none());
    let retrying = shop.get(&flaky).await;
    assert_eq!(code(&retrying), Some("upstream".to_owned()));
    let failed = shop.reaches(&refused, State::Failed).await;
    assert_eq!(failed.error.unwrap().kind, "content_policy");
    shop.world.hand.advance(Duration::from_secs(5));
    let done = shop.reaches(&flaky, State::Completed).await;
    assert_eq!(
        (done.attempts, &done.setback, done.wake_at),
        (2, &None, None)
    );
    assert_eq!(shop.reaches(&cold, State::Completed).await.attempts, 1);
    assert_eq!(shop.hand.submitted(&refused), 1);
    shop.world.tree.stop().await;
}

#[actix_rt::test]
async fn what_is_asked_for_in_vain_ends_and_is_not_drawn_again() {
    let shop = Shop::open(TestDatabase::sqlite(), &JobsConfig::default()).await;
    let id = shop.submit("lost").await;
    let failed = until(async || {
        shop.world.hand.advance(Duration::from_secs(1));
        Some(shop.get(&id).await).filter(|job| job.state == State::Failed)
    });
    assert_eq!(failed.await.attempts, 3);
    assert_eq!(shop.hand.submitted(&id), 1);
    shop.world.tree.stop().await;
}

#[actix_rt::test]
async fn a_job_is_cancelled_wherever_it_is_also_upstream() {
    let config = JobsConfig {
        max_running: 1,
        ..JobsConfig::default()
    };
    let shop = Shop::open(TestDatabase::sqlite(), &config).await;
    let runs = shop.submit("task").await;
    shop.hand.0.begun.notified().await;
    let waits = shop.submit("ok").await;
    assert_eq!(shop.get(&waits).await.position, Some(1));
    for id in [&waits, &runs] {
        let job = shop.jobs.cancel("app", id).await.unwrap().unwrap();
        assert_eq!(job.state, State::Cancelled);
    }
    let told = format!("{runs} 5");
    until(async || {
        shop.hand
            .0
            .cancelled
            .lock()
            .unwrap()
            .contains(&told)
            .then_some(())
    })
    .await;
    let next = shop.submit("ok").await;
    shop.reaches(&next, State::Completed).await;
    assert_eq!(shop.hand.submitted(&waits), 0);
    assert_eq!(shop.get(&runs).await.state, State::Cancelled);
    assert_eq!(shop.charges().await.len(), 1);
    shop.world.tree.stop().await;
}

#[actix_rt::test]
async fn the_fall_of_the_manager_leaves_workers_alone_and_begins_none_twice() {
    let shop = Shop::open(TestDatabase::sqlite(), &JobsConfig::default()).await;
    let hangs = shop.submit("hang").await;
    shop.hand.0.begun.notified().await;
    shop.world.panic("jobs/manager", shop.jobs.manager()).await;
    let after = shop.submit("ok").await;
    shop.reaches(&after, State::Completed).await;
    assert_eq!(shop.hand.submitted(&hangs), 1);
    // the end of the other is in the table before the manager hears of it
    let one = Counts {
        running: 1,
        queued: 0,
    };
    until(async || (shop.jobs.counts().await == Ok(one)).then_some(())).await;
    let job = shop.jobs.cancel("app", &hangs).await.unwrap().unwrap();
    assert_eq!(job.state, State::Cancelled);
    until(async || (shop.jobs.counts().await == Ok(Counts::default())).then_some(())).await;
    shop.world.tree.stop().await;
}

#[actix_rt::test]
async fn a_full_queue_refuses() {
    let config = JobsConfig {
        max_running: 1,
        max_queued_per_app: 1,
        ..JobsConfig::default()
    };
    let shop = Shop::open(TestDatabase::sqlite(), &config).await;
    shop.submit("hang").await;
    shop.hand.0.begun.notified().await;
    shop.submit("ok").await;
    let refused = shop.jobs.submit(new("app", "ok")).await.unwrap_err();
    assert_eq!(refused, JobError::Full(Full::App { limit: 1 }));
    shop.world.tree.stop().await;
}
