//! The actor that empties the outbox.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix::{ActorFutureExt as _, AsyncContext as _, fut::wrap_future};
use futures_util::future::LocalBoxFuture;
use tokio::sync::OnceCell;

use super::{
    carry::Carry,
    config::WebhooksConfig,
    courier::deliver,
    keys::Keys,
    messages::{Ended, Wake},
    metrics::WebhookMetrics,
    policy::Traffic,
};
use crate::{
    jobs::node::Node,
    storage::{
        StorageError,
        queries::webhook_deliveries::{self, DeliveryRow},
    },
    supervision::{Behaviour, Cell, Ctx, Handle, Receive, StartError, tasks::Tasks},
};

/// What outlives the actor's falls.
pub(super) struct Setup {
    pub config: WebhooksConfig,
    pub keys: Keys,
    pub node: Node,
    pub carry: Arc<dyn Carry>,
    pub tasks: Tasks,
    /// Locked, not owned by the actor: that a delivery is under way is known by itself alone.
    pub traffic: Mutex<Traffic>,
    pub metrics: WebhookMetrics,
    /// The way back for deliveries; known once the actor has started for the first time.
    pub webhooks: OnceCell<Handle<Webhooks>>,
}

/// See the module's head.
pub struct Webhooks {
    setup: Arc<Setup>,
    /// When the next delivery has its time, in milliseconds since 1970, as far as the table was read.
    due_at: Option<i64>,
    looking: bool,
    /// Something has changed since the look that is under way.
    again: bool,
    sweeping: bool,
}

/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(250);
/// How often the table is read without a reason, and what is owed is counted.
const LOOK: Duration = Duration::from_secs(5);
/// How often what was kept long enough is removed.
const SWEEP: Duration = Duration::from_secs(60);
/// When to read again after the database did not answer.
const RETRY: Duration = Duration::from_secs(1);
/// How much longer than an attempt may take a node has its delivery for itself.
const CLAIM_SLACK_MS: u64 = 15_000;
/// The bound of an ordered stop.
const DRAIN: Duration = Duration::from_secs(3);
/// Deliveries of one transaction of the removal.
const BATCH: usize = 500;
const HOUR_MS: i64 = 3_600_000;

/// What is to be done.
struct Found {
    due: Vec<DeliveryRow>,
    next: Option<i64>,
}

/// Out of the traffic when dropped, also by a panic or with its thread.
struct Place {
    id: String,
    setup: Arc<Setup>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.setup.with(|traffic| traffic.leave(&self.id));
        let told = self
            .setup
            .webhooks
            .get()
            .map(|webhooks| webhooks.tell(Ended));
        if let Some(Err(error)) = told {
            // its restart reads the table
            log::debug!("the end of a delivery was not heard: {error}");
        }
    }
}

impl Setup {
    fn with<T>(&self, look: impl FnOnce(&mut Traffic) -> T) -> T {
        let mut traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        look(&mut traffic)
    }

    /// Reads what may be tried now.
    async fn look(&self) -> Result<Found, StorageError> {
        let (busy, room) =
            self.with(|traffic| (traffic.busy(&self.config), traffic.room(&self.config)));
        let now = self.keys.now();
        let look = move |conn: &mut _| {
            Ok(Found {
                due: match room {
                    0 => Vec::new(),
                    room => webhook_deliveries::due(conn, now, &busy, room)?,
                },
                next: webhook_deliveries::next_after(conn, now)?,
            })
        };
        self.keys.database.read(look).await
    }

    /// Has a delivery for itself for as long as an attempt takes; false where another node was quicker.
    pub async fn claim(&self, row: &DeliveryRow) -> Result<bool, StorageError> {
        if self.node.lease().is_none() {
            return Ok(true);
        }
        let (id, next_at) = (row.id.clone(), row.next_at);
        let lasts = self.config.timeout_ms.saturating_add(CLAIM_SLACK_MS);
        let lasts = i64::try_from(lasts).unwrap_or(i64::MAX);
        let until = self.keys.now().saturating_add(lasts);
        let claim = move |conn: &mut _| webhook_deliveries::claim(conn, &id, next_at, until);
        self.keys.database.write(claim).await
    }

    /// Counts what is owed.
    async fn count(&self) -> Result<(), StorageError> {
        let pending = self.keys.database.read(webhook_deliveries::pending).await?;
        self.metrics.pending.set(pending);
        Ok(())
    }

