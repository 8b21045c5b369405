//! The pool as an actor, on real threads: waiting, coming back, and what is kept.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, join_all};
use tokio::sync::watch;
use troupe_protocol::failure::FailureKind;

use super::{
    day::OWN_DAY,
    handle::{Pool, PoolSetup},
    snapshot::{PoolSnapshot, TokenState},
    stored::{StateStore, StateWrite, StoredState},
};
use crate::{
    credentials::{
        config::PoolConfig,
        cooldown::ColdReason,
        lease::{Lease, LeaseError, Outcome, Terms, TokenIndex},
    },
    secrets::{KeyedHash, Secret},
    supervision::{Clock, Disturbance, RestartMetrics, SupervisionConfig, Tree},
};

/// A store in memory, which can be away.
struct MemoryStore {
    rows: Mutex<BTreeMap<(String, String), StoredState>>,
    away: bool,
    writes: watch::Sender<u32>,
}

impl MemoryStore {
    fn new(away: bool) -> Arc<Self> {
        Arc::new(Self {
            rows: Mutex::default(),
            away,
            writes: watch::Sender::new(0),
        })
    }

    fn rows(&self) -> Vec<StoredState> {
        self.rows.lock().unwrap().values().cloned().collect()
    }

    /// Waits for the next write after the `count`th.
    async fn written(&self, count: u32) {
        let mut writes = self.writes.subscribe();
        let written = writes.wait_for(|writes| *writes > count);
        let waited = tokio::time::timeout(Duration::from_secs(5), written).await;
        waited.expect("a write in time").unwrap();
    }
}

impl StateStore for MemoryStore {
    fn load(&self, _: &Arc<str>) -> BoxFuture<'static, Result<Vec<StoredState>, String>> {
        let rows = if self.away {
            Err("away".to_owned())
        } else {
            Ok(self.rows())
        };
        Box::pin(async move { rows })
    }

    fn save(&self, _: &Arc<str>, write: StateWrite) -> BoxFuture<'static, Result<(), String>> {
        if self.away {
            return Box::pin(async { Err("away".to_owned()) });
        }
        let mut rows = self.rows.lock().unwrap();
        for row in write.put {
            rows.insert((row.token_hash.clone(), row.model.clone()), row);
        }
        for key in write.delete {
            rows.remove(&key);
        }
        self.writes.send_modify(|writes| *writes += 1);
        Box::pin(async { Ok(()) })
    }
}

struct World {
    tree: Tree,
    pool: Pool,
    store: Arc<MemoryStore>,
    model: Arc<str>,
}

fn quick() -> PoolConfig {
    PoolConfig {
        max_wait_ms: 3_000,
        jitter: 0.0,
        ..PoolConfig::default()
    }
}

async fn world(tokens: usize, config: PoolConfig) -> World {
    world_on(MemoryStore::new(false), tokens, config).await
}

async fn world_on(store: Arc<MemoryStore>, tokens: usize, config: PoolConfig) -> World {
    let supervision = SupervisionConfig {
        backoff_min_ms: 1,
        backoff_max_ms: 5,
        ..SupervisionConfig::default()
    };
    let clock = Clock::system();
    let tree = Tree::plant(supervision, clock.clone(), RestartMetrics::default(), || {});
    let tokens = (0..tokens).map(|number| Secret::from(format!("sk-test-{number:08}")));
    let setup = PoolSetup {
        provider: "acme".into(),
        tokens: tokens.collect(),
        config,
        hasher: KeyedHash::new(&[3; 32], "token"),
        clock,
        store: store.clone(),
    };
    let pool = Pool::start(&tree, setup).await.unwrap();
    World {
        tree,
        pool,
        store,
        model: "m".into(),
    }
}

impl World {
    async fn lease(&self) -> Result<Lease, LeaseError> {
        self.pool.lease(&self.model, &[], Terms::default()).await
    }

    async fn attempt(&self, failure: FailureKind) {
        self.lease()
            .await
            .unwrap()
            .report(Outcome::Failure(failure));
    }

    async fn snapshot(&self) -> PoolSnapshot {
        self.pool.snapshot().await.unwrap()
    }

    /// Until `count` requests wait in the pool.
    async fn until_waiting(&self, count: usize) {
        let begun = Instant::now();
        while self.snapshot().await.waiting != count {
            assert!(begun.elapsed() < Duration::from_secs(5), "nobody waits");
            tokio::task::yield_now().await;
        }
    }
}

fn rate_limited(ms: u64) -> FailureKind {
    FailureKind::RateLimited {
        retry_after: Some(Duration::from_millis(ms)),
    }
}

