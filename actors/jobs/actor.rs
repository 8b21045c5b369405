//! The job manager: puts jobs in order, and has a worker for each that runs.

use std::{collections::HashMap, sync::Arc, time::Duration};

use actix::{
    ActorFutureExt as _, AsyncContext as _, MessageResult, ResponseActFuture,
    fut::{ready, wrap_future},
};
use futures_util::future::LocalBoxFuture;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::{
    config::JobsConfig,
    draw::Draw,
    followers::Followers,
    handle::JobError,
    job::{Outlook, State},
    learnt::{self, Learnt, Quick},
    look::{Read, entry_of, read},
    messages::{
        Adopt, Begun, Cancel, Count, Counts, Ended, Follow, Introduce, Look, Moved, Submit, Took,
    },
    policy::{Board, Entry, Room},
    store::{Kept, Store},
    transition::held_of,
    workers::Workers,
};
use crate::{
    storage::queries::jobs::JobRow,
    supervision::{Behaviour, Cell, Ctx, Deliver, Handle, Receive, StartError, clock::Monotonic},
};

/// What outlives the actor's falls.
pub(super) struct Setup {
    pub config: JobsConfig,
    pub store: Store,
    pub draw: Arc<dyn Draw>,
    pub workers: Workers,
    /// Models whose pictures need no job.
    pub quick: Arc<Quick>,
    /// The process is about to end: what waits is left for the next start.
    pub draining: CancellationToken,
    /// The way back for workers; known once the actor has started for the first time.
    pub manager: OnceCell<Handle<Jobs>>,
}

/// See the module's head.
pub struct Jobs {
    setup: Arc<Setup>,
    board: Board,
    learnt: Learnt,
    /// When those that run were begun, in milliseconds since 1970.
    begun: HashMap<Arc<str>, i64>,
    followers: Followers,
    /// Whether the table has been read since the start.
    loaded: bool,
    looking: bool,
    /// When all who follow a job look at it again.
    stir_at: Monotonic,
}

/// How often resting jobs and progress are looked at.
const TICK: Duration = Duration::from_millis(250);
/// How often the table is read for jobs that the board does not know.
const LOOK: Duration = Duration::from_secs(30);
/// How often followers look at their job without a reason: it may end where this manager hears nothing of it.
const STIR: Duration = Duration::from_secs(5);
/// How often a lease is renewed while it lasts.
const RENEWALS: u32 = 4;
/// When to read again after the database did not answer.
const RETRY: Duration = Duration::from_secs(1);
/// The bound of an ordered stop.
const DRAIN: Duration = Duration::from_secs(3);

impl Jobs {
    pub(super) fn new(setup: Arc<Setup>) -> Self {
        let learnt = Learnt::new(setup.quick.clone(), setup.config.patience_ms);
        Self {
            setup,
            board: Board::default(),
            learnt,
            begun: HashMap::new(),
            followers: Followers::default(),
            loaded: false,
            looking: false,
            stir_at: Monotonic::ZERO,
        }
    }

    /// Reads the table; what the board does not know is put there.
    fn look(&mut self, ctx: &mut Ctx<Self>) {
        if self.looking {
            return;
        }
        self.looking = true;
        let read = read(self.setup.clone(), !self.loaded);
        let read = wrap_future::<_, Cell<Self>>(read).map(|read, cell, ctx| {
            cell.looking = false;
            match read {
                Ok(read) => cell.restore(read),
                Err(error) => {
                    log::warn!("the table of jobs is read again later: {error}");
                    ctx.run_later(RETRY, |cell, ctx| cell.look(ctx));
                }
            }
        });
        if self.loaded {
            ctx.spawn(read);
        } else {
            ctx.wait(read);
        }
    }

    fn restore(&mut self, read: Read) {
        for (model, took) in read.durations {
            let took = u64::try_from(took).unwrap_or_default();
            self.learnt.note(&model.into(), took);
        }
        let (now, wall) = (self.setup.store.clock.now(), self.setup.store.now());
        // one that lives now has its report still to be read
        let alive = self.setup.workers.ids();
        for job in read.unfinished {
            let wake = job.wake_at.map_or(0, |wake| wake.saturating_sub(wall));
            let wake = Duration::from_millis(u64::try_from(wake).unwrap_or_default());
            let entry = entry_of(&job);
            if alive.contains(&entry.id) {
                self.begun
                    .extend(job.started_at.map(|at| (entry.id.clone(), at)));
                let at_once = self.setup.workers.is_at_once(&entry.id);
                self.board.adopt(Entry { at_once, ..entry });
            } else if wake.is_zero() {
                self.board.queue(entry);
            } else {
                self.board.rest(entry, now + wake);
            }
        }
        for id in read.ended {
            self.followers.stir(&id);
        }
        self.loaded = true;
        self.pump();
    }

