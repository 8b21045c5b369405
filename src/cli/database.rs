//! The database for commands that run beside the server, or without it.

use std::{io, time::Duration};

use troupe_actors::storage::{StorageError, config::StorageConfig, engine::Engine};

/// How long a command waits at its end for the database's threads.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens the database, runs `job` with it, and closes it again. Not to be called from async code.
///
/// # Errors
/// What the database says, with what to do next.
pub fn with_database<T>(
    config: &StorageConfig,
    job: impl AsyncFnOnce(&Engine) -> Result<T, StorageError>,
) -> io::Result<T> {
    let engine = Engine::start(config).map_err(with_advice)?;
    let outcome = actix_rt::System::new().block_on(job(&engine));
    engine.stop(PATIENCE);
    outcome.map_err(with_advice)
}

fn with_advice(error: StorageError) -> io::Error {
    io::Error::other(format!("{error}; `troupe doctor` tells more"))
}