#[actix_rt::test]
async fn who_can_go_elsewhere_does_not_wait() {
    let world = world(1, quick()).await;
    let lease = world.lease().await.unwrap();
    lease.report(Outcome::Failure(FailureKind::RateLimited {
        retry_after: Some(Duration::from_secs(2)),
    }));
    let terms = Terms {
        may_wait: false,
        ..Terms::default()
    };
    let refused = world.pool.lease(&world.model, &[], terms).await;
    let LeaseError::AllCold { retry_after, .. } = refused.unwrap_err() else {
        panic!("it does not say that all are cold");
    };
    assert!(retry_after > Duration::from_secs(1), "it did not wait");
    assert!(!world.pool.readiness(&world.model).is_ready());
    assert!(world.pool.readiness("other").is_ready());
    world.tree.stop().await;
}

#[actix_rt::test]
async fn leases_go_out_and_come_back_also_when_they_are_dropped() {
    let world = world(2, quick()).await;
    let first = world.lease().await.unwrap();
    let second = world.lease().await.unwrap();
    assert_eq!(&**first.alias(), "#1 …0000");
    assert_eq!(second.secret().unwrap().expose(), "sk-test-00000001");
    let out = |snapshot: PoolSnapshot| -> Vec<u32> {
        snapshot
            .tokens
            .iter()
            .map(|token| token.leases_out)
            .collect()
    };
    assert_eq!(out(world.snapshot().await), [1, 1]);
    first.report(Outcome::Success);
    drop(second);
    assert_eq!(out(world.snapshot().await), [0, 0]);
    world.tree.stop().await;
}

#[actix_rt::test]
async fn a_pool_without_tokens_lends_one_without_secret() {
    let world = world(0, quick()).await;
    let lease = world.lease().await.unwrap();
    assert!(lease.secret().is_none());
    assert_eq!(&**lease.alias(), "anonymous");
    world.tree.stop().await;
}

#[actix_rt::test]
async fn a_request_waits_for_the_first_thaw() {
    let world = world(2, quick()).await;
    world.attempt(rate_limited(900_000)).await;
    let begun = Instant::now();
    world.attempt(rate_limited(60)).await;
    let lease = world.lease().await.unwrap();
    assert_eq!(lease.token(), TokenIndex(1));
    assert!(begun.elapsed() >= Duration::from_millis(60));
    assert!(begun.elapsed() < Duration::from_secs(2));
    world.tree.stop().await;
}

#[actix_rt::test]
async fn nobody_waits_for_a_thaw_that_comes_too_late() {
    let world = world(1, quick()).await;
    world.attempt(rate_limited(90_000)).await;
    let begun = Instant::now();
    let refused = world.lease().await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(1));
    let LeaseError::AllCold {
        retry_after,
        reason,
    } = &refused
    else {
        panic!("{refused}");
    };
    assert_eq!(*reason, ColdReason::RateLimited);
    assert!(*retry_after <= Duration::from_secs(90) && *retry_after > Duration::from_secs(85));
    assert!(
        refused
            .to_string()
            .contains("(rate limited), try again in 90 s"),
        "{refused}"
    );
    world.tree.stop().await;
}

#[actix_rt::test]
async fn those_who_wait_are_served_in_turn() {
    let world = world(
        1,
        PoolConfig {
            per_token_concurrency: 1,
            ..quick()
        },
    )
    .await;
    let order = Mutex::new(Vec::new());
    let held = world.lease().await.unwrap();
    let wait = |number: usize| {
        let (world, order) = (&world, &order);
        async move {
            world.until_waiting(number).await;
            let lease = world.lease().await.unwrap();
            order.lock().unwrap().push(number);
            lease.report(Outcome::Success);
        }
    };
    let release = async {
        world.until_waiting(3).await;
        held.report(Outcome::Success);
    };
    futures_util::future::join(join_all((0..3).map(wait)), release).await;
    assert_eq!(*order.lock().unwrap(), [0, 1, 2]);
    world.tree.stop().await;
}

#[actix_rt::test]
async fn a_caller_that_leaves_takes_no_lease_with_it() {
    let world = world(
        1,
        PoolConfig {
            per_token_concurrency: 1,
            ..quick()
        },
    )
    .await;
    let held = world.lease().await.unwrap();
    tokio::select! {
        _ = world.lease() => panic!("lent twice"),
        () = world.until_waiting(1) => {}
    }
    world.until_waiting(0).await;
    held.report(Outcome::Success);
    assert_eq!(world.snapshot().await.tokens[0].leases_out, 0);
    assert!(world.lease().await.is_ok());
    world.tree.stop().await;
}

