//! Jobs on real databases, drawn by a painter that does what the test says.

mod telling;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{StreamExt as _, future::LocalBoxFuture};
use serde_json::{Map, json};
use tokio::sync::Notify;
use troupe_protocol::{
    failure::FailureKind,
    pictures::{Action, Ticket},
};

use super::{
    draw::Draw,
    events::EventKind,
    job::{Outlook, Yield},
    policy::{Fault, Full},
    webhooks::Outbox,
    *,
};
use crate::{
    accounts::testing::{World, until},
    pictures::{Held, Tickets},
    storage::{
        queries::jobs::{JobRow, get},
        testing::TestDatabase,
    },
};

/// A job for tests of what is pure.
pub(super) fn job(state: State) -> Job {
    let row = JobRow {
        state: state.to_string(),
        ..row()
    };
    let progress = 0;
    Job {
        progress,
        ..Job::of(row, Outlook::default(), 0)
    }
}

pub(super) fn row() -> JobRow {
    JobRow {
        id: "job_a".to_owned(),
        app_id: "app".to_owned(),
        call_id: "call".to_owned(),
        model: "m".to_owned(),
        provider: "acme".to_owned(),
        target: "acme/m".to_owned(),
        upstream_model: "m".to_owned(),
        action: "generate".to_owned(),
        priority: 0,
        state: "pending".to_owned(),
        revision: 0,
        attempts: 0,
        interruptions: 0,
        draft: "{}".to_owned(),
        tickets: None,
        results: None,
        error: None,
        created_at: 1,
        started_at: None,
        wake_at: None,
        finished_at: None,
        prompt: String::new(),
        tags: None,
    }
}

fn order(prompt: &str) -> JobOrder {
    JobOrder {
        action: Action::Generate,
        prompt: prompt.to_owned(),
        negative_prompt: None,
        size: None,
        count: 1,
        seed: Some(7),
        spare_seed: 0,
        steps: None,
        guidance: None,
        seconds: None,
        inputs: vec![JobInput::File("x.png".to_owned())],
        mask: None,
        extra: Map::new(),
        nonce: u64::MAX,
    }
}

fn new(app: &str, prompt: &str) -> NewJob {
    NewJob {
        id: fresh_id(),
        app_id: app.to_owned(),
        call_id: "call".to_owned(),
        model: "m".to_owned(),
        provider: "acme".to_owned(),
        target: "acme/m".to_owned(),
        upstream_model: "m".to_owned(),
        priority: 0,
        order: order(prompt),
        callback: None,
        tags: vec!["fox".to_owned()],
    }
}

/// Draws by the prompt: `ok`, `hang`, `flaky` (fails once), `cold` (no credential once), `refused`,
/// `task` (takes a ticket, then hangs; with the ticket it is done at once).
#[derive(Clone, Default)]
struct Hand(Arc<Seen>);

#[derive(Default)]
struct Seen {
    submitted: Mutex<HashMap<String, usize>>,
    resumed: Mutex<Vec<Held>>,
    cancelled: Mutex<HashSet<String>>,
    begun: Notify,
}

fn fault(kind: FailureKind, cold: bool) -> Fault {
    Fault {
        kind,
        code: kind.to_string(),
        message: "so it goes".to_owned(),
        cold,
        open: false,
        held: false,
    }
}

fn made() -> Yield {
    let result = JobResult::Made {
        name: "a.png".to_owned(),
        mime: "image/png".to_owned(),
        bytes: 9,
        width: Some(1),
        height: Some(2),
        revised_prompt: None,
        seed: Some(7),
    };
    Yield {
        results: vec![result],
        usage: Some(json!({"images": 1})),
    }
}

impl Hand {
    fn submitted(&self, id: &str) -> usize {
        self.0
            .submitted
            .lock()
            .unwrap()
            .get(id)
            .copied()
            .unwrap_or_default()
    }

