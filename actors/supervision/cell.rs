//! The actix actor that every supervised actor lives in.
//!
//! actix gives no way to see a mailbox from outside, to rebuild an actor, or to ask any actor the
//! same question. [`Cell`] adds just that: it counts messages, answers the watchdog, stops on
//! request, and puts a freshly built [`Behaviour`] in place at each restart.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

use actix::{
    Actor, ActorContext, AsyncContext, Context, Handler, Message, ResponseFuture, Supervised,
    dev::{MessageResponse, OneshotSender},
};
use derive_more::{Display, Error};
use futures_util::future::LocalBoxFuture;

use super::{
    fall::{Fall, FallKind},
    vitals::{Receipt, Vitals},
};

/// The context in which a behaviour lives: timers, spawned futures, its own address.
pub type Ctx<A> = Context<Cell<A>>;

/// Why an actor could not start. The text must hold no secret.
#[derive(Debug, Clone, Display, Error)]
#[display("{_0}")]
pub struct StartError(#[error(not(source))] pub String);

/// What a supervised actor does. Its state is lost at every restart; what is durable is read again
/// in [`started`](Behaviour::started).
pub trait Behaviour: Sized + Unpin + 'static {
    /// Runs at every start: set timers, spawn or `wait` for the reload of durable state.
    ///
    /// # Errors
    /// An actor that cannot start is tried again after its backoff.
    fn started(&mut self, _ctx: &mut Ctx<Self>) -> Result<(), StartError> {
        Ok(())
    }

    /// Runs once before an ordered stop; the actor stops when the future is done.
    fn draining(&mut self, _ctx: &mut Ctx<Self>) -> Option<LocalBoxFuture<'static, ()>> {
        None
    }

    /// Runs after a stop, but not after a panic.
    fn stopped(&mut self) {}
}

/// A message that a behaviour takes. Replies are actix's own: values, `MessageResult`,
/// `ResponseFuture`; all over [`Cell`] and [`Deliver`].
pub trait Receive<M: Message>: Behaviour {
    type Reply: MessageResponse<Cell<Self>, Deliver<M>>;

    fn receive(&mut self, message: M, ctx: &mut Ctx<Self>) -> Self::Reply;
}

/// A message on its way, counted in and out of the mailbox.
pub struct Deliver<M> {
    message: M,
    _receipt: Receipt,
}

impl<M> Deliver<M> {
    pub(super) fn new(message: M, vitals: &Arc<Vitals>) -> Self {
        Self {
            message,
            _receipt: Receipt::new(vitals),
        }
    }
}

impl<M: Message> Message for Deliver<M> {
    type Result = M::Result;
}

/// Builds a behaviour anew, for each start.
pub(super) type Build<A> = Arc<dyn Fn() -> Result<A, StartError> + Send + Sync>;

/// The actor around a behaviour; see the module's head.
pub struct Cell<A: Behaviour> {
    behaviour: A,
    build: Build<A>,
    vitals: Arc<Vitals>,
    generation: u64,
    fault: Option<Fall>,
    ordered_stop: bool,
}

impl<A: Behaviour> Cell<A> {
    pub(super) fn new(behaviour: A, build: Build<A>, vitals: Arc<Vitals>, generation: u64) -> Self {
        Self {
            behaviour,
            build,
            vitals,
            generation,
            fault: None,
            ordered_stop: false,
        }
    }

    /// Goes down with a reason, to be restarted. For faults found outside of `started`, such as in a
    /// spawned reload.
    pub fn fail(&mut self, reason: impl Into<String>, ctx: &mut Ctx<A>) {
        self.fault = Some(Fall::new(FallKind::FailedStart, reason));
        ctx.stop();
    }

    /// Whether a newer instance has taken this one's place.
    fn replaced(&self) -> bool {
        self.vitals.generation() != self.generation
    }
}

impl<A: Behaviour> Deref for Cell<A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.behaviour
    }
}

impl<A: Behaviour> DerefMut for Cell<A> {
    fn deref_mut(&mut self) -> &mut A {
        &mut self.behaviour
    }
}

impl<A: Behaviour> Actor for Cell<A> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        // calls are bounded by the handles; a small mailbox would only make actix park senders
        ctx.set_mailbox_capacity(MAILBOX_CAPACITY);
        if self.fault.is_some() {
            return ctx.stop();
        }
        if let Err(error) = self.behaviour.started(ctx) {
            self.fail(error.0, ctx);
        }
    }

    fn stopped(&mut self, _ctx: &mut Self::Context) {
        self.behaviour.stopped();
        if !self.ordered_stop {
            let fall = self.fault.take();
            let fall = fall.unwrap_or_else(|| Fall::new(FallKind::Stop, "the actor stopped"));
            LAST_STOP.set(Some(fall));
        }
    }
}

