//! The supervisor: one actor that knows every node of the tree, hears of every fall, and acts where
//! a guardian cannot: escalation, dead threads, frozen actors, ordered start and stop.
//!
//! | | |
//! |---|---|
//! | owns | the nodes, their groups' restart histories, the named arbiters, the newest restart events |
//! | durable | nothing here; the restart log stores the events |
//! | ephemeral | everything |
//! | mailbox | news from guardians and the watchdog (bounded by the backoffs), questions of admins |
//! | restart | none: it is the root. When it gives up or falls, the process ends and its service manager restarts it |

pub(super) mod requests;

use std::{sync::Arc, time::Duration};

use actix::{Actor, Addr, AsyncContext as _, Context, Handler, Message};
use derive_more::{Display, Error};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::requests::{Respawn, quit_all};
use super::{
    arbiters::Arbiters,
    child::Control,
    clock::{Clock, Monotonic, millis},
    config::SupervisionConfig,
    event::{EventLog, RestartEvent},
    fall::{Fall, FallKind},
    metrics::RestartMetrics,
    policy::{Decision, History, RestartPolicy},
    tasks::Tasks,
    vitals::{State, Vitals},
    watchdog,
};

/// What the tree hears.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) enum News {
    /// A guardian caught a fall and has decided.
    Fell {
        path: Arc<str>,
        generation: u64,
        fall: Fall,
        decision: Decision,
    },
    /// A guardian was dropped with its arbiter.
    Lost { path: Arc<str>, generation: u64 },
    /// The watchdog had no answer.
    Frozen { path: Arc<str>, generation: u64 },
}

/// Where guardians send their news. They are few (each waits its backoff before the next), so the
/// unbounded send cannot pile up.
#[derive(Clone)]
pub(super) struct NewsDesk(pub Addr<Supervisor>);

impl NewsDesk {
    pub fn send(&self, news: News) {
        #[expect(clippy::disallowed_methods, reason = "see the type")]
        self.0.do_send(news);
    }
}

struct Node {
    control: Arc<dyn Control>,
    arbiter: &'static str,
    start_wait: Duration,
    /// Falls that the guardian could not decide about, because it went down with its thread.
    history: History,
}

struct Group {
    vitals: Arc<Vitals>,
    history: History,
    /// See [`ChildSpec::contained`](super::ChildSpec::contained).
    contained: bool,
}

/// Ends the process.
pub(super) type GiveUp = Arc<dyn Fn() + Send + Sync>;

/// As many threads may hang at a time; with more, only a new process helps.
const FROZEN_THREADS: usize = 8;

/// See the module's head.
pub(super) struct Supervisor {
    config: SupervisionConfig,
    clock: Clock,
    started: Monotonic,
    metrics: RestartMetrics,
    nodes: Vec<Node>,
    groups: Vec<Group>,
    arbiters: Arbiters,
    events: EventLog,
    newest: watch::Sender<u64>,
    on_give_up: GiveUp,
    stopping: bool,
    /// As `stopping`, for the watchdog.
    ordered_stop: CancellationToken,
    tasks: Tasks,
}

/// Why the tree could not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
pub enum TreeError {
    #[display("there is no actor at {path}")]
    NoSuchActor { path: String },
    #[display("{path} is down; restart it first")]
    Down { path: String },
    #[display("{path} did not start in time: {reason}")]
    StartTimeout { path: Arc<str>, reason: String },
    #[display("the supervisor is not there any more")]
    NoSupervisor,
}

impl Supervisor {
    /// See [`Tree::plant`](super::Tree::plant).
    pub fn start(
        config: SupervisionConfig,
        clock: Clock,
        metrics: RestartMetrics,
        newest: watch::Sender<u64>,
        on_give_up: GiveUp,
    ) -> Addr<Self> {
        let started = clock.now();
        let supervisor = Self {
            config,
            clock,
            started,
            arbiters: Arbiters::new(metrics.frozen_threads().clone()),
            metrics,
            nodes: Vec::new(),
            groups: Vec::new(),
            events: EventLog::new(),
            newest,
            on_give_up,
            stopping: false,
            ordered_stop: CancellationToken::new(),
            tasks: Tasks::default(),
        };
        Actor::start(supervisor)
    }