    /// Begins what may be begun.
    fn pump(&mut self) {
        let Some(manager) = self.setup.manager.get().filter(|_| self.loaded) else {
            return;
        };
        if self.setup.draining.is_cancelled() {
            return;
        }
        let now = self.setup.store.clock.now();
        for entry in self.board.next(Room::from(&self.setup.config), now) {
            self.setup
                .workers
                .spawn(&self.setup, &entry, manager.clone());
        }
    }

    fn tick(&mut self) {
        self.pump();
        let now = self.setup.store.now();
        let running = self.board.running().count();
        self.setup.store.metrics.stand(self.board.queued(), running);
        self.followers.tick(&self.board);
        for entry in self.board.running() {
            self.followers.tell_progress(&entry.id, || {
                let begun = self.begun.get(&entry.id)?;
                let elapsed = u64::try_from(now.saturating_sub(*begun)).unwrap_or_default();
                let takes = self.learnt.takes_ms(&entry.model);
                Some(learnt::progress(elapsed, takes))
            });
        }
        let now = self.setup.store.clock.now();
        if now >= self.stir_at {
            self.stir_at = now + STIR;
            self.followers.stir_all();
        }
    }

    /// Says that this node lives; what it has lost meanwhile is left alone.
    fn renew(&self, ctx: &mut Ctx<Self>) {
        let setup = self.setup.clone();
        let renew = async move {
            let begun = setup.workers.begun();
            match setup.store.renew().await {
                Ok(Some(own)) => {
                    let gone = begun
                        .iter()
                        .filter(|id| !own.iter().any(|own| *own == ***id));
                    gone.for_each(|id| {
                        setup.workers.cancel(id);
                    });
                }
                Ok(None) => {}
                Err(error) => log::warn!("this node's lease is not renewed: {error}"),
            }
        };
        ctx.spawn(wrap_future(renew));
    }

    /// Nobody wants a job any more: its worker is told, here or by the node that it is at, or else its upstreams.
    fn call_off(&self, row: &JobRow) {
        let setup = &self.setup;
        let is_told = setup.workers.cancel(&row.id);
        let (owner, now) = (row.owner.as_deref(), setup.store.now());
        if !is_told && setup.store.node.may_take(owner, row.leased_until, now) {
            let held = held_of(row.tickets.as_deref());
            setup
                .workers
                .call_off(setup, row, held.into_values().collect());
        }
    }

    /// Puts a job in its place after an attempt, as its row says.
    fn settle(&mut self, id: &Arc<str>, row: Option<JobRow>) {
        // one that ended before its beginning was heard of is not on the board
        let known = self.board.remove(id);
        let entry = known.or_else(|| row.as_ref().map(Entry::of));
        self.begun.remove(id);
        if let Some((entry, row)) = entry.zip(row) {
            self.place(entry, &row);
        }
        self.followers.stir(id);
        self.pump();
    }

    /// A job after an attempt: it rests before the next, or what it took is learnt.
    fn place(&mut self, entry: Entry, row: &JobRow) {
        if let Some(end) = row.finished_at {
            let is_done = row.state == State::Completed.to_string();
            let took = row.started_at.filter(|_| is_done).map(|begin| end - begin);
            if let Some(Ok(took)) = took.map(u64::try_from) {
                self.learnt.note(&entry.model, took);
            }
            return;
        }
        let entry = Entry {
            provider: row.provider.as_str().into(),
            at_once: false,
            ..entry
        };
        let wait = row.wake_at.unwrap_or_default() - self.setup.store.now();
        let wait = Duration::from_millis(u64::try_from(wait).unwrap_or_default());
        self.board.rest(entry, self.setup.store.clock.now() + wait);
    }
}

impl Behaviour for Jobs {
    fn started(&mut self, ctx: &mut Ctx<Self>) -> Result<(), StartError> {
        self.look(ctx);
        ctx.run_interval(TICK, |cell, _| cell.tick());
        ctx.run_interval(LOOK, |cell, ctx| cell.look(ctx));
        if let Some(lease) = self.setup.store.node.lease() {
            ctx.run_interval(lease / RENEWALS, |cell, ctx| cell.renew(ctx));
        }
        Ok(())
    }

    fn draining(&mut self, _: &mut Ctx<Self>) -> Option<LocalBoxFuture<'static, ()>> {
        self.loaded = false;
        let setup = self.setup.clone();
        Some(Box::pin(async move {
            // what does not end is found interrupted at the next start
            let _ = tokio::time::timeout(DRAIN, setup.workers.finish()).await;
            // another node need not wait until it is clear that this one is gone
            if let Err(error) = setup.store.release().await {
                log::warn!("this node's jobs stay in its name until its lease is over: {error}");
            }
        }))
    }
}

