//! The way to the storage actor.

use std::time::Duration;

use diesel::QueryResult;

use crate::supervision::{AskError, Handle};

use super::{
    Connection, StorageError,
    actor::{Read, Storage, Write},
    config::StorageConfig,
};

/// Runs queries through the storage actor. Cheap to clone, valid over its restarts.
#[derive(Clone, Debug)]
pub struct Database {
    storage: Handle<Storage>,
    wait: Duration,
}

/// What a job may take beyond `query_timeout_ms`, so that it is the engine that tells of a time-out.
const MARGIN: Duration = Duration::from_millis(500);

impl Database {
    /// A way to `storage`.
    #[must_use]
    pub fn new(storage: Handle<Storage>, config: &StorageConfig) -> Self {
        let wait = Duration::from_millis(config.query_timeout_ms) + MARGIN;
        Self { storage, wait }
    }

    /// Runs `job`, mostly one of [`queries`](super::queries), on a connection that cannot write.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let asked = self
            .storage
            .ask_within(self.wait, Read(Box::new(job)))
            .await;
        asked.map_err(StorageError::from)?
    }

    /// Runs `job` in a transaction of its own and answers after the commit. A job that reads in order to write must
    /// mind other nodes, see [`Engine::write`](super::engine::Engine::write).
    ///
    /// # Errors
    /// [`StorageError`]. After [`StorageError::Timeout`] and [`StorageError::Unavailable`] the job may have been
    /// committed all the same, so what is repeated must be idempotent. The same holds when the returned future is
    /// dropped before it is done.
    pub async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let asked = self
            .storage
            .ask_within(self.wait, Write(Box::new(job)))
            .await;
        asked.map_err(StorageError::from)?
    }
}

impl From<AskError> for StorageError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Unavailable { .. } => Self::Unavailable("the storage restarts".to_owned()),
            AskError::Timeout { .. } => Self::Timeout,
            AskError::Overloaded { .. } => Self::Busy,
        }
    }
}
