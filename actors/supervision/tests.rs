//! What the tree promises, each on real threads: a panic in a handler, a panic in a spawned future,
//! a stop, a failed start, a frozen actor, an arbiter that died, escalation, ordered stop.

mod endings;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use actix::{Message, ResponseFuture};

use super::{fall::FallKind, vitals::State, *};

/// Counts, and can be told to misbehave.
struct Counter {
    count: u32,
    fail_starts: Arc<AtomicU32>,
    stops: Arc<Mutex<Vec<&'static str>>>,
    name: &'static str,
}

impl Behaviour for Counter {
    fn started(&mut self, _: &mut Ctx<Self>) -> Result<(), StartError> {
        let left = self.fail_starts.load(SeqCst);
        if left > 0 {
            self.fail_starts.store(left - 1, SeqCst);
            return Err(StartError("no coffee".to_owned()));
        }
        Ok(())
    }

    fn stopped(&mut self) {
        self.stops.lock().unwrap().push(self.name);
    }
}

#[derive(Message)]
#[rtype(result = "u32")]
struct Add(u32);

impl Receive<Add> for Counter {
    type Reply = u32;

    fn receive(&mut self, Add(n): Add, _: &mut Ctx<Self>) -> u32 {
        self.count += n;
        self.count
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Never;

impl Receive<Never> for Counter {
    type Reply = ResponseFuture<()>;

    fn receive(&mut self, _: Never, _: &mut Ctx<Self>) -> Self::Reply {
        Box::pin(std::future::pending())
    }
}

struct World {
    tree: Tree,
    fail_starts: Arc<AtomicU32>,
    stops: Arc<Mutex<Vec<&'static str>>>,
    gave_up: Arc<AtomicBool>,
    metrics: RestartMetrics,
}

fn world(config: SupervisionConfig) -> World {
    let gave_up = Arc::new(AtomicBool::new(false));
    let flag = gave_up.clone();
    let metrics = RestartMetrics::default();
    fall::install_panic_hook();
    World {
        tree: Tree::plant(config, Clock::system(), metrics.clone(), move || {
            flag.store(true, SeqCst);
        }),
        metrics,
        fail_starts: Arc::default(),
        stops: Arc::default(),
        gave_up,
    }
}

fn quick() -> SupervisionConfig {
    SupervisionConfig {
        backoff_min_ms: 1,
        backoff_max_ms: 5,
        ask_timeout_ms: 500,
        ..SupervisionConfig::default()
    }
}

impl World {
    fn spec(&self, path: &'static str, arbiter: &'static str) -> ChildSpec<Counter> {
        let (fail_starts, stops) = (self.fail_starts.clone(), self.stops.clone());
        ChildSpec::new(path, arbiter, move || {
            Ok(Counter {
                count: 0,
                fail_starts: fail_starts.clone(),
                stops: stops.clone(),
                name: path,
            })
        })
    }

    async fn gives_up(&self) {
        while !self.gave_up.load(SeqCst) {
            tokio::task::yield_now().await;
        }
    }

    async fn counter(&self, path: &'static str) -> Handle<Counter> {
        self.tree.start(self.spec(path, path)).await.unwrap()
    }
}

/// Asks until an answer comes; fails after five seconds.
async fn answer(handle: &Handle<Counter>) -> u32 {
    let begun = Instant::now();
    loop {
        match handle.ask(Add(0)).await {
            Ok(count) => return count,
            Err(error) if begun.elapsed() > Duration::from_secs(5) => panic!("no answer: {error}"),
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

async fn restarted_after(disturbance: Disturbance, kind: FallKind) -> Arc<Fall> {
    let world = world(quick());
    let counter = world.counter("group/one").await;
    let sibling = world.counter("group/two").await;
    assert_eq!(counter.ask(Add(3)).await, Ok(3));
    assert_eq!(sibling.ask(Add(1)).await, Ok(1));
    let mut newest = world.tree.newest_event();
    world.tree.disturb("group/one", disturbance).await.unwrap();
    newest.changed().await.unwrap();
    assert_eq!(answer(&counter).await, 0, "state is built anew");
    assert_eq!(sibling.ask(Add(1)).await, Ok(2), "siblings keep theirs");
    let events = world.tree.events_after(0, 10).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!((&*events[0].path, events[0].fall.kind), ("group/one", kind));
    assert_eq!(counter.vitals().restarts(), 1);
    // an answer may overtake the note that it is up
    while counter.vitals().state() != State::Up {
        tokio::task::yield_now().await;
    }
    world.tree.stop().await;
    counter.vitals().last_fall().unwrap()
}

#[actix_rt::test]
async fn a_panic_in_a_handler_restarts_the_actor() {
    let fall = restarted_after(Disturbance::Panic, FallKind::Panic).await;
    assert_eq!(fall.message, "injected panic in a handler");
    assert!(fall.place.contains("cell.rs:"), "{}", fall.place);
}

#[actix_rt::test]
async fn a_panic_in_a_spawned_future_restarts_the_actor() {
    let fall = restarted_after(Disturbance::PanicInFuture, FallKind::Panic).await;
    assert_eq!(fall.message, "injected panic in a spawned future");
}

#[actix_rt::test]
async fn a_stop_nobody_asked_for_restarts_the_actor() {
    restarted_after(Disturbance::Stop, FallKind::Stop).await;
}

#[actix_rt::test]
async fn a_restart_by_hand() {
    restarted_after(Disturbance::Restart, FallKind::ByHand).await;
}

#[actix_rt::test]
async fn a_dead_arbiter_is_replaced_and_the_handle_stays_valid() {
    restarted_after(Disturbance::KillArbiter, FallKind::ArbiterDied).await;
}

#[actix_rt::test]
async fn a_failed_start_is_tried_again() {
    let world = world(quick());
    world.fail_starts.store(2, SeqCst);
    let counter = world.counter("solo").await;
    assert_eq!(counter.ask(Add(1)).await, Ok(1));
    let events = world.tree.events_after(0, 10).await.unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].fall.kind, FallKind::FailedStart);
    assert_eq!(events[0].fall.message, "no coffee");
}

#[actix_rt::test]
async fn a_build_that_fails_or_panics_is_tried_again() {
    let world = world(quick());
    let tries = Arc::new(AtomicU32::new(0));
    let spec = world.spec("solo", "solo");
    let (count, build) = (tries.clone(), spec.build.clone());
    let spec = ChildSpec::new("solo", "solo", move || match count.fetch_add(1, SeqCst) {
        0 => Err(StartError("not yet".to_owned())),
        1 => panic!("not like this"),
        _ => build(),
    });
    let counter = world.tree.start(spec).await.unwrap();
    assert_eq!(counter.ask(Add(1)).await, Ok(1));
    assert_eq!(tries.load(SeqCst), 3);
    assert_eq!(counter.vitals().restarts(), 2);
}

#[actix_rt::test]
async fn a_frozen_actor_is_reported_and_replaced() {
    let world = world(SupervisionConfig {
        freeze_seconds: 0,
        ..quick()
    });
    let counter = world.counter("frozen").await;
    let mut newest = world.tree.newest_event();
    let freeze = Disturbance::Freeze { ms: 1_500 };
    world.tree.disturb("frozen", freeze).await.unwrap();
    newest.changed().await.unwrap();
    let begun = Instant::now();
    answer(&counter).await;
    assert!(
        begun.elapsed() < Duration::from_millis(1_000),
        "served by another thread"
    );
    let events = world.tree.events_after(0, 1).await.unwrap();
    assert_eq!(events[0].fall.kind, FallKind::Frozen);
}

#[actix_rt::test]
async fn messages_behind_the_bad_one_are_delivered_after_the_restart() {
    let world = world(quick());
    let counter = world.counter("solo").await;
    world
        .tree
        .disturb("solo", Disturbance::Panic)
        .await
        .unwrap();
    let asked: Vec<_> = (0..10).map(|_| counter.ask(Add(1))).collect();
    let answers = futures_util::future::join_all(asked).await;
    assert_eq!(answers.last(), Some(&Ok(10)), "{answers:?}");
}

#[actix_rt::test]
async fn a_call_waits_no_longer_than_its_time_out() {
    let world = world(SupervisionConfig {
        ask_timeout_ms: 20,
        ..quick()
    });
    let counter = world.counter("solo").await;
    let path: Arc<str> = "solo".into();
    assert_eq!(counter.ask(Never).await, Err(AskError::Timeout { path }));
}

#[actix_rt::test]
async fn a_full_mailbox_refuses_at_once() {
    let world = world(SupervisionConfig {
        mailbox_limit: 2,
        ..quick()
    });
    let counter = world.counter("solo").await;
    world
        .tree
        .disturb("solo", Disturbance::Freeze { ms: 100 })
        .await
        .unwrap();
    let waiting: Vec<_> = (0..2).map(|_| counter.tell(Add(1))).collect();
    assert_eq!(waiting, [Ok(()), Ok(())]);
    let path: Arc<str> = "solo".into();
    assert_eq!(
        counter.ask(Add(1)).await,
        Err(AskError::Overloaded { path })
    );
    assert_eq!(counter.tell(Add(1)), Ok(()), "a report is never refused");
}

#[actix_rt::test]
async fn too_many_falls_restart_the_group_and_then_end_the_process() {
    let world = world(SupervisionConfig {
        intensity: 2,
        group_intensity: 2,
        ..quick()
    });
    let bad = world.counter("group/bad").await;
    let good = world.counter("group/good").await;
    good.ask(Add(5)).await.unwrap();
    let mut checked = false;
    while !world.gave_up.load(SeqCst) {
        if bad.vitals().state() == State::Up {
            // an error means that it went down just now
            let _ = world.tree.disturb("group/bad", Disturbance::Panic).await;
        }
        if group_falls(&world).await == 1 && !checked {
            checked = true;
            answer(&bad).await;
            let begun_anew = async { while answer(&good).await != 0 {} };
            actix_rt::time::timeout(Duration::from_secs(5), begun_anew)
                .await
                .expect("the sibling is restarted with the group");
        }
    }
    // three times: two restarts of the group and one escalation; twice restarted by the root
    assert_eq!(group_falls(&world).await, 9);
}

async fn group_falls(world: &World) -> usize {
    let events = world.tree.events_after(0, 1_000).await.unwrap();
    events
        .iter()
        .filter(|event| &*event.path == "group")
        .count()
}

#[actix_rt::test]
async fn an_ordered_stop_goes_backwards() {
    let world = world(quick());
    for path in ["a/first", "a/second", "b/third"] {
        world.counter(path).await;
    }
    world.tree.stop().await;
    assert_eq!(
        *world.stops.lock().unwrap(),
        ["b/third", "a/second", "a/first"]
    );
    let snapshot = world.tree.snapshot().await.unwrap();
    let stopped = |node: &&snapshot::NodeSnapshot| node.state == State::Stopped;
    assert_eq!(snapshot.nodes.iter().filter(stopped).count(), 3);
}

#[actix_rt::test]
async fn a_child_that_never_starts_is_named_with_its_reason() {
    let world = world(quick());
    world.fail_starts.store(u32::MAX, SeqCst);
    let spec = world
        .spec("solo", "solo")
        .start_wait(Duration::from_millis(50));
    let error = world.tree.start(spec).await.unwrap_err();
    assert_eq!(error.to_string(), "solo did not start in time: no coffee");
}

#[actix_rt::test]
async fn the_snapshot_shows_groups_actors_and_counts() {
    let world = world(quick());
    let counter = world.counter("group/one").await;
    counter.ask(Add(1)).await.unwrap();
    let snapshot = world.tree.snapshot().await.unwrap();
    let paths: Vec<&str> = snapshot.nodes.iter().map(|node| &*node.path).collect();
    assert_eq!(paths, ["group", "group/one"]);
    assert_eq!(
        (snapshot.nodes[1].handled, snapshot.nodes[1].mailbox),
        (1, 0)
    );
}