/// Room in actix's own queue before it starts to park senders.
const MAILBOX_CAPACITY: usize = 1 << 14;

thread_local! {
    /// Why the actor that was just polled on this thread stopped; `None` = it had been told to.
    static LAST_STOP: std::cell::Cell<Option<Fall>> = const { std::cell::Cell::new(None) };
}

/// Takes the reason of the stop that ended the poll of this thread just now.
pub(super) fn take_last_stop() -> Option<Fall> {
    LAST_STOP.take()
}

impl<A: Behaviour> Supervised for Cell<A> {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        match (self.build)() {
            Ok(behaviour) => {
                self.behaviour = behaviour;
                self.fault = None;
            }
            // `started` finds it and stops at once
            Err(error) => self.fault = Some(Fall::new(FallKind::FailedStart, error.0)),
        }
    }
}

impl<A, M> Handler<Deliver<M>> for Cell<A>
where
    A: Receive<M>,
    M: Message,
{
    type Result = Answer<A::Reply>;

    fn handle(&mut self, deliver: Deliver<M>, ctx: &mut Self::Context) -> Self::Result {
        if self.replaced() {
            ctx.terminate();
            return Answer(None);
        }
        self.vitals.count_handled();
        Answer(Some(self.behaviour.receive(deliver.message, ctx)))
    }
}

/// A reply, or none from an instance that has been replaced: it must not act on anything, and its
/// caller gets `Unavailable`.
pub struct Answer<R>(Option<R>);

impl<A, M, R> MessageResponse<Cell<A>, Deliver<M>> for Answer<R>
where
    A: Behaviour,
    M: Message,
    R: MessageResponse<Cell<A>, Deliver<M>>,
{
    fn handle(self, ctx: &mut Ctx<A>, reply_to: Option<OneshotSender<M::Result>>) {
        if let Some(reply) = self.0 {
            reply.handle(ctx, reply_to);
        }
    }
}

/// The watchdog's question; the answer says that the mailbox moves.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Ping;

impl<A: Behaviour> Handler<Ping> for Cell<A> {
    type Result = ();

    fn handle(&mut self, _: Ping, _: &mut Self::Context) {}
}

/// Stop for good, after what is queued before this and after [`Behaviour::draining`].
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Quit;

impl<A: Behaviour> Handler<Quit> for Cell<A> {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Quit, ctx: &mut Self::Context) -> Self::Result {
        let drained = self.behaviour.draining(ctx);
        let address = ctx.address();
        Box::pin(async move {
            if let Some(drained) = drained {
                drained.await;
            }
            // an error means that the actor is gone already
            let _ = address.send(QuitNow).await;
        })
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct QuitNow;

impl<A: Behaviour> Handler<QuitNow> for Cell<A> {
    type Result = ();

    fn handle(&mut self, _: QuitNow, ctx: &mut Self::Context) {
        self.ordered_stop = true;
        ctx.stop();
    }
}

/// Goes down now and comes back: an operator's restart, or an injected fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Message, serde::Deserialize)]
#[rtype(result = "()")]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Disturbance {
    /// An operator's restart.
    Restart,
    /// A panic in a handler.
    Panic,
    /// A panic in a future that the actor had spawned.
    PanicInFuture,
    /// A stop nobody asked for.
    Stop,
    /// The thread blocks inside a handler.
    Freeze { ms: u64 },
    /// The thread the actor lives on ends.
    KillArbiter,
}

impl<A: Behaviour> Handler<Disturbance> for Cell<A> {
    type Result = ();

    fn handle(&mut self, disturbance: Disturbance, ctx: &mut Self::Context) {
        match disturbance {
            Disturbance::Restart => {
                self.fault = Some(Fall::new(FallKind::ByHand, "restarted by an operator"));
                ctx.stop();
            }
            #[expect(clippy::panic, reason = "the injected fault is a panic")]
            Disturbance::Panic => panic!("injected panic in a handler"),
            Disturbance::PanicInFuture => {
                #[expect(clippy::panic, reason = "the injected fault is a panic")]
                let panics = async { panic!("injected panic in a spawned future") };
                ctx.spawn(actix::fut::wrap_future(panics));
            }
            Disturbance::Stop => ctx.stop(),
            Disturbance::Freeze { ms } => block_thread(Duration::from_millis(ms)),
            Disturbance::KillArbiter => {
                actix_rt::Arbiter::current().stop();
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the injected fault is a blocked thread"
)]
fn block_thread(time: Duration) {
    std::thread::sleep(time);
}
