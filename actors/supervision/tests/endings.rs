//! Actors that never come up, threads that hang, a supervisor that falls: what ends the process, and what must not.

use super::*;

/// A spec whose actor never comes up.
fn hopeless(path: &'static str) -> ChildSpec<Counter> {
    let build = || Err(StartError("no coffee at all".to_owned()));
    ChildSpec::new(path, path, build).start_wait(Duration::from_millis(20))
}

#[actix_rt::test]
async fn a_child_that_never_comes_up_ends_the_process() {
    let world = world(SupervisionConfig {
        intensity: 2,
        group_intensity: 1,
        ..quick()
    });
    let good = world.counter("group/good").await;
    assert!(world.tree.start(hopeless("group/bad")).await.is_err());
    let late = world.counter("group/late").await;
    let gives_up = actix_rt::time::timeout(Duration::from_secs(5), world.gives_up());
    gives_up.await.expect("it gives up");
    answer(&good).await;
    // it starts after the one that does not come up, and is not held up by it
    answer(&late).await;
}

#[actix_rt::test]
async fn a_contained_child_that_never_comes_up_leaves_the_rest_alone() {
    let world = world(SupervisionConfig {
        intensity: 1,
        group_intensity: 1,
        ..quick()
    });
    let other = world.counter("group/other/actor").await;
    other.ask(Add(7)).await.unwrap();
    let spec = hopeless("group/bad/actor").contained();
    assert!(world.tree.start(spec).await.is_err());
    let falls = |events: Vec<RestartEvent>, path: &str| {
        events.iter().filter(|event| &*event.path == path).count()
    };
    let mut newest = world.tree.newest_event();
    loop {
        let events = world.tree.events_after(0, 1_000).await.unwrap();
        if falls(events, "group/bad") > 5 {
            break;
        }
        newest.changed().await.unwrap();
    }
    let events = world.tree.events_after(0, 1_000).await.unwrap();
    assert_eq!(falls(events, "group"), 0);
    assert!(!world.gave_up.load(SeqCst));
    assert_eq!(answer(&other).await, 7);
}

#[actix_rt::test]
async fn an_actor_that_is_down_is_started_by_hand() {
    // the first fall escalates, and the group waits for longer than this test
    let world = world(SupervisionConfig {
        intensity: 0,
        backoff_min_ms: 60_000,
        backoff_max_ms: 60_000,
        ..quick()
    });
    let counter = world.counter("group/one").await;
    let path = "group/one";
    let mut fault = Ok(());
    while fault.is_ok() {
        fault = world.tree.disturb(path, Disturbance::Panic).await;
    }
    let down = TreeError::Down {
        path: path.to_owned(),
    };
    assert_eq!(fault, Err(down));
    assert!(counter.ask(Add(1)).await.is_err());
    let by_hand = world.tree.disturb(path, Disturbance::Restart).await;
    assert_eq!(by_hand, Ok(()));
    assert_eq!(answer(&counter).await, 0);
}

/// Blocks its thread in its first build, until told otherwise.
fn blocking(world: &World) -> (ChildSpec<Counter>, std::sync::mpsc::Sender<()>) {
    let (release, released) = std::sync::mpsc::channel();
    let released = Mutex::new(Some(released));
    let build = world.spec("slow", "slow").build;
    let spec = ChildSpec::new("slow", "slow", move || {
        let first = released.lock().unwrap().take();
        if let Some(released) = first {
            // an error means that the test is over
            let _ = released.recv();
        }
        build()
    });
    (spec.start_wait(Duration::from_millis(100)), release)
}

#[actix_rt::test]
async fn a_start_that_blocks_its_thread_is_given_up_and_counted() {
    let world = world(SupervisionConfig {
        freeze_seconds: 1,
        ..quick()
    });
    let (spec, release) = blocking(&world);
    let mut newest = world.tree.newest_event();
    assert!(world.tree.start(spec).await.is_err());
    newest.changed().await.unwrap();
    let events = world.tree.events_after(0, 10).await.unwrap();
    assert_eq!(events[0].fall.kind, FallKind::Frozen);
    let up = |tree: TreeSnapshot| tree.nodes.iter().any(|node| node.state == State::Up);
    let up_again = async { while !up(world.tree.snapshot().await.unwrap()) {} };
    let up_again = actix_rt::time::timeout(Duration::from_secs(5), up_again);
    up_again.await.expect("another thread started it");
    assert_eq!(world.metrics.frozen_threads().get(), 1);
    release.send(()).unwrap();
    let ended = async {
        while world.metrics.frozen_threads().get() > 0 {
            tokio::task::yield_now().await;
        }
    };
    let ended = actix_rt::time::timeout(Duration::from_secs(5), ended);
    ended.await.expect("the thread ends when it can");
}

#[actix_rt::test]
async fn more_hanging_threads_than_can_be_borne_end_the_process() {
    let world = world(SupervisionConfig {
        freeze_seconds: 0,
        ..quick()
    });
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Mutex::new(released);
    let spec = ChildSpec::new("stuck", "stuck", move || {
        // an error means that the test is over
        let _ = released.lock().unwrap().recv();
        Err(StartError("too late".to_owned()))
    });
    let spec: ChildSpec<Counter> = spec.start_wait(Duration::from_millis(1));
    assert!(world.tree.start(spec).await.is_err());
    let gives_up = actix_rt::time::timeout(Duration::from_secs(5), world.gives_up());
    let gave_up = gives_up.await;
    // before they are let go
    let frozen = world.metrics.frozen_threads().get();
    drop(release);
    gave_up.expect("it gives up");
    assert!(frozen > 5, "{frozen}");
}

/// Makes the supervisor fall that adopts it.
struct Poison;

impl child::Control for Poison {
    fn vitals(&self) -> &Arc<vitals::Vitals> {
        panic!("poison")
    }
    fn spawn(&self, _: &actix_rt::ArbiterHandle) {}
    fn ping(&self) -> futures_util::future::BoxFuture<'static, Result<(), child::Gone>> {
        Box::pin(std::future::pending())
    }
    fn quit(&self) -> futures_util::future::BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
    fn disturb(&self, _: Disturbance) -> bool {
        false
    }
}

#[actix_rt::test]
async fn a_supervisor_that_falls_ends_the_process() {
    let world = world(SupervisionConfig {
        freeze_seconds: 0,
        ..quick()
    });
    let adopt = Adopt {
        control: Arc::new(Poison),
        arbiter: "poison",
        start_wait: Duration::ZERO,
        contained: false,
    };
    assert!(world.tree.supervisor.send(adopt).await.is_err());
    let gives_up = actix_rt::time::timeout(Duration::from_secs(5), world.gives_up());
    gives_up.await.expect("the watchdog sees it");
}

#[actix_rt::test]
#[expect(
    clippy::disallowed_methods,
    reason = "the thread of the supervisor is blocked on purpose"
)]
async fn a_supervisor_that_is_held_up_ends_nothing() {
    let world = world(SupervisionConfig {
        freeze_seconds: 0,
        ..quick()
    });
    // it is up, and the watchdog with it
    assert!(world.tree.snapshot().await.is_ok());
    // it lives on this thread, and the watchdog waits some milliseconds for it
    std::thread::sleep(Duration::from_millis(300));
    assert!(world.tree.snapshot().await.is_ok());
    assert!(!world.gave_up.load(SeqCst));
}
