//! A painter that does what the test says, and jobs that it draws.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use futures_util::future::LocalBoxFuture;
use serde_json::{Map, json};
use tokio::sync::Notify;
use troupe_protocol::{
    failure::FailureKind,
    pictures::{Action, Ticket},
};

use crate::{
    accounts::testing::{World, until},
    jobs::{
        draw::{Draw, Harvest},
        job::Outlook,
        policy::Fault,
        route::Choice,
        waiting::Teller,
        webhooks::Outbox,
        *,
    },
    media::{Kept, MediaName},
    pictures::{Drawn, Held, Picture, Tickets},
    providers::exchange::{ExchangeError, Watch as _},
    storage::{
        queries::{
            charges::{self, ChargeRow},
            jobs::{JobRow, get},
        },
        testing::TestDatabase,
    },
};

/// A job for tests of what is pure.
pub fn job(state: State) -> Job {
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

pub fn row() -> JobRow {
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
        price: 0,
        made: None,
        others: None,
        owner: None,
        leased_until: None,
        prompt: String::new(),
        tags: None,
        submission: None,
        fingerprint: None,
    }
}

pub fn order(prompt: &str) -> JobOrder {
    JobOrder {
        action: Action::Generate,
        prompt: prompt.to_owned(),
        negative_prompt: None,
        size: None,
        exact: false,
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

pub fn new(app: &str, prompt: &str) -> NewJob {
    NewJob {
        id: fresh_id(),
        app_id: app.to_owned(),
        call_id: "call".to_owned(),
        model: "m".to_owned(),
        provider: "acme".to_owned(),
        target: "acme/m".to_owned(),
        upstream_model: "m".to_owned(),
        priority: 0,
        price: 40_000,
        order: order(prompt),
        others: None,
        tags: vec!["fox".to_owned()],
        callback: None,
        submission: None,
    }
}

/// Draws by the prompt: `ok`, `line` (whose turn it was is noted), `hang`, `flaky` (fails once), `cold` (no credential once), `refused`, `halves` (two
/// parts), `elsewhere` (fails at `acme`), `late` (fails once, when it is told to),
/// `task` (takes a ticket, then hangs; with the ticket it is done at once).
#[derive(Clone, Default)]
pub struct Hand(pub Arc<Seen>);

#[derive(Default)]
pub struct Seen {
    submitted: Mutex<HashMap<String, usize>>,
    pub resumed: Mutex<Vec<Held>>,
    pub cancelled: Mutex<HashSet<String>>,
    pub begun: Notify,
    pub go: Notify,
    /// Whose turn it was, in order.
    pub line: Mutex<Vec<String>>,
}

pub fn fault(kind: FailureKind, cold: bool) -> Fault {
    let error = ExchangeError::Failed {
        kind,
        status: None,
        message: None,
        refuses_thoughts: false,
        open: false,
    };
    Fault {
        cold,
        error: (!cold).then(|| Box::new(error)),
        ..Fault::of(kind, "so it goes")
    }
}

/// Another target of a route, of the provider of that name.
pub fn choice(provider: &str) -> Choice {
    Choice {
        provider: provider.to_owned(),
        target: provider.to_owned(),
        upstream_model: "m".to_owned(),
        price: 7,
        order: order("ok"),
    }
}

pub fn failed() -> JobResult {
    let error = JobFailure {
        kind: "upstream".to_owned(),
        code: "upstream".to_owned(),
        message: "so it goes".to_owned(),
    };
    JobResult::Failed { error }
}

pub fn made() -> Yield {
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
    pub fn submitted(&self, id: &str) -> usize {
        self.0
            .submitted
            .lock()
            .unwrap()
            .get(id)
            .copied()
            .unwrap_or_default()
    }

    async fn work(&self, job: &JobRow, tickets: &dyn Tickets) -> Result<Harvest, Fault> {
        let whole = || Harvest::from([(0, made())]);
        let order: JobOrder = serde_json::from_str(&job.draft).unwrap();
        if let Some(held) = tickets.held(0) {
            self.0.resumed.lock().unwrap().push(held);
            return match order.prompt.as_str() {
                "lost" => Err(fault(FailureKind::Upstream, false)),
                _ => Ok(whole()),
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
            ("line", _) => {
                self.0.line.lock().unwrap().push(job.app_id.clone());
                Ok(whole())
            }
            ("refused", _) => Err(fault(FailureKind::ContentPolicy, false)),
            ("elsewhere", _) if job.provider == "acme" => Err(fault(FailureKind::Upstream, false)),
            ("late", 1) => {
                self.0.begun.notify_one();
                self.0.go.notified().await;
                Err(fault(FailureKind::Upstream, false))
            }
            ("halves", _) => self.halves(tickets).await,
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
            _ => Ok(whole()),
        }
    }
}

impl Hand {
    /// The first of two parts is done at once, the second never, unless the first was done before.
    async fn halves(&self, tickets: &dyn Tickets) -> Result<Harvest, Fault> {
        if tickets.is_done(0) {
            return Ok(Harvest::from([(1, made())]));
        }
        let name = MediaName::parse(&format!("{:040x}.png", 1)).unwrap();
        let kept = Kept {
            name,
            mime: "image/png",
            bytes: 9,
            width: Some(1),
            height: Some(2),
        };
        let picture = Picture {
            kept,
            revised_prompt: None,
            seed: None,
        };
        let drawn = Drawn {
            pictures: vec![Ok(picture)],
            usage: None,
        };
        tickets.done(0, &drawn).await;
        self.0.begun.notify_one();
        std::future::pending().await
    }
}

impl Draw for Hand {
    fn draw<'a>(
        &'a self,
        job: &'a JobRow,
        tickets: &'a dyn Tickets,
        teller: &'a mut Teller,
    ) -> LocalBoxFuture<'a, Result<Harvest, Fault>> {
        teller.attempt(&"t1".into());
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

pub struct Shop {
    pub world: World,
    pub hand: Hand,
    pub jobs: JobsHandle,
}

impl Shop {
    pub async fn open(file: TestDatabase, config: &JobsConfig) -> Self {
        Self::on(World::start(file, 1_000_000).await, config).await
    }

    pub async fn on(world: World, config: &JobsConfig) -> Self {
        Self::of(world, config, Node::only()).await
    }

    pub async fn of(world: World, config: &JobsConfig, node: Node) -> Self {
        let outbox = webhooks::testing::outbox(&world).await;
        Self::telling(world, config, node, outbox).await
    }

    pub async fn telling(world: World, config: &JobsConfig, node: Node, outbox: Outbox) -> Self {
        let hand = Hand::default();
        let started = JobsHandle::start(
            &world.tree,
            config,
            &world.clock,
            &world.database,
            hand.clone(),
            node,
            outbox,
        );
        let jobs = started.await.unwrap();
        Self { world, hand, jobs }
    }

    pub async fn submit(&self, prompt: &str) -> String {
        self.jobs.submit(new("app", prompt)).await.unwrap().id
    }

    pub async fn get(&self, id: &str) -> Job {
        self.jobs.get("app", id).await.unwrap().unwrap()
    }

    pub async fn reaches(&self, id: &str, state: State) -> Job {
        until(async || Some(self.get(id).await).filter(|job| job.state == state)).await
    }

    pub async fn row(&self, id: &str) -> JobRow {
        let id = id.to_owned();
        let read = self.world.database.read(move |conn| get(conn, &id));
        read.await.unwrap().unwrap()
    }

    /// All charges, newest first.
    pub async fn charges(&self) -> Vec<ChargeRow> {
        let list = |conn: &mut _| charges::list(conn, None, None, 100);
        self.world.database.read(list).await.unwrap().list
    }
}
