//! What a killed process leaves behind.

use super::{
    hand::{Shop, order, row},
    on_both,
};
use crate::{
    accounts::testing::World,
    jobs::*,
    storage::{
        queries::jobs::{JobRow, insert},
        testing::TestDatabase,
    },
};

/// As a killed process leaves them: begun, without and with a ticket, and never begun.
async fn left_behind(world: &World) {
    let rows = [
        ("job_a", "ok", None),
        (
            "job_b",
            "task",
            Some(r#"{"0":{"token":"t","ticket":{"id":5}}}"#),
        ),
    ];
    for (id, prompt, tickets) in rows {
        let row = JobRow {
            id: id.to_owned(),
            state: "processing".to_owned(),
            attempts: 1,
            started_at: Some(1),
            tickets: tickets.map(str::to_owned),
            draft: serde_json::to_string(&order(prompt)).unwrap(),
            ..row()
        };
        let write = move |conn: &mut _| insert(conn, &row);
        world.database.write(write).await.unwrap();
    }
    let row = JobRow {
        id: "job_c".to_owned(),
        draft: serde_json::to_string(&order("ok")).unwrap(),
        ..row()
    };
    let write = move |conn: &mut _| insert(conn, &row);
    world.database.write(write).await.unwrap();
}

#[actix_rt::test]
async fn after_a_kill_tickets_are_asked_for_and_the_rest_is_done() {
    on_both(async |file| {
        let world = World::start(file, 1_000_000).await;
        left_behind(&world).await;
        let shop = Shop::on(world, &JobsConfig::default()).await;
        for id in ["job_a", "job_b", "job_c"] {
            shop.reaches(id, State::Completed).await;
        }
        // asked for with the token that took it, and not submitted again
        assert_eq!(shop.hand.submitted("job_b"), 0);
        let resumed = shop.hand.0.resumed.lock().unwrap().clone();
        assert_eq!((resumed.len(), resumed[0].token.as_str()), (1, "t"));
        let (interrupted, fresh) = (shop.row("job_a").await, shop.row("job_c").await);
        assert_eq!((interrupted.attempts, interrupted.interruptions), (2, 1));
        assert_eq!((fresh.attempts, fresh.interruptions), (1, 0));
        shop.world.tree.stop().await;
    })
    .await;
}

#[actix_rt::test]
async fn what_was_perhaps_drawn_fails_where_it_may_not_be_drawn_again() {
    let world = World::start(TestDatabase::sqlite(), 1_000_000).await;
    left_behind(&world).await;
    let config = JobsConfig {
        retry_interrupted: false,
        ..JobsConfig::default()
    };
    let shop = Shop::on(world, &config).await;
    let job = shop.reaches("job_a", State::Failed).await;
    assert_eq!(job.error.unwrap().kind, "interrupted");
    shop.reaches("job_b", State::Completed).await;
    assert_eq!(shop.hand.submitted("job_a"), 0);
    shop.world.tree.stop().await;
}

#[actix_rt::test]
async fn parts_that_were_done_are_not_drawn_again_nor_lost() {
    let done = |revision: u32| {
        let part = job::Part {
            revision,
            output: super::hand::made(),
        };
        serde_json::to_string(&job::Parts::from([(0, part)])).unwrap()
    };
    for (again, results) in [(true, 2), (false, 2)] {
        let world = World::start(TestDatabase::sqlite(), 1_000_000).await;
        let row = JobRow {
            state: "processing".to_owned(),
            attempts: 1,
            started_at: Some(1),
            price: 5,
            made: Some(done(1)),
            draft: serde_json::to_string(&order("halves")).unwrap(),
            ..row()
        };
        let write = move |conn: &mut _| insert(conn, &row);
        world.database.write(write).await.unwrap();
        let config = JobsConfig {
            retry_interrupted: again,
            ..JobsConfig::default()
        };
        let shop = Shop::on(world, &config).await;
        let job = shop.reaches("job_a", State::Completed).await;
        assert_eq!(job.output.results.len(), results);
        // the second was drawn now, or is said to have been interrupted
        let pictures = if again { 2 } else { 1 };
        assert_eq!(job.output.made(), pictures);
        let charges = shop.charges().await;
        assert_eq!(
            (charges.len(), charges[0].micro_credits),
            (1, 5 * pictures as i64)
        );
        shop.world.tree.stop().await;
    }
}
