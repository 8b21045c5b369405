//! Every query, one file per table: plain functions on a connection, to be sent to the engine as jobs.
//!
//! Functions that make several statements rely on the transaction that the writer opens around each job.
//! Times are milliseconds since 1970 (UTC); ids are UUIDv7 text made by the caller unless said otherwise.

pub mod answers;
pub mod apps;
pub mod calls;
pub mod charges;
pub mod credential_states;
pub mod history;
pub mod images;
pub mod jobs;
pub mod keys;
pub mod media;
mod page;
#[cfg(test)]
mod plans;
pub mod provider_states;
pub mod responses;
pub mod restarts;
pub mod settings;
pub mod tags;
pub mod upkeep;
pub mod webhook_deliveries;
pub mod webhook_endpoints;
pub mod webhook_secrets;

pub use page::{Cursor, CursorError, Page};

/// Rows in one `INSERT`: 22 columns × 200 rows stay far below the 32,766 values that SQLite binds at most.
const CHUNK: usize = 200;
