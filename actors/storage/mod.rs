//! (being written)

pub mod config;
mod connection;
mod database_url;
pub mod engine;
mod error;
pub mod kv;
mod migrations;
pub mod queries;
mod schema;
#[cfg(test)]
pub(crate) mod testing;

pub use connection::{Connection, ConnectionOptions};
pub use database_url::DatabaseUrl;
pub use error::StorageError;
