//! What the tree is asked to do, by [`Tree`](crate::supervision::Tree) and by the watchdog.

use std::{sync::Arc, time::Duration};

use actix::{AsyncContext as _, Handler, Message, MessageResult, ResponseFuture};

use super::{Node, Supervisor, TreeError, parent_of};
use crate::supervision::{
    cell::Disturbance,
    child::Control,
    clock::millis,
    event::RestartEvent,
    policy::History,
    snapshot::{NodeKind, NodeSnapshot, TreeSnapshot},
};

/// Takes a child in, starts it, and answers when its mailbox moves.
#[derive(Message)]
#[rtype(result = "Result<(), TreeError>")]
pub(in crate::supervision) struct Adopt {
    pub control: Arc<dyn Control>,
    pub arbiter: &'static str,
    pub start_wait: Duration,
    pub contained: bool,
}

impl Handler<Adopt> for Supervisor {
    type Result = ResponseFuture<Result<(), TreeError>>;

    fn handle(&mut self, adopt: Adopt, _: &mut Self::Context) -> Self::Result {
        let control = adopt.control;
        let path = control.vitals().path().clone();
        self.ensure_groups(&path);
        let group = parent_of(&path);
        let mut groups = self.groups.iter_mut();
        if let Some(group) = groups.find(|known| &**known.vitals.path() == group) {
            group.contained |= adopt.contained;
        }
        self.metrics.introduce(&path);
        self.nodes.push(Node {
            control: control.clone(),
            arbiter: adopt.arbiter,
            start_wait: adopt.start_wait,
            history: History::default(),
        });
        self.spawn(&path);
        Box::pin(ready(control, adopt.start_wait))
    }
}

/// Waits until a child answers: its start and what it waits for there are then over.
async fn ready(control: Arc<dyn Control>, wait: Duration) -> Result<(), TreeError> {
    if actix_rt::time::timeout(wait, answered(&control))
        .await
        .is_ok()
    {
        return Ok(());
    }
    Err(not_ready(&control))
}

async fn answered(control: &Arc<dyn Control>) {
    while control.ping().await.is_err() {
        actix_rt::time::sleep(Duration::from_millis(1)).await;
    }
}

/// As [`ready`], but no longer than to its first fall: those that start after it in their group do not
/// stay down with one that never comes up.
async fn ready_or_fallen(control: Arc<dyn Control>, wait: Duration) -> Result<(), TreeError> {
    let before = control.vitals().restarts();
    let fallen = async {
        while control.vitals().restarts() == before {
            actix_rt::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        biased;
        ready = ready(control.clone(), wait) => ready,
        () = fallen => Err(not_ready(&control)),
    }
}

fn not_ready(control: &Arc<dyn Control>) -> TreeError {
    let fall = control.vitals().last_fall();
    TreeError::StartTimeout {
        path: control.vitals().path().clone(),
        reason: fall.map_or_else(|| "no answer".to_owned(), |fall| fall.message.clone()),
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::supervision) struct Respawn {
    pub path: Arc<str>,
}

impl Handler<Respawn> for Supervisor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, respawn: Respawn, _: &mut Self::Context) -> Self::Result {
        if self.stopping {
            return Box::pin(async {});
        }
        self.spawn(&respawn.path);
        let node = self.node(&respawn.path);
        let started = node.map(|node| ready_or_fallen(node.control.clone(), node.start_wait));
        Box::pin(async move {
            if let Some(Err(error)) = match started {
                Some(started) => Some(started.await),
                None => None,
            } {
                log::error!("{error}");
            }
        })
    }
}

#[derive(Message)]
#[rtype(result = "TreeSnapshot")]
pub(in crate::supervision) struct GetSnapshot;

impl Handler<GetSnapshot> for Supervisor {
    type Result = MessageResult<GetSnapshot>;

    fn handle(&mut self, _: GetSnapshot, _: &mut Self::Context) -> Self::Result {
        let at_ms = self.clock.wall_ms();
        let groups = self
            .groups
            .iter()
            .map(|group| (&group.vitals, NodeKind::Group));
        let actors = self
            .nodes
            .iter()
            .map(|node| (node.control.vitals(), NodeKind::Actor));
        let mut nodes: Vec<NodeSnapshot> = groups
            .filter(|(vitals, _)| !vitals.path().is_empty())
            .chain(actors)
            .map(|(vitals, kind)| NodeSnapshot::of(vitals, kind, at_ms))
            .collect();
        nodes.sort_by(|a, b| a.path.cmp(&b.path));
        MessageResult(TreeSnapshot {
            at_ms,
            uptime_ms: millis(self.clock.now().saturating_sub(self.started)),
            nodes,
        })
    }
}

