//! The way to stored responses.

use std::sync::Arc;

use uuid::Uuid;

use super::{ResponseError, Sweeper, config::ResponsesConfig};
use crate::{
    storage::{
        Database,
        queries::responses::{self, ChainLimits, ResponseRow},
    },
    supervision::{Clock, Tree, TreeError},
};

/// Stores, reads and deletes responses. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ResponseStore {
    config: Arc<ResponsesConfig>,
    clock: Clock,
    database: Database,
}

/// A turn to be stored.
#[derive(Clone)]
pub struct NewResponse {
    /// From [`fresh_id`].
    pub id: String,
    /// Whose it is; nobody else will see it.
    pub app_id: String,
    /// The turn that this one goes on from.
    pub previous_id: Option<String>,
    /// As the client named it.
    pub model: String,
    /// The request's own input items, without those of earlier turns: a JSON array.
    pub input: String,
    /// The response object as it was answered, JSON.
    pub output: String,
}

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// A new response's id, needed before there is anything to store: a stream names it in its first event.
#[must_use]
pub fn fresh_id() -> String {
    format!("resp_{}", Uuid::now_v7().simple())
}

impl ResponseStore {
    /// Starts the sweep of the table, after the database.
    ///
    /// # Errors
    /// [`TreeError`] when it does not come up.
    pub async fn start(
        tree: &Tree,
        config: &ResponsesConfig,
        clock: &Clock,
        database: &Database,
    ) -> Result<Self, TreeError> {
        tree.start(Sweeper::spec(config, clock, database)).await?;
        Ok(Self {
            config: Arc::new(config.clone()),
            clock: clock.clone(),
            database: database.clone(),
        })
    }

    /// Stores a turn for the configured time; it is durable when this returns. If the future is dropped before, it may
    /// or may not be stored, so it belongs into a task that outlives its client.
    ///
    /// # Errors
    /// [`ResponseError::TooLarge`] and [`ResponseError::Database`].
    pub async fn save(&self, new: NewResponse) -> Result<(), ResponseError> {
        let (bytes, limit) = (new.input.len() + new.output.len(), self.config.max_bytes);
        if bytes > limit {
            return Err(ResponseError::TooLarge { bytes, limit });
        }
        let created_at = self.now();
        let row = ResponseRow {
            id: new.id,
            app_id: new.app_id,
            previous_id: new.previous_id,
            model: new.model,
            created_at,
            expires_at: created_at + HOUR_MS * i64::from(self.config.retention_hours),
            input: new.input,
            output: new.output,
        };
        let inserted = self
            .database
            .write(move |conn| responses::insert(conn, &row));
        Ok(inserted.await?)
    }

    /// The turn of that id; none if there is no such turn of this app, or not any more.
    ///
    /// # Errors
    /// [`ResponseError::Database`].
    pub async fn get(&self, app_id: &str, id: &str) -> Result<Option<ResponseRow>, ResponseError> {
        let (app_id, id, now) = (app_id.to_owned(), id.to_owned(), self.now());
        let found = self
            .database
            .read(move |conn| responses::get(conn, &id, &app_id, now));
        Ok(found.await?)
    }

    /// The conversation up to the turn of that id, oldest turn first. None if that turn or one before it is not there,
    /// or not any more: half a conversation would be taken for the whole.
    ///
    /// # Errors
    /// [`ResponseError::ChainTooLong`], [`ResponseError::ChainTooLarge`] and [`ResponseError::Database`].
    pub async fn chain(
        &self,
        app_id: &str,
        id: &str,
    ) -> Result<Option<Vec<ResponseRow>>, ResponseError> {
        let (app_id, id, now) = (app_id.to_owned(), id.to_owned(), self.now());
        let limits = ChainLimits {
            turns: self.config.max_chain,
            bytes: self.config.max_chain_bytes,
        };
        let turns = self
            .database
            .read(move |conn| responses::chain(conn, &id, &app_id, now, limits));
        whole(turns.await?, limits)
    }

    /// Deletes the turn of that id, for good when this returns; false if there was none, see [`get`](Self::get).
    /// Conversations that went on from it cannot be continued any more.
    ///
    /// # Errors
    /// [`ResponseError::Database`].
    pub async fn delete(&self, app_id: &str, id: &str) -> Result<bool, ResponseError> {
        let (app_id, id, now) = (app_id.to_owned(), id.to_owned(), self.now());
        let deleted = self
            .database
            .write(move |conn| responses::delete(conn, &id, &app_id, now));
        Ok(deleted.await?)
    }

    fn now(&self) -> i64 {
        i64::try_from(self.clock.wall_ms()).unwrap_or(i64::MAX)
    }
}

/// `turns`, if they go back to the first of their conversation within the limits.
fn whole(
    turns: Vec<ResponseRow>,
    limits: ChainLimits,
) -> Result<Option<Vec<ResponseRow>>, ResponseError> {
    let bytes: usize = turns
        .iter()
        .map(|turn| turn.input.len() + turn.output.len())
        .sum();
    if bytes > limits.bytes {
        let limit = limits.bytes;
        return Err(ResponseError::ChainTooLarge { limit });
    }
    let Some(oldest) = turns.first() else {
        return Ok(None);
    };
    match &oldest.previous_id {
        None => Ok(Some(turns)),
        Some(_) if turns.len() >= limits.turns => {
            let limit = limits.turns;
            Err(ResponseError::ChainTooLong { limit })
        }
        Some(_) => Ok(None),
    }
}