impl Receive<Introduce> for Jobs {
    type Reply = ();

    fn receive(&mut self, Introduce(manager): Introduce, _: &mut Ctx<Self>) {
        // an error means that it is known already
        let _ = self.setup.manager.set(manager);
        self.pump();
    }
}

impl Receive<Submit> for Jobs {
    type Reply = ResponseActFuture<Cell<Self>, Result<JobRow, JobError>>;

    fn receive(&mut self, Submit(new): Submit, _: &mut Ctx<Self>) -> Self::Reply {
        if let Err(full) = self.board.admits(&new.app_id, &self.setup.config) {
            return Box::pin(ready(Err(full.into())));
        }
        let setup = self.setup.clone();
        let insert = async move { setup.store.insert(new).await };
        Box::pin(
            wrap_future::<_, Cell<Self>>(insert).map(|inserted, cell, _| match inserted? {
                Kept::New(row) => {
                    cell.board.queue(Entry::of(&row));
                    cell.pump();
                    Ok(row)
                }
                Kept::Earlier(row) => Ok(row),
            }),
        )
    }
}

impl Receive<Cancel> for Jobs {
    type Reply = ResponseActFuture<Cell<Self>, Result<Option<JobRow>, JobError>>;

    fn receive(&mut self, Cancel(id): Cancel, _: &mut Ctx<Self>) -> Self::Reply {
        let (setup, asked) = (self.setup.clone(), id.clone());
        let cancel = async move { setup.store.cancel(&asked).await };
        Box::pin(
            wrap_future::<_, Cell<Self>>(cancel).map(move |cancelled, cell, _| {
                let row = cancelled?;
                if let Some(row) = &row {
                    cell.call_off(row);
                    // one that runs leaves when its worker has
                    if !cell.board.runs(&id) {
                        cell.board.remove(&id);
                    }
                    cell.followers.stir(&id);
                }
                Ok(row)
            }),
        )
    }
}

impl Receive<Adopt> for Jobs {
    type Reply = ();

    fn receive(&mut self, Adopt { entry, started_at }: Adopt, _: &mut Ctx<Self>) {
        // it may have ended already, with a report that goes before this one
        if self.setup.workers.ids().contains(&entry.id) {
            self.begun
                .extend(started_at.map(|at| (entry.id.clone(), at)));
            self.board.adopt(entry);
        }
    }
}

impl Receive<Moved> for Jobs {
    type Reply = ();

    fn receive(&mut self, Moved { entry }: Moved, _: &mut Ctx<Self>) {
        self.followers.stir(&entry.id);
        if self.board.runs(&entry.id)
            && let Some(before) = self.board.remove(&entry.id)
        {
            let at_once = before.at_once;
            self.board.adopt(Entry { at_once, ..entry });
        }
    }
}

impl Receive<Begun> for Jobs {
    type Reply = ();

    fn receive(&mut self, Begun { id, started_at }: Begun, _: &mut Ctx<Self>) {
        self.followers.stir(&id);
        self.begun.extend(
            started_at
                .filter(|_| self.board.runs(&id))
                .map(|at| (id, at)),
        );
    }
}

impl Receive<Ended> for Jobs {
    type Reply = ();

    fn receive(&mut self, Ended { id, row }: Ended, _: &mut Ctx<Self>) {
        self.settle(&id, row);
    }
}

impl Receive<Look> for Jobs {
    type Reply = Vec<Outlook>;

    fn receive(&mut self, Look(jobs): Look, _: &mut Ctx<Self>) -> Vec<Outlook> {
        let at_a_time = self.setup.config.max_running.max(1) as u64;
        let look = |(id, model): (String, String)| {
            let (position, takes_ms) = (self.board.position(&id), self.learnt.takes_ms(&model));
            let before = position.map_or(0, |position| position as u64);
            Outlook {
                position,
                takes_ms,
                wait_ms: before.saturating_mul(takes_ms) / at_a_time,
            }
        };
        jobs.into_iter().map(look).collect()
    }
}

impl Receive<Took> for Jobs {
    type Reply = ();

    fn receive(&mut self, Took { model, took_ms }: Took, _: &mut Ctx<Self>) {
        self.learnt.note(&model, took_ms);
    }
}

impl Receive<Follow> for Jobs {
    type Reply = MessageResult<Deliver<Follow>>;

    fn receive(&mut self, Follow(id): Follow, _: &mut Ctx<Self>) -> Self::Reply {
        MessageResult(self.followers.add(id))
    }
}

impl Receive<Count> for Jobs {
    type Reply = MessageResult<Deliver<Count>>;

    fn receive(&mut self, _: Count, _: &mut Ctx<Self>) -> Self::Reply {
        MessageResult(Counts {
            queued: self.board.queued(),
            running: self.board.running().count(),
        })
    }
}
