//! The calls actor: empties the spool into the database and removes what is too old.

use std::time::Duration;

use actix::{ActorFutureExt as _, AsyncContext as _, Message, ResponseFuture, fut::wrap_future};
use futures_util::future::LocalBoxFuture;
use tokio::sync::oneshot;

use super::{
    pass::{PassError, store_all},
    spool::{Spool, SpoolReader},
};
use crate::{
    accounts::config::CallsConfig,
    storage::{Database, StorageError, queries::calls},
    supervision::{Behaviour, Cell, ChildSpec, Clock, Ctx, Receive, StartError, clock::Monotonic},
};

/// See the module's head.
pub struct Calls {
    config: CallsConfig,
    clock: Clock,
    database: Database,
    spool: Spool,
    /// At home between two passes.
    reader: Option<SpoolReader>,
    /// Who waits for a pass that begins after they asked.
    waiting: Vec<oneshot::Sender<Result<(), PassError>>>,
    /// Passes that failed in a row.
    failures: u32,
    /// Before this time no pass is begun by itself.
    pause_until: Monotonic,
    /// Before this time no old records are looked for.
    keep_until: Monotonic,
}

/// The longest pause after passes that failed.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// How often old records are looked for, once there are no more of them.
const RETENTION_PAUSE: Duration = Duration::from_secs(600);
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

impl Calls {
    /// How to start it, after the storage.
    #[must_use]
    pub fn spec(
        config: &CallsConfig,
        clock: &Clock,
        database: &Database,
        spool: &Spool,
    ) -> ChildSpec<Self> {
        let (config, clock) = (config.clone(), clock.clone());
        let (database, spool) = (database.clone(), spool.clone());
        ChildSpec::new("accounts/calls", "accounts", move || {
            Ok(Self {
                config: config.clone(),
                clock: clock.clone(),
                database: database.clone(),
                reader: Some(spool.reader()),
                spool: spool.clone(),
                waiting: Vec::new(),
                failures: 0,
                pause_until: clock.now(),
                keep_until: clock.now(),
            })
        })
    }

    fn tick(&mut self, ctx: &mut Ctx<Self>) {
        if self.clock.now() < self.pause_until {
            return;
        }
        if self.spool.backlog_bytes() > 0 {
            self.begin_pass(ctx);
        }
        self.remove_old(ctx);
    }

    /// Begins a pass unless one is under way; that one looks for who waits when it is done.
    fn begin_pass(&mut self, ctx: &mut Ctx<Self>) {
        let Some(mut reader) = self.reader.take() else {
            return;
        };
        let served = std::mem::take(&mut self.waiting);
        let (database, most) = (self.database.clone(), self.config.batch.max(1));
        let pass = async move {
            let result = store_all(&mut reader, &database, most).await;
            (reader, result)
        };
        let pass = wrap_future::<_, Cell<Self>>(pass).map(move |(reader, result), cell, ctx| {
            cell.reader = Some(reader);
            cell.note(&result);
            let result = result.map(|_| ());
            for asker in served {
                // an error means that the asker has gone
                let _ = asker.send(result.clone());
            }
            if !cell.waiting.is_empty() {
                cell.begin_pass(ctx);
            }
        });
        ctx.spawn(pass);
    }

    /// Logs the first failure in a row and the end of the row, and decides on a pause.
    fn note(&mut self, result: &Result<usize, PassError>) {
        match result {
            Ok(stored) => {
                if self.failures > 0 {
                    log::info!("call records are stored again, {stored} had been waiting");
                }
                self.failures = 0;
                // a full batch means load: what is old can wait for a quiet moment
                if *stored >= self.config.batch {
                    self.keep_until = self.keep_until.max(self.clock.now() + MAX_PAUSE);
                }
            }
            Err(error) => {
                if self.failures == 0 {
                    log::warn!("call records wait in the spool: {error}");
                }
                let flush = Duration::from_millis(self.config.flush_ms);
                self.pause_until = self.clock.now() + pause(flush, self.failures);
                self.failures = self.failures.saturating_add(1);
            }
        }
    }

    /// Removes some of what is older than the configured time, in a quiet moment.
    fn remove_old(&mut self, ctx: &mut Ctx<Self>) {
        let now = self.clock.now();
        if self.config.retention_days == 0 || now < self.keep_until {
            return;
        }
        self.keep_until = now + RETENTION_PAUSE;
        let kept_ms = DAY_MS * i64::from(self.config.retention_days);
        let wall_ms = i64::try_from(self.clock.wall_ms()).unwrap_or(i64::MAX);
        let (database, most) = (self.database.clone(), self.config.batch.max(1));
        let removal = async move {
            let oldest = wall_ms - kept_ms;
            let job = move |conn: &mut _| calls::delete_oldest(conn, oldest, most);
            database.write(job).await.map(|removed| removed == most)
        };
        let removal = wrap_future::<_, Cell<Self>>(removal).map(|more, cell, _ctx| match more {
            // the next quiet tick goes on
            Ok(true) => cell.keep_until = cell.clock.now(),
            Ok(false) => {}
            Err(error) => log::warn!("old call records were not removed: {error}"),
        });
        ctx.spawn(removal);
    }

    fn flush(&mut self, ctx: &mut Ctx<Self>) -> oneshot::Receiver<Result<(), PassError>> {
        let (asker, done) = oneshot::channel();
        self.waiting.push(asker);
        self.begin_pass(ctx);
        done
    }
}

/// How long to leave the database alone after `failures` passes in a row had failed before this one.
fn pause(flush: Duration, failures: u32) -> Duration {
    flush.saturating_mul(1 << failures.min(10)).min(MAX_PAUSE)
}

impl Behaviour for Calls {
    fn started(&mut self, ctx: &mut Ctx<Self>) -> Result<(), StartError> {
        let tick = Duration::from_millis(self.config.flush_ms.max(1));
        ctx.run_interval(tick, |cell, ctx| cell.tick(ctx));
        // what an earlier process or an earlier life of this actor has left
        self.begin_pass(ctx);
        Ok(())
    }

    fn draining(&mut self, ctx: &mut Ctx<Self>) -> Option<LocalBoxFuture<'static, ()>> {
        let done = self.flush(ctx);
        Some(Box::pin(async move {
            // no answer = the actor fell meanwhile; the next start replays in any case
            if let Ok(Err(error)) = done.await {
                log::warn!("call records stay in the spool for the next start: {error}");
            }
        }))
    }
}

/// Stores what is in the spool now. The reply comes when all that was written before the question is in the database,
/// or with the reason why not. From the admin list, so that it shows what was answered a moment ago.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), PassError>")]
pub struct Flush;

impl Receive<Flush> for Calls {
    type Reply = ResponseFuture<Result<(), PassError>>;

    fn receive(&mut self, _: Flush, ctx: &mut Ctx<Self>) -> Self::Reply {
        let done = self.flush(ctx);
        Box::pin(async move {
            let ended = StorageError::Unavailable("the calls actor is restarting".to_owned());
            done.await.unwrap_or_else(|_| Err(ended.into()))
        })
    }
}
