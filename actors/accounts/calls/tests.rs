//! The calls actor on a real database.

use std::{rc::Rc, time::Duration};

use diesel::connection::SimpleConnection as _;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::{
    accounts::{
        config::CallsConfig,
        keys::Principal,
        testing::{World, until},
    },
    storage::{
        Connection,
        queries::calls::{self, CallFilter},
        testing::{TestDatabase, call},
    },
    supervision::Handle,
};

const PATH: &str = "accounts/calls";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn config(batch: usize) -> CallsConfig {
    CallsConfig {
        flush_ms: 5,
        batch,
        retention_days: 2,
        ..CallsConfig::default()
    }
}

struct Office {
    world: World,
    _dir: TempDir,
    spool: Spool,
    actor: Handle<Calls>,
    log: CallLog,
}

impl Office {
    async fn start(database: TestDatabase, config: &CallsConfig) -> Self {
        let world = World::start(database, 10 * DAY.as_millis() as u64).await;
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(dir.path(), 1 << 20).unwrap();
        let spec = Calls::spec(config, &world.clock, &world.database, &spool);
        let actor = world.tree.start(spec).await.unwrap();
        Self {
            log: CallLog::new(actor.clone(), world.database.clone()),
            _dir: dir,
            world,
            spool,
            actor,
        }
    }

    async fn stored(&self) -> usize {
        let page = self
            .world
            .database
            .read(|conn| calls::list(conn, &CallFilter::default(), None, 1));
        page.await.unwrap().count as usize
    }
}

#[actix_rt::test]
async fn a_list_shows_what_was_finished_just_before() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres()] {
        // no pass begins by itself
        let slow = CallsConfig {
            flush_ms: 3_600_000,
            ..config(2)
        };
        let office = Office::start(database, &slow).await;
        let recorder = Rc::new(office.spool.recorder());
        for n in 1..=5_usize {
            let principal = Principal::sample("app", 1);
            let clock = &office.world.clock;
            CallGuard::begin(&recorder, clock, Uuid::now_v7(), &principal, "/v1/x").finish(
                Outcome::Ok,
                200,
                None,
            );
            let page = office
                .log
                .list(CallFilter::default(), None, 3)
                .await
                .unwrap();
            assert_eq!((page.count, page.list.len()), (n as i64, n.min(3)));
        }
        assert_eq!(office.spool.backlog_bytes(), 0);
        office.world.tree.stop().await;
    }
}

#[actix_rt::test]
async fn records_are_stored_by_themselves_and_once_though_the_actor_falls() {
    let office = Office::start(TestDatabase::sqlite(), &config(3)).await;
    let recorder = office.spool.recorder();
    for n in 0..20 {
        recorder.record(&call(&n.to_string(), 864_000_000)).unwrap();
        if n % 5 == 0 {
            office.world.panic(PATH, &office.actor).await;
        }
    }
    until(async || (office.spool.backlog_bytes() == 0).then_some(())).await;
    assert_eq!(office.stored().await, 20);
    office.world.tree.stop().await;
}

#[actix_rt::test]
async fn an_ordered_stop_empties_the_spool_first() {
    let slow = CallsConfig {
        flush_ms: 3_600_000,
        ..config(2)
    };
    let office = Office::start(TestDatabase::sqlite(), &slow).await;
    office.actor.ask(Flush).await.unwrap().unwrap();
    let recorder = office.spool.recorder();
    for n in 0..5 {
        recorder.record(&call(&n.to_string(), 864_000_000)).unwrap();
    }
    office.world.tree.stop().await;
    let page = calls::list(
        &mut office.world.file.connect(),
        &CallFilter::default(),
        None,
        9,
    );
    assert_eq!(page.unwrap().count, 5);
}

#[actix_rt::test]
async fn without_a_database_records_wait_and_the_bound_is_met() {
    let office = Office::start(TestDatabase::sqlite(), &config(100)).await;
    office.world.lose_storage().await;
    let recorder = office.spool.recorder();
    while !office.spool.full() {
        recorder.record(&call("a", 1)).unwrap();
    }
    let failed = office.actor.ask(Flush).await.unwrap().unwrap_err();
    assert!(matches!(failed, PassError::Storage(_)), "{failed}");
    // the first figure may have been a few records too high
    assert!(
        office.spool.backlog_bytes() > 1_000_000,
        "nothing is given up"
    );
    office.world.tree.stop().await;
}

#[actix_rt::test]
async fn a_locked_database_delays_records_and_loses_none() {
    let office = Office::start(TestDatabase::sqlite(), &config(3)).await;
    let Connection::Sqlite(mut other) = office.world.file.connect() else {
        panic!("not sqlite");
    };
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let recorder = office.spool.recorder();
    for n in 0..10 {
        recorder.record(&call(&n.to_string(), 864_000_000)).unwrap();
    }
    assert!(office.actor.ask(Flush).await.unwrap().is_err());
    assert!(office.spool.backlog_bytes() > 0);
    other.batch_execute("ROLLBACK").unwrap();
    until(async || {
        // past the pause after the failures
        office.world.hand.advance(Duration::from_secs(5));
        (office.spool.backlog_bytes() == 0).then_some(())
    })
    .await;
    assert_eq!(office.stored().await, 10);
    office.world.tree.stop().await;
}

#[actix_rt::test]
async fn a_record_that_the_database_never_takes_does_not_hold_up_the_others() {
    let office = Office::start(TestDatabase::postgres(), &config(100)).await;
    let recorder = office.spool.recorder();
    let mut poison = call("poison", 864_000_000);
    poison.model = "a\0b".to_owned();
    recorder.record(&poison).unwrap();
    let alone = office.actor.ask(Flush).await.unwrap();
    assert!(alone.is_err(), "alone it may be the database's fault");
    recorder.record(&call("good", 864_000_000)).unwrap();
    office.actor.ask(Flush).await.unwrap().unwrap();
    assert_eq!(
        (office.stored().await, office.spool.backlog_bytes()),
        (1, 0)
    );
    office.world.tree.stop().await;
}

#[actix_rt::test]
async fn old_records_are_removed_batch_by_batch() {
    let office = Office::start(TestDatabase::sqlite(), &config(2)).await;
    let day_ms = DAY.as_millis() as i64;
    let old = (0..5).map(|n| call(&format!("old{n}"), 7 * day_ms + n));
    let new = (0..3).map(|n| call(&format!("new{n}"), 9 * day_ms + n));
    let rows: Vec<_> = old.chain(new).collect();
    let insert = move |conn: &mut _| calls::insert(conn, &rows);
    office.world.database.write(insert).await.unwrap();
    until(async || {
        // past every pause between two looks
        office.world.hand.advance(Duration::from_secs(1));
        (office.stored().await == 3).then_some(())
    })
    .await;
    office.world.tree.stop().await;
}