    fn node(&mut self, path: &str) -> Option<&mut Node> {
        self.nodes
            .iter_mut()
            .find(|node| &**node.control.vitals().path() == path)
    }

    /// The groups above `path`, made where they are missing, outermost first. The root is `""`.
    fn ensure_groups(&mut self, path: &str) {
        let ends = path.match_indices('/').map(|(at, _)| at);
        for end in std::iter::once(0).chain(ends) {
            let group = &path[..end];
            if self
                .groups
                .iter()
                .all(|known| &**known.vitals.path() != group)
            {
                let vitals = Arc::new(Vitals::new(group.into()));
                vitals.enter(State::Up, self.clock.wall_ms());
                self.groups.push(Group {
                    vitals,
                    history: History::default(),
                    contained: false,
                });
            }
        }
    }

    fn spawn(&mut self, path: &str) {
        let Some(at) = self.position(path) else {
            return;
        };
        let arbiter = self.arbiters.get(self.nodes[at].arbiter);
        self.nodes[at].control.spawn(&arbiter);
    }

    fn position(&self, path: &str) -> Option<usize> {
        self.nodes
            .iter()
            .position(|node| &**node.control.vitals().path() == path)
    }

    /// Makes a fall an event: log line, counter, and the log that is stored.
    fn publish(&mut self, vitals: &Vitals, fall: Fall, decision: Decision) {
        let count = vitals.fell(fall.clone());
        let backoff_ms = match decision {
            Decision::Restart { backoff } => Some(millis(backoff)),
            Decision::Escalate => None,
        };
        let path = vitals.path().clone();
        log_fall(&path, &fall, count, backoff_ms);
        self.metrics.count(&path);
        let seq = self.events.push(RestartEvent {
            seq: 0,
            id: Uuid::now_v7(),
            at_ms: self.clock.wall_ms(),
            path,
            fall,
            count,
            backoff_ms,
        });
        self.newest.send_replace(seq);
    }

    /// A node whose guardian is gone: decide in its place.
    fn replace(&mut self, path: &str, fall: Fall, ctx: &mut Context<Self>) {
        let mut policy = RestartPolicy::from(&self.config);
        let now = self.clock.now();
        let freeze = Duration::from_secs(self.config.freeze_seconds);
        let Some(node) = self.node(path) else { return };
        if fall.kind == FallKind::Frozen {
            // the watchdog notices between one and two times its patience
            policy = policy.for_slow_falls(freeze.max(node.start_wait).saturating_mul(2));
        }
        let decision = node.history.fell(&policy, now);
        let vitals = node.control.vitals().clone();
        // an instance that comes back to life later finds that it is not current any more
        vitals.next_generation();
        self.publish(&vitals, fall, decision);
        vitals.enter(State::Restarting, self.clock.wall_ms());
        match decision {
            Decision::Restart { backoff } => {
                let path: Arc<str> = path.into();
                ctx.run_later(backoff, move |supervisor, _| {
                    if !supervisor.stopping {
                        supervisor.spawn(&path);
                    }
                });
            }
            Decision::Escalate => self.escalate(path, ctx),
        }
    }

    /// Restarts the group above `path` as a whole, or gives up at the root.
    fn escalate(&mut self, path: &str, ctx: &mut Context<Self>) {
        let policy = RestartPolicy::of_groups(&self.config);
        let now = self.clock.now();
        let parent = parent_of(path);
        let Some(group) = self
            .groups
            .iter_mut()
            .find(|group| &**group.vitals.path() == parent)
        else {
            return;
        };
        let mut decision = group.history.fell(&policy, now);
        if group.contained && decision == Decision::Escalate {
            let backoff = policy.backoff_max;
            decision = Decision::Restart { backoff };
        }
        let vitals = group.vitals.clone();
        let fall = Fall::new(FallKind::Escalated, format!("{path} fell too often"));
        self.publish(&vitals, fall, decision);
        match decision {
            Decision::Restart { backoff } => {
                vitals.enter(State::Restarting, self.clock.wall_ms());
                let group = vitals.path().clone();
                ctx.run_later(backoff, move |supervisor, ctx| {
                    supervisor.restart_group(&group, ctx);
                });
            }
            Decision::Escalate if parent.is_empty() => {
                log::error!("the root of the supervision tree gives up, the process ends");
                (self.on_give_up)();
            }
            Decision::Escalate => self.escalate(parent, ctx),
        }
    }

