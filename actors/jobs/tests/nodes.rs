//! Two gateways on one database.

use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};

use super::hand::{Shop, order, row};
use crate::{
    accounts::testing::{World, until},
    jobs::*,
    storage::{
        queries::jobs::{JobRow, insert},
        testing::TestDatabase,
    },
};

const LEASE: Duration = Duration::from_secs(30);

async fn left_behind(owner: &str, leased_until: i64) -> World {
    let world = World::start(TestDatabase::postgres(), 1_000_000).await;
    let row = JobRow {
        state: "processing".to_owned(),
        attempts: 1,
        started_at: Some(1),
        draft: serde_json::to_string(&order("ok")).unwrap(),
        owner: Some(owner.to_owned()),
        leased_until: Some(leased_until),
        ..row()
    };
    let write = move |conn: &mut _| insert(conn, &row);
    world.database.write(write).await.unwrap();
    world
}

#[actix_rt::test]
async fn what_another_living_node_is_at_is_left_alone() {
    let world = left_behind("other", i64::MAX).await;
    let node = Node::among_others(LEASE);
    let shop = Shop::of(world, &JobsConfig::default(), node).await;
    let id = shop.submit("ok").await;
    shop.reaches(&id, State::Completed).await;
    let theirs = shop.get("job_a").await;
    assert_eq!((theirs.state, theirs.revision), (State::Processing, 0));
    assert_eq!(shop.hand.submitted("job_a"), 0);
    // and is not ended by who has no part in it
    let store = shop.jobs.store();
    let end = transition::End::Completed(Yield::default());
    assert_eq!(store.end("job_a", end).await, Ok(None));
    shop.world.tree.stop().await;
}

#[actix_rt::test]
async fn what_a_dead_node_was_at_is_taken_over() {
    let world = left_behind("other", 999_999).await;
    let node = Node::among_others(LEASE);
    let shop = Shop::of(world, &JobsConfig::default(), node).await;
    shop.reaches("job_a", State::Completed).await;
    let row = shop.row("job_a").await;
    assert_eq!((row.attempts, row.interruptions), (2, 1));
    assert_eq!(shop.hand.submitted("job_a"), 1);
    shop.world.tree.stop().await;
}

#[actix_rt::test]
async fn who_follows_a_job_hears_of_its_end_on_another_node() {
    let theirs = Node::among_others(LEASE);
    let world = left_behind(theirs.name(), i64::MAX).await;
    let node = Node::among_others(LEASE);
    let shop = Shop::of(world, &JobsConfig::default(), node).await;
    let events = shop.jobs.watch("app", "job_a", 0).await.unwrap().unwrap();
    let mut events = Box::pin(events);
    assert_eq!(events.next().await.unwrap().job.state, State::Processing);
    let other = store::Store {
        node: theirs,
        ..shop.jobs.store().clone()
    };
    let end = transition::End::Completed(Yield::default());
    assert!(other.end("job_a", end).await.unwrap().is_some());
    let last = until(async || {
        shop.world.hand.advance(Duration::from_secs(1));
        events.next().now_or_never().flatten()
    });
    assert_eq!(last.await.job.state, State::Completed);
    shop.world.tree.stop().await;
}

#[actix_rt::test]
async fn a_node_that_stops_lets_others_have_its_jobs() {
    let world = World::start(TestDatabase::postgres(), 1_000_000).await;
    let other = World::start(world.file.shared(), 1_000_000).await;
    let config = JobsConfig::default();
    let shop = Shop::of(world, &config, Node::among_others(LEASE)).await;
    let id = shop.submit("task").await;
    shop.hand.0.begun.notified().await;
    let held = until(async || Some(shop.row(&id).await).filter(|row| row.tickets.is_some()));
    assert!(held.await.leased_until.is_some());
    shop.world.tree.stop().await;
    let next = Shop::of(other, &config, Node::among_others(LEASE)).await;
    next.reaches(&id, State::Completed).await;
    assert_eq!(next.hand.submitted(&id), 0);
    next.world.tree.stop().await;
}

#[actix_rt::test]
async fn a_job_is_begun_by_one_of_two_nodes() {
    let world = World::start(TestDatabase::postgres(), 1_000_000).await;
    let config = JobsConfig::default();
    let shop = Shop::of(world, &config, Node::among_others(LEASE)).await;
    let stores = [(); 2].map(|()| store::Store {
        node: Node::among_others(LEASE),
        ..shop.jobs.store().clone()
    });
    let mut begun = Vec::new();
    for number in 0..20 {
        let row = JobRow {
            id: format!("job_{number}"),
            // finished from the manager's sight: nobody but the two looks at it
            draft: serde_json::to_string(&order("ok")).unwrap(),
            ..row()
        };
        let id = row.id.clone();
        let write = move |conn: &mut _| insert(conn, &row);
        shop.world.database.write(write).await.unwrap();
        let (one, other) = futures_util::join!(stores[0].begin(&id), stores[1].begin(&id));
        begun.push([one, other].into_iter().filter_map(Result::unwrap).count());
    }
    assert_eq!(begun, [1; 20]);
    shop.world.tree.stop().await;
}
