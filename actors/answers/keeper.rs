//! The actor that forgets what is over, and stores what the database did not take at first.

use std::time::Duration;

use actix::{ActorFutureExt as _, AsyncContext as _, fut::wrap_future};
use futures_util::future::LocalBoxFuture;

use super::table::Table;
use crate::{
    storage::{Database, StorageError, queries::answers},
    supervision::{Behaviour, Cell, ChildSpec, Clock, Ctx, StartError, clock::Monotonic},
};

/// See the module's head.
pub struct Keeper {
    table: Table,
    clock: Clock,
    database: Database,
    /// Whether a pass over the database is under way.
    busy: bool,
    /// Before this time no expired rows are looked for.
    sweep_at: Monotonic,
}

const TICK: Duration = Duration::from_millis(500);
/// How often expired rows are looked for, once there are no more of them.
const SWEEP_PAUSE: Duration = Duration::from_secs(60);
/// Rows deleted at a time; they may be large.
const SWEEP_BATCH: usize = 200;

impl Keeper {
    pub(super) fn spec(table: &Table, clock: &Clock, database: &Database) -> ChildSpec<Self> {
        let (table, clock, database) = (table.clone(), clock.clone(), database.clone());
        ChildSpec::new("answers", "accounts", move || {
            Ok(Self {
                table: table.clone(),
                sweep_at: clock.now(),
                clock: clock.clone(),
                database: database.clone(),
                busy: false,
            })
        })
    }

    fn tick(&mut self, ctx: &mut Ctx<Self>) {
        self.table.forget_old();
        if self.busy {
            return;
        }
        let sweeps = self.clock.now() >= self.sweep_at;
        if !sweeps && self.table.waiting().is_empty() {
            return;
        }
        self.busy = true;
        let pass = Pass {
            table: self.table.clone(),
            database: self.database.clone(),
            now: wall(&self.clock),
        };
        let pass = async move {
            let stored = pass.store_waiting().await;
            let swept = match sweeps && stored.is_ok() {
                true => pass.sweep().await.map(Some),
                false => Ok(None),
            };
            stored.and(swept)
        };
        ctx.spawn(wrap_future::<_, Cell<Self>>(pass).map(|done, cell, _ctx| cell.note(done)));
    }

    /// `done` says how many expired rows there were, where they were looked for.
    fn note(&mut self, done: Result<Option<usize>, StorageError>) {
        self.busy = false;
        match done {
            // a full batch: the next tick goes on
            Ok(Some(SWEEP_BATCH..)) | Ok(None) => {}
            Ok(Some(_)) => self.sweep_at = self.clock.now() + SWEEP_PAUSE,
            Err(error) => {
                log::debug!("kept answers are looked after later: {error}");
            }
        }
    }
}

/// One look at the database.
struct Pass {
    table: Table,
    database: Database,
    now: i64,
}

impl Pass {
    /// Stores what waits; stops at the first failure.
    async fn store_waiting(&self) -> Result<(), StorageError> {
        let waiting = self.table.waiting();
        let count = waiting.len();
        for waiting in waiting {
            if waiting.row.expires_at > self.now {
                let row = waiting.row.clone();
                let write = self.database.write(move |conn| answers::put(conn, &row));
                write.await?;
            }
            self.table.done_waiting(&waiting);
        }
        if count > 0 {
            log::info!("{count} answers to idempotency keys that had waited are stored");
        }
        Ok(())
    }

    async fn sweep(&self) -> Result<usize, StorageError> {
        let now = self.now;
        self.database
            .write(move |conn| answers::delete_expired(conn, now, SWEEP_BATCH))
            .await
    }
}

impl Behaviour for Keeper {
    fn started(&mut self, ctx: &mut Ctx<Self>) -> Result<(), StartError> {
        ctx.run_interval(TICK, |cell, ctx| cell.tick(ctx));
        Ok(())
    }

    fn draining(&mut self, _: &mut Ctx<Self>) -> Option<LocalBoxFuture<'static, ()>> {
        let pass = Pass {
            table: self.table.clone(),
            database: self.database.clone(),
            now: wall(&self.clock),
        };
        Some(Box::pin(async move {
            if let Err(error) = pass.store_waiting().await {
                let lost = pass.table.waiting().len();
                log::error!("{lost} answers to idempotency keys are lost: {error}");
            }
        }))
    }
}

fn wall(clock: &Clock) -> i64 {
    i64::try_from(clock.wall_ms()).unwrap_or(i64::MAX)
}
