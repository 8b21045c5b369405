//! The restart log: every fall, stored.
//!
//! | | |
//! |---|---|
//! | owns | how far the supervisor's events are stored |
//! | durable | the rows of `restarts` |
//! | derivable | nothing |
//! | ephemeral | the number of the last stored event of this process |
//! | mailbox | its own wake-ups |
//! | restart | reads the supervisor's events from the first on; rows that are there are skipped by their id |
//!
//! It pulls: an event that cannot be stored now, since the database is down or this very actor fell,
//! stays with the supervisor (the newest 4,096) until it can.

use std::time::Duration;

use actix::AsyncContext as _;
use actix::fut::{ActorFutureExt as _, wrap_future};

use crate::storage::{
    Database, StorageError,
    queries::restarts::{self, RestartRow},
};
use crate::supervision::{
    Behaviour, Cell, ChildSpec, Ctx, RestartEvent, StartError, Tree, TreeError,
};

/// See the module's head.
pub struct RestartLog {
    tree: Tree,
    database: Database,
    node: String,
    stored: u64,
}

/// Events stored at a time.
const BATCH: usize = 256;
/// The pause after a failure.
const RETRY: Duration = Duration::from_secs(1);

impl RestartLog {
    /// How to start it, after the storage. `node` names this process among others.
    #[must_use]
    pub fn spec(tree: &Tree, database: &Database, node: &str) -> ChildSpec<Self> {
        let (tree, database, node) = (tree.clone(), database.clone(), node.to_owned());
        ChildSpec::new("restart_log", "accounts", move || {
            Ok(Self {
                tree: tree.clone(),
                database: database.clone(),
                node: node.clone(),
                stored: 0,
            })
        })
    }

    fn store_next(&mut self, ctx: &mut Ctx<Self>) {
        let next = Batch {
            tree: self.tree.clone(),
            database: self.database.clone(),
            node: self.node.clone(),
            after: self.stored,
        };
        ctx.spawn(wrap_future::<_, Cell<Self>>(next.store()).map(
            |stored, cell, ctx| match stored {
                Ok(stored) => {
                    cell.stored = stored;
                    cell.store_next(ctx);
                }
                Err(error) => {
                    log::warn!("restart events cannot be stored yet: {error}");
                    ctx.run_later(RETRY, |cell, ctx| cell.store_next(ctx));
                }
            },
        ));
    }
}

impl Behaviour for RestartLog {
    fn started(&mut self, ctx: &mut Ctx<Self>) -> Result<(), StartError> {
        self.store_next(ctx);
        Ok(())
    }
}

struct Batch {
    tree: Tree,
    database: Database,
    node: String,
    after: u64,
}

#[derive(Debug, derive_more::Display, derive_more::From)]
enum StoreError {
    #[display("{_0}")]
    Tree(TreeError),
    #[display("{_0}")]
    Storage(StorageError),
}

impl Batch {
    /// Waits for events after the last stored one, stores them, and returns the last one's number.
    async fn store(self) -> Result<u64, StoreError> {
        let mut newest = self.tree.newest_event();
        // an error means that the supervisor is gone, which the next question tells
        let _ = newest.wait_for(|newest| *newest > self.after).await;
        let events = self.tree.events_after(self.after, BATCH).await?;
        let last = events.last().map_or(self.after, |event| event.seq);
        let rows: Vec<RestartRow> = events.iter().map(|event| row(event, &self.node)).collect();
        self.database
            .write(move |conn| restarts::insert(conn, &rows))
            .await?;
        Ok(last)
    }
}

fn row(event: &RestartEvent, node: &str) -> RestartRow {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    RestartRow {
        id: event.id.to_string(),
        at: whole(event.at_ms),
        path: event.path.to_string(),
        reason: event.fall.kind.to_string(),
        message: event.fall.message.clone(),
        place: event.fall.place.clone(),
        count: i32::try_from(event.count).unwrap_or(i32::MAX),
        backoff_ms: whole(event.backoff_ms.unwrap_or(0)),
        node: node.to_owned(),
    }
}
