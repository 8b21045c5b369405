//! Where state lasts: the database, and the key-value store beside it.
//!
//! The actor [`Storage`] owns the threads that talk to the database; others reach it through [`Database`] and send it
//! jobs, mostly functions of [`queries`]. SQLite and PostgreSQL are told apart by the URL alone; every query is written
//! once ([`connection`]) and tested on both. The binary speaks no TLS to PostgreSQL: use a local or tunnelled server.
//!
//! | | |
//! |---|---|
//! | owns | the [`engine`]: one writing thread, several reading ones, their connections |
//! | durable | all that the tables hold (`migrations/`) |
//! | derivable | nothing |
//! | ephemeral | jobs that wait in the engine's bounded queues |
//! | mailbox | jobs from [`Database`]; each is put into a queue at once, its reply comes from the engine |
//! | restart | new threads and connections; the old ones finish what was queued and end |

mod actor;
pub mod config;
mod connection;
mod database;
mod database_url;
pub mod engine;
mod error;
pub mod kv;
mod migrations;
pub mod queries;
mod schema;
#[cfg(test)]
pub(crate) mod testing;

pub use actor::{Read, Storage, Write};
pub use connection::{Connection, ConnectionOptions};
pub use database::Database;
pub use database_url::DatabaseUrl;
pub use error::StorageError;
