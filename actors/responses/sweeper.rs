//! The actor that removes expired responses.

use std::time::Duration;

use actix::{ActorFutureExt as _, AsyncContext as _, fut::wrap_future};

use super::config::ResponsesConfig;
use crate::{
    storage::{Database, StorageError, queries::responses},
    supervision::{Behaviour, Cell, ChildSpec, Clock, Ctx, StartError},
};

/// See the module's head.
pub struct Sweeper {
    every: Duration,
    clock: Clock,
    database: Database,
    sweeping: bool,
}

/// Rows of one transaction, which other writes wait for; each may have some megabytes.
const BATCH: usize = 100;

impl Sweeper {
    /// How to start it, after the storage.
    #[must_use]
    pub fn spec(config: &ResponsesConfig, clock: &Clock, database: &Database) -> ChildSpec<Self> {
        let every = Duration::from_millis(config.sweep_ms.max(1));
        let (clock, database) = (clock.clone(), database.clone());
        ChildSpec::new("responses", "accounts", move || {
            Ok(Self {
                every,
                clock: clock.clone(),
                database: database.clone(),
                sweeping: false,
            })
        })
    }

    fn sweep(&mut self, ctx: &mut Ctx<Self>) {
        if self.sweeping {
            return;
        }
        self.sweeping = true;
        let now = i64::try_from(self.clock.wall_ms()).unwrap_or(i64::MAX);
        let sweep = remove_expired(self.database.clone(), now);
        ctx.spawn(wrap_future::<_, Cell<Self>>(sweep).map(|removed, cell, _| {
            cell.sweeping = false;
            match removed {
                Ok(0) => {}
                Ok(removed) => log::info!("{removed} expired responses were removed"),
                // the next sweep tries again, and nobody sees them meanwhile
                Err(error) => log::warn!("expired responses were not removed: {error}"),
            }
        }));
    }
}

/// Removes what has expired by `now`, some rows at a time; returns how many there were.
async fn remove_expired(database: Database, now: i64) -> Result<usize, StorageError> {
    let mut removed = 0;
    loop {
        let batch = database
            .write(move |conn| responses::delete_expired(conn, now, BATCH))
            .await?;
        removed += batch;
        if batch < BATCH {
            return Ok(removed);
        }
    }
}

impl Behaviour for Sweeper {
    fn started(&mut self, ctx: &mut Ctx<Self>) -> Result<(), StartError> {
        self.sweep(ctx);
        ctx.run_interval(self.every, |cell, ctx| cell.sweep(ctx));
        Ok(())
    }
}
