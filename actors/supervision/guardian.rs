//! The future that keeps one actor alive.
//!
//! actix's own supervisor restarts on a stop only; a panic closes the mailbox for good. The guardian
//! owns the actor's `ContextFut`, polls it inside `catch_unwind`, and after a panic or a stop waits
//! the backoff and calls the public `restart`: the address stays valid, and what is queued behind
//! the message that did the harm is delivered afterwards.

use std::{
    future::{Future as _, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::Poll,
};

use actix::{ActorContext as _, Context, dev::ContextFut};
use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;

use super::{
    cell::{Behaviour, Build, Cell, take_last_stop},
    clock::Clock,
    fall::{Fall, FallKind},
    policy::{Decision, History, RestartPolicy},
    tree::{News, NewsDesk},
    vitals::{State, Vitals},
};

type Body<A> = ContextFut<Cell<A>, Context<Cell<A>>>;

/// Everything a guardian needs to bring one actor to life and keep it there.
pub(super) struct Guardian<A: Behaviour> {
    pub build: Build<A>,
    pub vitals: Arc<Vitals>,
    pub generation: u64,
    pub policy: RestartPolicy,
    pub clock: Clock,
    pub desk: NewsDesk,
    /// Ends the wait of a backoff when the actor is not wanted any more.
    pub dismissed: CancellationToken,
}

/// How a life ended.
enum End {
    Fell(Fall),
    /// It was told to stop.
    Ordered,
    /// A newer instance has its place.
    Replaced,
}

impl<A: Behaviour> Guardian<A> {
    /// Runs the actor until it is told to stop, replaced, or falls too often. `lost` was made before
    /// this was sent to the arbiter, so that an arbiter that never runs it is noticed too.
    pub async fn run(self, context: Context<Cell<A>>, mut lost: LostGuard) {
        self.live(context).await;
        lost.disarm();
    }

    async fn live(&self, context: Context<Cell<A>>) {
        let mut history = History::default();
        let Some(mut body) = self.first_build(context, &mut history).await else {
            return;
        };
        loop {
            match self.poll_life(&mut body).await {
                End::Ordered => {
                    self.enter(State::Stopped);
                    break;
                }
                End::Replaced => break,
                End::Fell(fall) => {
                    if !self.bring_back(&mut body, fall, &mut history).await {
                        break;
                    }
                }
            }
        }
        // a context that is dropped alive is polled once more by actix
        body.ctx().terminate();
    }

    async fn first_build(
        &self,
        context: Context<Cell<A>>,
        history: &mut History,
    ) -> Option<Body<A>> {
        loop {
            self.enter(State::Starting);
            let fall = match catch_unwind(AssertUnwindSafe(|| (self.build)())) {
                Ok(Ok(behaviour)) => {
                    let (build, vitals) = (self.build.clone(), self.vitals.clone());
                    let cell = Cell::new(behaviour, build, vitals, self.generation);
                    return Some(context.into_future(cell));
                }
                Ok(Err(error)) => Fall::new(FallKind::FailedStart, error.0),
                Err(payload) => Fall {
                    kind: FallKind::FailedStart,
                    ..Fall::from_panic(payload.as_ref())
                },
            };
            if !self.outlast(fall, history).await {
                return None;
            }
        }
    }

    async fn poll_life(&self, body: &mut Body<A>) -> End {
        self.enter(State::Starting);
        let mut first = true;
        let life = poll_fn(|cx| {
            if self.vitals.generation() != self.generation {
                return Poll::Ready(true);
            }
            let polled = Pin::new(&mut *body).poll(cx);
            if std::mem::take(&mut first) && polled.is_pending() {
                self.enter(State::Up);
            }
            polled.map(|()| false)
        });
        match AssertUnwindSafe(life).catch_unwind().await {
            Ok(true) => End::Replaced,
            Ok(false) => take_last_stop().map_or(End::Ordered, End::Fell),
            Err(payload) => End::Fell(Fall::from_panic(payload.as_ref())),
        }
    }

    /// Waits out the backoff and restarts. False = the actor is not to come back here.
    async fn bring_back(&self, body: &mut Body<A>, fall: Fall, history: &mut History) -> bool {
        let mut fall = fall;
        loop {
            if !self.outlast(fall, history).await {
                return false;
            }
            self.enter(State::Starting);
            match catch_unwind(AssertUnwindSafe(|| body.restart())) {
                Ok(restarted) => return restarted,
                Err(payload) => {
                    fall = Fall {
                        kind: FallKind::FailedStart,
                        ..Fall::from_panic(payload.as_ref())
                    };
                }
            }
        }
    }

    /// Reports a fall and waits its backoff. False = escalated, dismissed or replaced meanwhile.
    async fn outlast(&self, fall: Fall, history: &mut History) -> bool {
        self.enter(State::Restarting);
        let decision = if fall.kind == FallKind::ByHand {
            Decision::Restart {
                backoff: self.policy.backoff_min,
            }
        } else {
            history.fell(&self.policy, self.clock.now())
        };
        self.desk.send(News::Fell {
            path: self.vitals.path().clone(),
            generation: self.generation,
            fall,
            decision,
        });
        let Decision::Restart { backoff } = decision else {
            return false;
        };
        tokio::select! {
            () = actix_rt::time::sleep(backoff) => self.vitals.generation() == self.generation,
            () = self.dismissed.cancelled() => {
                self.enter(State::Stopped);
                false
            }
        }
    }

    fn enter(&self, state: State) {
        if self.vitals.generation() == self.generation {
            self.vitals.enter(state, self.clock.wall_ms());
        }
    }
}

/// Tells the tree when the guardian itself is dropped: its arbiter ended.
pub(super) struct LostGuard {
    armed: bool,
    path: Arc<str>,
    generation: u64,
    desk: NewsDesk,
}

impl LostGuard {
    pub fn new<A: Behaviour>(guardian: &Guardian<A>) -> Self {
        Self {
            armed: true,
            path: guardian.vitals.path().clone(),
            generation: guardian.generation,
            desk: guardian.desk.clone(),
        }
    }

    fn disarm(&mut self) {
        self.armed = false;
    }
}

impl Drop for LostGuard {
    fn drop(&mut self) {
        if self.armed {
            self.desk.send(News::Lost {
                path: self.path.clone(),
                generation: self.generation,
            });
        }
    }
}
