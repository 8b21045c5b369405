//! The token pool's actor: mailbox, timers and effects around [`policy`](super::policy).

use std::{sync::Arc, time::Duration};

use actix::{ActorFutureExt, AsyncContext, MessageResult, SpawnHandle, fut::wrap_future};
use futures_util::future::LocalBoxFuture;
use tokio::sync::oneshot;

use super::{
    calm::Lane,
    handle::PoolSetup,
    judgement::Change,
    lending::{Dice, Try, all_cold, is_hopeless, retry_after, try_lend},
    messages::{GetReadiness, GetSnapshot, Lend, Lent, Reset},
    policy::PoolState,
    stored::{Moment, StoredState},
    token::{Identity, TokenIndex},
    waiting::{Turn, Waiter, Waiting},
    writer::{After, Writer},
};
use crate::{
    credentials::{
        cooldown::{ColdReason, in_words},
        lease::{LeaseError, Report},
    },
    supervision::{Behaviour, Cell, Clock, Ctx, Deliver, Receive, StartError, clock::Monotonic},
};

/// How long a start waits for the stored state. Requests wait meanwhile.
const RELOAD_WAIT: Duration = Duration::from_millis(500);
/// Changes within this time are written together.
const WRITE_AFTER: Duration = Duration::from_millis(100);
/// How often rests of long ago are forgotten, and days that threads began are noted.
const FORGET_EVERY: Duration = Duration::from_secs(1);
/// The pause after a write that failed.
const REWRITE_AFTER: Duration = Duration::from_secs(5);

/// Lends the tokens of one provider.
pub struct TokenPool {
    provider: Arc<str>,
    state: PoolState,
    waiting: Waiting,
    /// The timer for the next turn of those who wait, and when it is due.
    wake: Option<(Monotonic, SpawnHandle)>,
    clock: Clock,
    dice: Dice,
    writer: Writer,
    lane: Lane,
}

impl TokenPool {
    /// A pool that knows nothing yet; `epoch` counts its starts. `lane` is shared with its handles.
    #[must_use]
    pub fn new(setup: &PoolSetup, identities: &[Arc<Identity>], epoch: u32, lane: &Lane) -> Self {
        Self {
            provider: Arc::clone(&setup.provider),
            state: PoolState::new(setup.config.clone(), identities, epoch),
            waiting: Waiting::default(),
            wake: None,
            clock: setup.clock.clone(),
            dice: Dice::seeded(),
            writer: Writer::new(Arc::clone(&setup.provider), Arc::clone(&setup.store)),
            lane: lane.clone(),
        }
    }
}

impl Behaviour for TokenPool {
    fn started(&mut self, ctx: &mut Ctx<Self>) -> Result<(), StartError> {
        let load = tokio::time::timeout(RELOAD_WAIT, self.writer.load());
        let restore = wrap_future::<_, Cell<Self>>(load).map(|loaded, cell, ctx| {
            let loaded = loaded.unwrap_or_else(|_| Err("no answer in time".to_owned()));
            cell.restore(loaded, ctx);
            cell.lane.forgive();
            cell.lane.foretell(&cell.state);
            cell.follow();
        });
        ctx.wait(restore);
        ctx.run_interval(FORGET_EVERY, |cell, ctx| {
            let now = cell.clock.now();
            cell.state.forget_old_rests(now);
            cell.follow();
            if cell.note_days() {
                cell.write_later(WRITE_AFTER, ctx);
            }
        });
        Ok(())
    }

    fn draining(&mut self, _: &mut Ctx<Self>) -> Option<LocalBoxFuture<'static, ()>> {
        if self.note_days() {
            // there is something to write, and no time for a timer
            let _ = self.writer.schedule();
        }
        let last = self
            .writer
            .save_last(&self.state, Moment::of(&self.clock))?;
        let provider = Arc::clone(&self.provider);
        Some(Box::pin(async move {
            if let Err(error) = last.await {
                log::warn!("{provider}: the last state of the tokens was not stored: {error}");
            }
        }))
    }
}

impl Receive<Lend> for TokenPool {
    type Reply = Result<Lent, LeaseError>;