    fn restart_group(&mut self, group: &str, ctx: &mut Context<Self>) {
        if self.stopping {
            return;
        }
        let members = self.members(group);
        let desk = ctx.address();
        let vitals = self
            .groups
            .iter()
            .find(|known| &**known.vitals.path() == group);
        let vitals = vitals.map(|known| known.vitals.clone());
        let clock = self.clock.clone();
        let restarted = async move {
            quit_all(&members).await;
            for member in &members {
                let path = member.vitals().path().clone();
                if desk.send(Respawn { path }).await.is_err() {
                    return;
                }
            }
            if let Some(vitals) = vitals {
                vitals.enter(State::Up, clock.wall_ms());
            }
        };
        // a panic is logged there; the next fall of a member tries again
        self.tasks.spawn("restart of a group", restarted, |_| ());
    }

    /// The children below `group`, in start order.
    fn members(&self, group: &str) -> Vec<Arc<dyn Control>> {
        self.nodes
            .iter()
            .map(|node| node.control.clone())
            .filter(|control| is_below(group, control.vitals().path()))
            .collect()
    }
}

/// The group that `path` is in; the root is `""`.
fn parent_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn is_below(group: &str, path: &str) -> bool {
    group.is_empty()
        || path
            .strip_prefix(group)
            .is_some_and(|rest| rest.starts_with('/'))
}

fn log_fall(path: &str, fall: &Fall, count: u64, backoff_ms: Option<u64>) {
    let Fall {
        kind,
        message,
        place,
    } = fall;
    let next = match backoff_ms {
        Some(backoff) => format!("restarts in {backoff} ms"),
        None => "its group restarts".to_owned(),
    };
    log::warn!(
        target: "troupe::restart",
        path, kind:% = kind, message = message.as_str(), place = place.as_str(), count;
        "{path} fell ({kind}, {count} so far): {message}; {next}"
    );
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let patience = Duration::from_secs(self.config.freeze_seconds);
        let ends = watchdog::Ends {
            ordered: self.ordered_stop.clone(),
            give_up: self.on_give_up.clone(),
        };
        watchdog::start(ctx.address(), patience, ends);
    }
}

impl Handler<News> for Supervisor {
    type Result = ();

    fn handle(&mut self, news: News, ctx: &mut Self::Context) {
        if self.stopping {
            return;
        }
        let (path, generation) = match &news {
            News::Fell {
                path, generation, ..
            }
            | News::Lost { path, generation }
            | News::Frozen { path, generation } => (path.clone(), *generation),
        };
        let Some(vitals) = self.node(&path).map(|node| node.control.vitals().clone()) else {
            return;
        };
        if vitals.generation() != generation {
            return;
        }
        match news {
            News::Fell { fall, decision, .. } => {
                self.publish(&vitals, fall, decision);
                if decision == Decision::Escalate {
                    self.escalate(&path, ctx);
                }
            }
            News::Lost { .. } => {
                let fall = Fall::new(FallKind::ArbiterDied, "the thread it lived on ended");
                self.replace(&path, fall, ctx);
            }
            News::Frozen { .. } => self.replace_frozen(&path, ctx),
        }
    }
}

impl Supervisor {
    /// A thread that is blocked cannot be ended; it is left behind with all who live on it, and they
    /// start anew on another.
    fn replace_frozen(&mut self, path: &str, ctx: &mut Context<Self>) {
        let Some(arbiter) = self.node(path).map(|node| node.arbiter) else {
            return;
        };
        self.arbiters.condemn(arbiter);
        let hanging = self.arbiters.frozen();
        if hanging > FROZEN_THREADS {
            log::error!("{hanging} threads hang, the last of them with {path}; the process ends");
            return (self.on_give_up)();
        }
        let housemates: Vec<Arc<str>> = self
            .nodes
            .iter()
            .filter(|node| node.arbiter == arbiter)
            .map(|node| node.control.vitals().path().clone())
            .collect();
        for housemate in housemates {
            let message = format!("{path} did not answer the watchdog");
            self.replace(&housemate, Fall::new(FallKind::Frozen, message), ctx);
        }
    }
}