#[actix_rt::test]
async fn waiting_is_bounded_in_number_and_time() {
    let config = PoolConfig {
        per_token_concurrency: 1,
        max_waiting: 1,
        max_wait_ms: 800,
        ..quick()
    };
    let world = world(1, config).await;
    let _held = world.lease().await.unwrap();
    let second = async {
        world.until_waiting(1).await;
        world.lease().await
    };
    let (first, second) = futures_util::future::join(world.lease(), second).await;
    let busy = LeaseError::AllCold {
        retry_after: Duration::from_secs(1),
        reason: ColdReason::Busy,
    };
    assert_eq!(first.unwrap_err(), busy);
    assert!(matches!(
        second.unwrap_err(),
        LeaseError::TooManyWaiting { .. }
    ));
    world.tree.stop().await;
}

#[actix_rt::test]
async fn a_reset_by_hand_wakes_those_who_wait() {
    let world = world(1, quick()).await;
    world.attempt(rate_limited(2_900)).await;
    let begun = Instant::now();
    let reset = async {
        world.until_waiting(1).await;
        assert_eq!(world.pool.reset(None).await, Ok(true));
        assert_eq!(world.pool.reset(Some(TokenIndex(7))).await, Ok(false));
    };
    let (lease, ()) = futures_util::future::join(world.lease(), reset).await;
    assert!(lease.is_ok() && begun.elapsed() < Duration::from_secs(2));
    world.tree.stop().await;
}

#[actix_rt::test]
async fn cooldowns_and_refusals_survive_a_panic() {
    let world = world(2, quick()).await;
    world.attempt(rate_limited(90_000)).await;
    world.attempt(FailureKind::AuthInvalid).await;
    let waiter = world.pool.clone();
    let before = world
        .pool
        .lease(&"other".into(), &[], Terms::default())
        .await
        .unwrap();
    world.store.written(0).await;

    let path = "providers/acme/tokens";
    world.tree.disturb(path, Disturbance::Panic).await.unwrap();
    let begun = Instant::now();
    let after = loop {
        match waiter.snapshot().await {
            Ok(snapshot) => break snapshot,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(5), "{error}"),
        }
    };
    let states: Vec<_> = after.tokens.iter().map(|token| token.state).collect();
    assert_eq!(states, [TokenState::Ready, TokenState::Disabled]);
    assert!(
        after.tokens[0].models[0]
            .reason
            .starts_with("rate limited, thaws in ")
    );
    assert!(matches!(
        world.lease().await,
        Err(LeaseError::AllCold { .. })
    ));

    before.report(Outcome::Success);
    assert_eq!(world.snapshot().await.tokens[0].leases_out, 0);
    world.tree.stop().await;
}

#[actix_rt::test]
async fn those_who_wait_hear_of_a_fall() {
    let world = world(1, quick()).await;
    world.attempt(rate_limited(2_900)).await;
    let fall = async {
        world.until_waiting(1).await;
        let path = "providers/acme/tokens";
        world.tree.disturb(path, Disturbance::Panic).await.unwrap();
    };
    let (lease, ()) = futures_util::future::join(world.lease(), fall).await;
    assert!(matches!(lease, Err(LeaseError::Unavailable(_))));
    world.tree.stop().await;
}

#[actix_rt::test]
async fn an_ordered_stop_writes_what_is_left() {
    let world = world(1, quick()).await;
    world.attempt(rate_limited(90_000)).await;
    world.tree.stop().await;
    let rows = world.store.rows();
    let said: Vec<_> = rows.iter().map(|row| (&*row.model, &*row.reason)).collect();
    assert_eq!(said, [(OWN_DAY, "own_day"), ("m", "rate_limited")]);
    assert_eq!(rows[0].token_hash.len(), 64);
}

#[actix_rt::test]
async fn a_day_that_began_without_the_actor_is_stored() {
    let world = world(2, quick()).await;
    world.lease().await.unwrap().report(Outcome::Success);
    world.store.written(0).await;
    let rows = world.store.rows();
    assert_eq!(rows.len(), 1, "one of the two tokens was used");
    assert_eq!(&*rows[0].model, OWN_DAY);
    world.tree.stop().await;
}

#[actix_rt::test]
async fn a_store_that_is_away_stops_nobody() {
    let world = world_on(MemoryStore::new(true), 1, quick()).await;
    world.attempt(rate_limited(90_000)).await;
    assert!(matches!(
        world.lease().await,
        Err(LeaseError::AllCold { .. })
    ));
    assert!(
        world
            .pool
            .lease(&"other".into(), &[], Terms::default())
            .await
            .is_ok()
    );
    world.tree.stop().await;
}