    fn receive(&mut self, lend: Lend, ctx: &mut Ctx<Self>) -> Self::Reply {
        // who came first is served first
        self.serve(ctx);
        let now = self.clock.now();
        match try_lend(&mut self.state, &mut self.dice, now, &lend) {
            Try::Lent(lease) => {
                if lease.is_probe() {
                    self.lane.foretell(&self.state);
                }
                Ok(Lent::Now(lease))
            }
            Try::Refused(error) => Err(error),
            Try::Later { until, reason } if lend.terms.may_wait => {
                self.wait(now, lend, until, reason, ctx)
            }
            Try::Later { until, reason } => Err(all_cold(now, until, reason)),
        }
    }
}

impl Receive<Report> for TokenPool {
    type Reply = ();

    fn receive(&mut self, report: Report, ctx: &mut Ctx<Self>) {
        let Report {
            ticket,
            model,
            outcome,
        } = report;
        let (now, rng) = (self.clock.now(), self.dice.roll());
        let changes = self.state.report(now, ticket, &model, outcome, rng);
        self.note(changes, ctx);
        self.serve(ctx);
        self.follow();
        if ticket.standing {
            self.lane.judged();
        }
    }
}

impl Receive<GetSnapshot> for TokenPool {
    type Reply = MessageResult<Deliver<GetSnapshot>>;

    fn receive(&mut self, _: GetSnapshot, ctx: &mut Ctx<Self>) -> Self::Reply {
        // callers that left are not shown as waiting
        self.serve(ctx);
        let provider = Arc::clone(&self.provider);
        let now = self.clock.now();
        MessageResult(self.state.snapshot(now, provider, self.waiting.len()))
    }
}

impl Receive<GetReadiness> for TokenPool {
    type Reply = MessageResult<Deliver<GetReadiness>>;

    fn receive(&mut self, asked: GetReadiness, _: &mut Ctx<Self>) -> Self::Reply {
        MessageResult(self.lane.readiness(self.clock.now(), &asked.model))
    }
}

impl Receive<Reset> for TokenPool {
    type Reply = bool;

    fn receive(&mut self, Reset { token }: Reset, ctx: &mut Ctx<Self>) -> bool {
        for place in self.state.places() {
            self.writer.note(place);
        }
        let known = self.state.reset(token);
        self.lane.foretell(&self.state);
        log::info!("{}: rests of tokens were ended by hand", self.provider);
        self.write_later(WRITE_AFTER, ctx);
        self.serve(ctx);
        self.follow();
        known
    }
}

impl TokenPool {
    fn restore(&mut self, loaded: Result<Vec<StoredState>, String>, ctx: &mut Ctx<Self>) {
        match loaded {
            Ok(rows) => {
                let over = self.state.restore(Moment::of(&self.clock), rows);
                self.writer.note_over(over);
                self.write_later(WRITE_AFTER, ctx);
            }
            Err(error) => log::warn!(
                "{}: starts without the stored cooldowns of its tokens: {error}",
                self.provider
            ),
        }
    }

    /// Opens or closes the lane for calm times.
    fn follow(&self) {
        self.lane.follow(&self.state, !self.waiting.is_empty());
    }

    /// Lets a request wait, if that has a point and there is room.
    fn wait(
        &mut self,
        now: Monotonic,
        lend: Lend,
        until: Option<Monotonic>,
        reason: ColdReason,
        ctx: &mut Ctx<Self>,
    ) -> Result<Lent, LeaseError> {
        let config = &self.state.config;
        let left = Duration::from_millis(config.max_wait_ms).saturating_sub(lend.terms.waited);
        let deadline = now.saturating_add(left);
        if is_hopeless(now, deadline, until, reason) {
            return Err(all_cold(now, until, reason));
        }
        if self.waiting.len() >= config.max_waiting {
            return Err(LeaseError::TooManyWaiting {
                retry_after: retry_after(now, until, reason),
            });
        }
        let (reply, answer) = oneshot::channel();
        self.waiting.push(Waiter {
            lend,
            deadline,
            reply: Some(reply),
        });
        self.wake_at(until.map_or(deadline, |until| until.min(deadline)), ctx);
        self.follow();
        Ok(Lent::Later(answer))
    }

