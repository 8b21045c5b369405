//! The running binary, its upstreams and its servers, as a test sees them.
//!
//! Every test starts what it needs on free ports with folders of its own, so all of them run side by side.

pub mod answer;
pub mod app;
pub mod builder;
pub mod chat;
pub mod form;
pub mod leaks;
pub mod locker;

/// Throw-away servers, shared with the unit tests of the storage actor.
#[path = "../../actors/storage/testing"]
pub mod servers {
    pub mod postgres;
    pub mod redis;
    pub mod server;
}

pub use answer::Answer;
pub use app::App;
pub use builder::{Builder, Provider};
pub use form::Form;
pub use servers::{postgres::PostgresServer, redis::RedisServer};

use std::time::{Duration, Instant};

/// How long anything may take that should take no time, on a busy machine.
pub const SOON: Duration = Duration::from_secs(20);

/// Asks again and again until there is an answer.
///
/// # Panics
/// If there is none within [`SOON`].
pub async fn eventually<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + SOON;
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {SOON:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