    /// Removes what was kept long enough.
    async fn sweep(&self) -> Result<(), StorageError> {
        let (now, config) = (self.keys.now(), &self.config);
        for (state, hours) in [
            ("delivered", config.retention_hours),
            ("dead", config.dead_retention_hours),
        ] {
            let before = now - HOUR_MS * i64::from(hours);
            let mut batch = BATCH;
            while batch == BATCH {
                let delete = move |conn: &mut _| {
                    webhook_deliveries::delete_ended(conn, state, before, BATCH)
                };
                batch = self.keys.database.write(delete).await?;
                if batch > 0 {
                    log::info!("{batch} old {state} messages were removed");
                }
            }
        }
        Ok(())
    }
}

impl Webhooks {
    pub(super) fn new(setup: Arc<Setup>) -> Self {
        Self {
            setup,
            due_at: None,
            looking: false,
            again: false,
            sweeping: false,
        }
    }

    /// Reads the table and tries what may be tried.
    fn pump(&mut self, ctx: &mut Ctx<Self>) {
        if self.looking {
            self.again = true;
            return;
        }
        (self.looking, self.again) = (true, false);
        let setup = self.setup.clone();
        let look = async move { setup.look().await };
        ctx.spawn(wrap_future::<_, Cell<Self>>(look).map(|found, cell, ctx| {
            cell.looking = false;
            match found {
                Ok(found) => cell.send_out(found, ctx),
                Err(error) => {
                    log::warn!("the outbox is read again later: {error}");
                    ctx.run_later(RETRY, |cell, ctx| cell.pump(ctx));
                }
            }
        }));
    }

    fn send_out(&mut self, found: Found, ctx: &mut Ctx<Self>) {
        self.due_at = found.next;
        let mut left_out = false;
        for row in found.due {
            left_out |= !self.send(row);
        }
        // those of receivers that are full now had the places of others
        if left_out || self.again {
            self.pump(ctx);
        }
    }

    /// False where there is no room.
    fn send(&self, row: DeliveryRow) -> bool {
        let setup = self.setup.clone();
        // the process ends: it is owed as before
        if setup.tasks.shutdown().is_cancelled() {
            return true;
        }
        if !setup.with(|traffic| traffic.admit(&row, &setup.config)) {
            return false;
        }
        let place = Place {
            id: row.id.clone(),
            setup: setup.clone(),
        };
        let task = async move {
            deliver(&setup, row).await;
            drop(place);
        };
        // its place is free again, and it is owed as before
        self.setup.tasks.spawn("webhook", task, |_| ());
        true
    }

    fn tick(&mut self, ctx: &mut Ctx<Self>) {
        let now = self.setup.keys.now();
        if self.due_at.is_some_and(|at| at <= now) {
            self.pump(ctx);
        }
    }

    fn count(ctx: &mut Ctx<Self>, setup: Arc<Setup>) {
        let count = async move {
            if let Err(error) = setup.count().await {
                // the next time does
                log::debug!("what is owed was not counted: {error}");
            }
        };
        ctx.spawn(wrap_future(count));
    }

    fn sweep(&mut self, ctx: &mut Ctx<Self>) {
        if self.sweeping {
            return;
        }
        self.sweeping = true;
        let setup = self.setup.clone();
        let sweep = async move { setup.sweep().await };
        ctx.spawn(wrap_future::<_, Cell<Self>>(sweep).map(|swept, cell, _| {
            cell.sweeping = false;
            if let Err(error) = swept {
                // the next time does
                log::warn!("old messages were not removed: {error}");
            }
        }));
    }
}

impl Behaviour for Webhooks {
    fn started(&mut self, ctx: &mut Ctx<Self>) -> Result<(), StartError> {
        self.pump(ctx);
        self.sweep(ctx);
        ctx.run_interval(TICK, |cell, ctx| cell.tick(ctx));
        ctx.run_interval(LOOK, |cell, ctx| {
            cell.pump(ctx);
            Self::count(ctx, cell.setup.clone());
        });
        ctx.run_interval(SWEEP, |cell, ctx| cell.sweep(ctx));
        Ok(())
    }

    fn draining(&mut self, _: &mut Ctx<Self>) -> Option<LocalBoxFuture<'static, ()>> {
        let tasks = self.setup.tasks.clone();
        Some(Box::pin(async move {
            // what does not end is tried again after the next start
            let _ = tokio::time::timeout(DRAIN, tasks.finish()).await;
        }))
    }
}

impl Receive<Wake> for Webhooks {
    type Reply = ();

    fn receive(&mut self, _: Wake, ctx: &mut Ctx<Self>) {
        self.pump(ctx);
    }
}

impl Receive<Ended> for Webhooks {
    type Reply = ();

    fn receive(&mut self, _: Ended, ctx: &mut Ctx<Self>) {
        self.pump(ctx);
    }
}
