//! The actor that owns the database's threads.

use std::time::Duration;

use actix::{Message, ResponseFuture};
use diesel::QueryResult;
use futures_util::future::LocalBoxFuture;

use crate::supervision::{Behaviour, Ctx, Receive, StartError};

use super::{Connection, StorageError, config::StorageConfig, engine::Engine};

/// See the module's head for what it owns and how it restarts.
pub struct Storage {
    config: StorageConfig,
    /// `None` before the start and once the ordered stop has begun.
    engine: Option<Engine>,
}

/// A job on the way to an engine's thread.
type Run<T> = Box<dyn FnOnce(&mut Connection) -> QueryResult<T> + Send>;

/// Sent by [`Database`](super::Database): run this on a reader. If the reply is lost, nothing is.
pub struct Read<T>(pub(super) Run<T>);

/// Sent by [`Database`](super::Database): run this on the writer. The reply means that it is committed; if the reply is
/// lost, the job still runs.
pub struct Write<T>(pub(super) Run<T>);

/// Longer than the writer needs for what is queued, shorter than the tree waits for an ordered stop.
const STOP_WAIT: Duration = Duration::from_secs(8);

impl Storage {
    /// For [`ChildSpec::new`](crate::supervision::ChildSpec::new). Nothing is opened yet.
    #[must_use]
    pub fn new(config: StorageConfig) -> Self {
        Self {
            config,
            engine: None,
        }
    }

    fn engine(&self) -> Result<&Engine, StorageError> {
        let stopped = || StorageError::Unavailable("the storage is stopping".to_owned());
        self.engine.as_ref().ok_or_else(stopped)
    }
}

impl Behaviour for Storage {
    /// A database that is down is no failed start: the engine goes on trying, and the actor answers for it meanwhile.
    fn started(&mut self, _: &mut Ctx<Self>) -> Result<(), StartError> {
        let engine = Engine::launch(&self.config).map_err(|error| StartError(error.to_string()))?;
        self.engine = Some(engine);
        Ok(())
    }

    fn draining(&mut self, _: &mut Ctx<Self>) -> Option<LocalBoxFuture<'static, ()>> {
        let engine = self.engine.take()?;
        Some(Box::pin(async move {
            let stopped = actix_rt::task::spawn_blocking(move || engine.stop(STOP_WAIT)).await;
            if !matches!(stopped, Ok(true)) {
                log::warn!("the database is still busy with what was queued at the stop");
            }
        }))
    }

    /// After an unordered stop the threads finish what is queued and end by themselves, beside the new ones.
    fn stopped(&mut self) {
        self.engine = None;
    }
}

impl<T: Send + 'static> Message for Read<T> {
    type Result = Result<T, StorageError>;
}

impl<T: Send + 'static> Message for Write<T> {
    type Result = Result<T, StorageError>;
}

impl<T: Send + 'static> Receive<Read<T>> for Storage {
    type Reply = ResponseFuture<Result<T, StorageError>>;

    fn receive(&mut self, Read(job): Read<T>, _: &mut Ctx<Self>) -> Self::Reply {
        match self.engine() {
            Ok(engine) => Box::pin(engine.read(job)),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}

impl<T: Send + 'static> Receive<Write<T>> for Storage {
    type Reply = ResponseFuture<Result<T, StorageError>>;

    fn receive(&mut self, Write(job): Write<T>, _: &mut Ctx<Self>) -> Self::Reply {
        match self.engine() {
            Ok(engine) => Box::pin(engine.write(job)),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}

#[cfg(test)]
mod tests;