    async fn work(&self, job: &JobRow, tickets: &dyn Tickets) -> Result<Yield, Fault> {
        let order: JobOrder = serde_json::from_str(&job.draft).unwrap();
        if let Some(held) = tickets.held(0) {
            self.0.resumed.lock().unwrap().push(held);
            return match order.prompt.as_str() {
                "lost" => Err(fault(FailureKind::Upstream, false)),
                _ => Ok(made()),
            };
        }
        let count = {
            let mut submitted = self.0.submitted.lock().unwrap();
            let count = submitted.entry(job.id.clone()).or_default();
            *count += 1;
            *count
        };
        match (order.prompt.as_str(), count) {
            ("flaky", 1) => Err(fault(FailureKind::Upstream, false)),
            ("cold", 1) => Err(fault(FailureKind::RateLimited { retry_after: None }, true)),
            ("refused", _) => Err(fault(FailureKind::ContentPolicy, false)),
            ("hang", _) => {
                self.0.begun.notify_one();
                std::future::pending().await
            }
            ("lost", _) => {
                let (token, ticket) = ("t".to_owned(), Ticket(json!({"id": 6})));
                tickets.hold(0, Some(Held { token, ticket })).await;
                Err(fault(FailureKind::Upstream, false))
            }
            ("task", _) => {
                let (token, ticket) = ("t".to_owned(), Ticket(json!({"id": 5})));
                tickets.hold(0, Some(Held { token, ticket })).await;
                self.0.begun.notify_one();
                std::future::pending().await
            }
            _ => Ok(made()),
        }
    }
}

impl Draw for Hand {
    fn draw<'a>(
        &'a self,
        job: &'a JobRow,
        tickets: &'a dyn Tickets,
    ) -> LocalBoxFuture<'a, Result<Yield, Fault>> {
        Box::pin(self.work(job, tickets))
    }

    fn cancel<'a>(&'a self, job: &'a JobRow, held: Vec<Held>) -> LocalBoxFuture<'a, ()> {
        let told = held
            .iter()
            .map(|held| format!("{} {}", job.id, held.ticket.0["id"]));
        self.0.cancelled.lock().unwrap().extend(told);
        Box::pin(std::future::ready(()))
    }
}

struct Shop {
    world: World,
    hand: Hand,
    jobs: JobsHandle,
}

impl Shop {
    async fn open(file: TestDatabase, config: &JobsConfig) -> Self {
        Self::on(World::start(file, 1_000_000).await, config).await
    }

    async fn on(world: World, config: &JobsConfig) -> Self {
        let outbox = webhooks::testing::outbox(&world).await;
        Self::telling(world, config, outbox).await
    }

    async fn telling(world: World, config: &JobsConfig, outbox: Outbox) -> Self {
        let hand = Hand::default();
        let started = JobsHandle::start(
            &world.tree,
            config,
            &world.clock,
            &world.database,
            hand.clone(),
            outbox,
        );
        let jobs = started.await.unwrap();
        Self { world, hand, jobs }
    }

    async fn submit(&self, prompt: &str) -> String {
        self.jobs.submit(new("app", prompt)).await.unwrap().id
    }

    async fn get(&self, id: &str) -> Job {
        self.jobs.get("app", id).await.unwrap().unwrap()
    }

    async fn reaches(&self, id: &str, state: State) -> Job {
        until(async || Some(self.get(id).await).filter(|job| job.state == state)).await
    }

    async fn row(&self, id: &str) -> JobRow {
        let id = id.to_owned();
        let read = self.world.database.read(move |conn| get(conn, &id));
        read.await.unwrap().unwrap()
    }
}

async fn on_both(test: impl AsyncFn(TestDatabase)) {
    test(TestDatabase::sqlite()).await;
    test(TestDatabase::postgres()).await;
}

#[actix_rt::test]
async fn a_job_is_done_and_seen_by_its_app_alone() {
    on_both(async |file| {
        let shop = Shop::open(file, &JobsConfig::default()).await;
        let id = shop.submit("ok").await;
        let job = shop.reaches(&id, State::Completed).await;
        assert_eq!((job.progress, job.attempts, job.output), (100, 1, made()));
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
    let failed = shop.reaches(&refused, State::Failed).await;
    assert_eq!(failed.error.unwrap().kind, "content_policy");
    shop.world.hand.advance(Duration::from_secs(5));
    assert_eq!(shop.reaches(&flaky, State::Completed).await.attempts, 2);
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
    let counts = shop.jobs.counts().await.unwrap();
    assert_eq!((counts.running, counts.queued), (1, 0));
    let job = shop.jobs.cancel("app", &hangs).await.unwrap().unwrap();
    assert_eq!(job.state, State::Cancelled);
    until(async || (shop.jobs.counts().await == Ok(Counts::default())).then_some(())).await;
    shop.world.tree.stop().await;
}

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
        let insert = move |conn: &mut _| crate::storage::queries::jobs::insert(conn, &row);
        world.database.write(insert).await.unwrap();
    }
    let row = JobRow {
        id: "job_c".to_owned(),
        draft: serde_json::to_string(&order("ok")).unwrap(),
        ..row()
    };
    let insert = move |conn: &mut _| crate::storage::queries::jobs::insert(conn, &row);
    world.database.write(insert).await.unwrap();
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
