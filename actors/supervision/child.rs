//! Child specs, and the type-erased control that the tree has over each child.

use std::{sync::Arc, time::Duration};

use actix::{Actor, Addr, Context, Handler, Message};
use actix_rt::ArbiterHandle;
use arc_swap::ArcSwapOption;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::{
    cell::{Behaviour, Build, Cell, Disturbance, Ping, Quit, StartError},
    clock::Clock,
    config::SupervisionConfig,
    guardian::{Guardian, LostGuard},
    handle::{Handle, Slot},
    policy::RestartPolicy,
    tree::NewsDesk,
    vitals::{State, Vitals},
};

/// How to bring one actor to life, again and again.
pub struct ChildSpec<A: Behaviour> {
    pub(super) path: Arc<str>,
    pub(super) arbiter: &'static str,
    pub(super) build: Build<A>,
    pub(super) start_wait: Duration,
    pub(super) contained: bool,
}

impl<A: Behaviour> ChildSpec<A> {
    /// An actor at `path` (`group/name`), built by `build` at every start, on the arbiter of that
    /// name. Actors that may hold a thread up do not share an arbiter with others.
    pub fn new<F>(path: impl Into<Arc<str>>, arbiter: &'static str, build: F) -> Self
    where
        F: Fn() -> Result<A, StartError> + Send + Sync + 'static,
    {
        Self {
            path: path.into(),
            arbiter,
            build: Arc::new(build),
            start_wait: Duration::from_secs(30),
            contained: false,
        }
    }

    /// How long a start may take: the first one with the reload of durable state; at any, a thread that
    /// blocks for longer is given up.
    #[must_use]
    pub fn start_wait(mut self, wait: Duration) -> Self {
        self.start_wait = wait;
        self
    }

    /// The rest is of use without it: however often it falls, its group is restarted again and again,
    /// and the groups above are left alone. For one provider among several.
    #[must_use]
    pub fn contained(mut self) -> Self {
        self.contained = true;
        self
    }
}

/// What the tree can do with a child without knowing its type.
pub(super) trait Control: Send + Sync {
    fn vitals(&self) -> &Arc<Vitals>;
    /// Starts a new generation on `arbiter`; an older one that still lives is replaced.
    fn spawn(&self, arbiter: &ArbiterHandle);
    /// Done when the mailbox has moved past this question; an error when the actor fell meanwhile.
    fn ping(&self) -> BoxFuture<'static, Result<(), Gone>>;
    /// Done when the actor has drained and stopped, or is not there.
    fn quit(&self) -> BoxFuture<'static, ()>;
    /// False when there is no mailbox to put it into.
    fn disturb(&self, disturbance: Disturbance) -> bool;
}

/// There was nobody to answer.
#[derive(Debug)]
pub(super) struct Gone;

/// One child as the tree keeps it.
pub(super) struct Child<A: Behaviour> {
    slot: Arc<Slot<A>>,
    build: Build<A>,
    policy: RestartPolicy,
    clock: Clock,
    desk: NewsDesk,
    dismissed: ArcSwapOption<CancellationToken>,
}

impl<A: Behaviour> Child<A> {
    pub fn new(
        spec: &ChildSpec<A>,
        config: &SupervisionConfig,
        clock: &Clock,
        desk: NewsDesk,
    ) -> Self {
        let slot = Slot {
            vitals: Arc::new(Vitals::new(spec.path.clone())),
            address: ArcSwapOption::empty(),
            ask_timeout: Duration::from_millis(config.ask_timeout_ms),
            mailbox_limit: config.mailbox_limit,
        };
        Self {
            slot: Arc::new(slot),
            build: spec.build.clone(),
            policy: RestartPolicy::from(config),
            clock: clock.clone(),
            desk,
            dismissed: ArcSwapOption::empty(),
        }
    }

    pub fn handle(&self) -> Handle<A> {
        Handle(self.slot.clone())
    }

    fn send<M>(&self, message: M) -> Option<BoxFuture<'static, Result<(), Gone>>>
    where
        // the context has to be named: the bound on `Handler` hides it from the compiler
        Cell<A>: Actor<Context = Context<Cell<A>>> + Handler<M>,
        M: Message<Result = ()> + Send + 'static,
    {
        let address: Arc<Addr<Cell<A>>> = self.slot.address.load_full()?;
        if !address.connected() {
            return None;
        }
        let request = address.send(message);
        Some(Box::pin(async move { request.await.map_err(|_| Gone) }))
    }
}

impl<A: Behaviour> Control for Child<A> {
    fn vitals(&self) -> &Arc<Vitals> {
        &self.slot.vitals
    }

    fn spawn(&self, arbiter: &ArbiterHandle) {
        let dismissed = CancellationToken::new();
        let guardian = Guardian {
            build: self.build.clone(),
            vitals: self.slot.vitals.clone(),
            generation: self.slot.vitals.next_generation(),
            policy: self.policy.clone(),
            clock: self.clock.clone(),
            desk: self.desk.clone(),
            dismissed: dismissed.clone(),
        };
        self.slot
            .vitals
            .enter(State::Starting, self.clock.wall_ms());
        if let Some(earlier) = self.dismissed.swap(Some(Arc::new(dismissed))) {
            earlier.cancel();
        }
        let lost = LostGuard::new(&guardian);
        let slot = self.slot.clone();
        // false = the arbiter is gone; the guard dropped with the closure says so
        arbiter.spawn_fn(move || {
            let context = Context::<Cell<A>>::new();
            slot.address
                .store(Some(Arc::new(actix::AsyncContext::address(&context))));
            actix_rt::spawn(guardian.run(context, lost));
        });
    }

    fn ping(&self) -> BoxFuture<'static, Result<(), Gone>> {
        self.send(Ping)
            .unwrap_or_else(|| Box::pin(async { Err(Gone) }))
    }

    fn quit(&self) -> BoxFuture<'static, ()> {
        let dismissed = self.dismissed.load_full();
        let quit = match self.slot.vitals.state() {
            // nobody would read it before the backoff has passed
            State::Restarting => None,
            _ => self.send(Quit),
        };
        Box::pin(async move {
            if let Some(quit) = quit {
                // an error means that it is gone already
                let _ = quit.await;
            }
            if let Some(dismissed) = dismissed {
                dismissed.cancel();
            }
        })
    }

    fn disturb(&self, disturbance: Disturbance) -> bool {
        let address = self.slot.address.load_full();
        let Some(address) = address.filter(|address| address.connected()) else {
            return false;
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "a disturbance has no answer, and a dropped `send` would be skipped"
        )]
        address.do_send(disturbance);
        true
    }
}
