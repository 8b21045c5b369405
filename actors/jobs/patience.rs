//! Writes that must not be lost because the database is away for a while.

use std::time::Duration;

use actix_rt::time::sleep;
use tokio::select;
use tokio_util::sync::CancellationToken;

use crate::storage::StorageError;

/// The wait before a write is tried again that the database did not take; doubles.
const RETRY: Duration = Duration::from_millis(100);
/// The longest of these waits.
const MAX_RETRY: Duration = Duration::from_secs(5);

/// Tries to read or write `what` until the database has answered or refused. None when the process ends (`shutdown`),
/// or when it refused.
pub(super) async fn until_answered<T>(
    shutdown: &CancellationToken,
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<T, StorageError>,
) -> Option<T> {
    let mut wait = RETRY;
    loop {
        let error = match ask().await {
            Ok(answer) => return Some(answer),
            Err(error) => error,
        };
        if !error.is_temporary() {
            log::error!("{what} cannot be stored: {error}");
            return None;
        }
        log::warn!("{what} waits for the database: {error}");
        select! {
            () = sleep(wait) => {}
            () = shutdown.cancelled() => return None,
        }
        wait = (wait * 2).min(MAX_RETRY);
    }
}
