//! How a call ended, told to whoever drives it.
//!
//! The task that makes an answer for several clients has to know whether what it passes on is the end, and a good one.
//! Only the call knows, deep inside the handler's body; a handler that is driven by nobody tells nobody.

use std::{cell::Cell, future::Future};

use troupe_actors::answers::Made;

tokio::task_local! {
    static ENDING: Cell<Option<Made>>;
}

/// Runs `work` so that [`noted`] tells of the call that ends in it.
pub async fn watched<T>(work: impl Future<Output = T>) -> T {
    ENDING.scope(Cell::new(None), work).await
}

/// The call of the present task has ended; its last piece is about to go out.
pub fn note(made: Made) {
    // an error means that nobody watches
    let _ = ENDING.try_with(|ending| ending.set(Some(made)));
}

/// How the call of the present task ended, if it has.
pub fn noted() -> Option<Made> {
    ENDING.try_with(Cell::get).ok().flatten()
}
