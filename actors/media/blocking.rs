//! Work on the disk, off the async threads.

use std::io;

/// Runs `job` on a blocking thread.
pub(super) async fn off_thread<T: Send + 'static>(
    job: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = actix_rt::task::spawn_blocking(job).await;
    done.unwrap_or_else(|join| Err(io::Error::other(join)))
}