    /// Gives those who wait their turn.
    fn serve(&mut self, ctx: &mut Ctx<Self>) {
        if self.waiting.is_empty() {
            return;
        }
        let now = self.clock.now();
        let (state, dice) = (&mut self.state, &mut self.dice);
        // What was refused to one is refused to all behind it that want the same.
        let mut blocked: Vec<Arc<str>> = Vec::new();
        let next = self.waiting.serve(|waiter| {
            let plain = waiter.lend.exclude.is_empty();
            if plain && now < waiter.deadline && blocked.contains(&waiter.lend.model) {
                return Turn::Wait(None);
            }
            match try_lend(state, dice, now, &waiter.lend) {
                Try::Lent(lease) => Turn::Answer(Ok(lease)),
                Try::Refused(error) => Turn::Answer(Err(error)),
                Try::Later { until, reason }
                    if is_hopeless(now, waiter.deadline, until, reason) =>
                {
                    Turn::Answer(Err(all_cold(now, until, reason)))
                }
                Try::Later { until, .. } => {
                    if plain {
                        blocked.push(Arc::clone(&waiter.lend.model));
                    }
                    Turn::Wait(until)
                }
            }
        });
        if let Some(next) = next {
            self.wake_at(next, ctx);
        }
    }

    /// Sees to it that those who wait get their turn at `due`, or earlier.
    fn wake_at(&mut self, due: Monotonic, ctx: &mut Ctx<Self>) {
        if let Some((at, timer)) = self.wake {
            if at <= due {
                return;
            }
            ctx.cancel_future(timer);
        }
        // the runtime's timers count whole milliseconds
        let after = due.saturating_sub(self.clock.now()) + Duration::from_millis(1);
        let timer = ctx.run_later(after, |cell, ctx| {
            cell.wake = None;
            cell.serve(ctx);
        });
        self.wake = Some((due, timer));
    }

    /// Notes the days of tokens that have begun. True if there are any.
    fn note_days(&mut self) -> bool {
        let begun = self.state.begun_days();
        let any = !begun.is_empty();
        for place in begun {
            self.writer.note(place);
        }
        any
    }

    /// Logs what changed, and has it stored.
    fn note(&mut self, changes: Vec<Change>, ctx: &mut Ctx<Self>) {
        if changes.is_empty() {
            return;
        }
        self.lane.foretell(&self.state);
        for change in changes {
            self.log(&change);
            if let Some(place) = change.place() {
                self.writer.note(place);
            }
        }
        self.write_later(WRITE_AFTER, ctx);
    }

    fn log(&self, change: &Change) {
        let provider = &self.provider;
        let alias = |token: &TokenIndex| {
            let token = self.state.tokens.get(token.0 as usize);
            token.map_or("", |token| &*token.identity.alias)
        };
        match change {
            Change::Cooled {
                token,
                model,
                reason,
                rest,
            } => {
                let (alias, rest) = (alias(token), in_words(*rest));
                let model = model.as_deref().unwrap_or("all models");
                log::info!("{provider}: token {alias} rests {rest} for {model}: {reason}");
            }
            Change::Recovered { token, .. } => {
                log::debug!("{provider}: token {} works again", alias(token));
            }
            Change::Disabled { token, recheck_in } => log::warn!(
                "{provider}: token {} was refused as invalid and is disabled, re-check in {}",
                alias(token),
                in_words(*recheck_in)
            ),
            Change::Enabled { token } => {
                log::info!("{provider}: token {} is accepted again", alias(token));
            }
            Change::BreakerOpened { rest } => log::warn!(
                "{provider}: the upstream fails repeatedly and is left alone for {}",
                in_words(*rest)
            ),
            Change::BreakerClosed => log::info!("{provider}: the upstream is back"),
        }
    }

    fn write_later(&mut self, after: Duration, ctx: &mut Ctx<Self>) {
        if self.writer.schedule() {
            ctx.run_later(after, |cell, ctx| cell.write(ctx));
        }
    }

    fn write(&mut self, ctx: &mut Ctx<Self>) {
        let Some(saving) = self.writer.save(&self.state, Moment::of(&self.clock)) else {
            return;
        };
        let written = wrap_future::<_, Cell<Self>>(saving).map(|saved, cell, ctx| {
            match cell.writer.saved(saved) {
                After::Idle => {}
                After::More => cell.write_later(WRITE_AFTER, ctx),
                After::Failed => cell.write_later(REWRITE_AFTER, ctx),
            }
        });
        ctx.spawn(written);
    }
}
