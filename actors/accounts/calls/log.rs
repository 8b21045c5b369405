//! Reading the call records.

use super::actor::{Calls, Flush};
use crate::{
    storage::{
        Database, StorageError,
        queries::{
            Cursor, Page,
            calls::{self, CallFilter, CallRow},
        },
    },
    supervision::Handle,
};

/// The stored calls, for lists. Cheap to clone.
#[derive(Clone)]
pub struct CallLog {
    actor: Handle<Calls>,
    database: Database,
}

/// The most records of one page.
const MAX_PAGE: usize = 500;

impl CallLog {
    /// The log that `actor` fills.
    #[must_use]
    pub fn new(actor: Handle<Calls>, database: Database) -> Self {
        Self { actor, database }
    }

    /// Calls newest first: those that match `filter`, older than `before`, at most `limit` (1 to 500). What had been
    /// answered before this was asked is there, unless the database lags behind.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn list(
        &self,
        filter: CallFilter,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<CallRow>, StorageError> {
        // the actor has logged why, and a list that lags is better than none
        let _ = self.actor.ask(Flush).await;
        let limit = limit.clamp(1, MAX_PAGE);
        self.database
            .read(move |conn| calls::list(conn, &filter, before.as_ref(), limit))
            .await
    }
}