/// An operator's restart or an injected fault.
#[derive(Message)]
#[rtype(result = "Result<(), TreeError>")]
pub(in crate::supervision) struct Disturb {
    pub path: String,
    pub disturbance: Disturbance,
}

impl Handler<Disturb> for Supervisor {
    type Result = Result<(), TreeError>;

    fn handle(&mut self, disturb: Disturb, ctx: &mut Self::Context) -> Self::Result {
        let Disturb { path, disturbance } = disturb;
        let is_group = self
            .groups
            .iter()
            .any(|group| *path == **group.vitals.path());
        if is_group && disturbance == Disturbance::Restart {
            self.restart_group(&path, ctx);
            return Ok(());
        }
        match self.node(&path) {
            None => Err(TreeError::NoSuchActor { path }),
            Some(node) if node.control.disturb(disturbance) => Ok(()),
            // nobody lives there since it escalated or its group was stopped
            Some(_) if disturbance == Disturbance::Restart => {
                self.spawn(&path);
                Ok(())
            }
            Some(_) => Err(TreeError::Down { path }),
        }
    }
}

#[derive(Message)]
#[rtype(result = "Vec<RestartEvent>")]
pub(in crate::supervision) struct EventsAfter {
    pub seq: u64,
    pub limit: usize,
}

impl Handler<EventsAfter> for Supervisor {
    type Result = Vec<RestartEvent>;

    fn handle(&mut self, after: EventsAfter, _: &mut Self::Context) -> Self::Result {
        self.events.after(after.seq, after.limit)
    }
}

/// The watchdog's list: everyone there is.
#[derive(Message)]
#[rtype(result = "Vec<Watch>")]
pub(in crate::supervision) struct Watched;

/// One of those that the watchdog looks after.
pub(in crate::supervision) struct Watch {
    pub control: Arc<dyn Control>,
    pub start_wait: Duration,
}

impl Handler<Watched> for Supervisor {
    type Result = MessageResult<Watched>;

    fn handle(&mut self, _: Watched, _: &mut Self::Context) -> Self::Result {
        let watch = |node: &Node| Watch {
            control: node.control.clone(),
            start_wait: node.start_wait,
        };
        MessageResult(self.nodes.iter().map(watch).collect())
    }
}

/// Takes one child out of the tree, drained.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::supervision) struct Dismiss {
    pub path: String,
}

impl Handler<Dismiss> for Supervisor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, dismiss: Dismiss, _: &mut Self::Context) -> Self::Result {
        let at = self.position(&dismiss.path);
        let node = at.map(|at| self.nodes.remove(at));
        Box::pin(async move {
            if let Some(node) = node {
                quit_all(&[node.control]).await;
            }
        })
    }
}

/// Ordered stop of everything: last started, first stopped.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::supervision) struct StopAll;

impl Handler<StopAll> for Supervisor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: StopAll, ctx: &mut Self::Context) -> Self::Result {
        self.stopping = true;
        self.ordered_stop.cancel();
        let members = self.members("");
        let me = ctx.address();
        Box::pin(async move {
            quit_all(&members).await;
            // an error means that there is no supervisor left to stop its threads
            let _ = me.send(StopArbiters).await;
        })
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct StopArbiters;

impl Handler<StopArbiters> for Supervisor {
    type Result = ();

    fn handle(&mut self, _: StopArbiters, _: &mut Self::Context) {
        self.arbiters.stop();
    }
}

/// Last started, first stopped; each within a bounded wait.
pub(super) async fn quit_all(members: &[Arc<dyn Control>]) {
    for member in members.iter().rev() {
        if actix_rt::time::timeout(QUIT_WAIT, member.quit())
            .await
            .is_err()
        {
            log::warn!("{} did not stop in time", member.vitals().path());
        }
    }
}

/// How long one actor may drain.
const QUIT_WAIT: Duration = Duration::from_secs(10);
