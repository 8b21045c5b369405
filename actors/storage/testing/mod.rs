//! Databases and servers for tests, made for this process alone and gone when it ends: real ones, and the wire protocols
//! of services that nobody can start here.

pub mod cloudflare;
mod database;
pub mod http;
mod postgres;
mod redis;
mod server;
mod upstash;

pub use cloudflare::CloudflareServer;
pub use database::{TestDatabase, for_each_database};
pub use postgres::PostgresServer;
pub use redis::RedisServer;
pub use upstash::UpstashServer;

use super::queries::calls::CallRow;

/// A call with the given id and time and something in every other column.
pub fn call(id: &str, at: i64) -> CallRow {
    CallRow {
        id: id.to_owned(),
        at,
        app_id: "app".to_owned(),
        key_id: "key".to_owned(),
        endpoint: "/v1/chat/completions".to_owned(),
        model: "acme/gpt-4o".to_owned(),
        provider: "acme".to_owned(),
        upstream_model: "gpt-4o".to_owned(),
        token_alias: "acme-1".to_owned(),
        attempts: 2,
        stream: true,
        status: 200,
        outcome: "ok".to_owned(),
        error_code: None,
        prompt_tokens: Some(12),
        completion_tokens: Some(5_000_000_000),
        cached_tokens: None,
        reasoning_tokens: Some(0),
        latency_us: 1_234,
        first_byte_us: Some(1_000),
        overhead_us: 56,
        bytes_out: 789,
    }
}
