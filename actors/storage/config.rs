//! `[storage]` of the configuration.

use serde::{Deserialize, Serialize};

/// Where state is kept.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageConfig {
    /// `sqlite://data/x.db` (relative), `sqlite:///abs/x.db`, or `postgres://user:password@host/name`.
    pub database_url: String,
    /// `memory://`, `redis://…`, `upstash://…` or `cloudflare://…`: see [`KvUrl`](super::kv::KvUrl).
    pub kv_url: String,
    /// `file://data/media`, or `s3://bucket/prefix?…`: see [`Place`](crate::media::place::Place).
    pub media_url: String,
    /// Connections (and threads) that read beside the one that writes.
    pub readers: usize,
    /// How long one write or read of the database may wait, its queue included.
    pub query_timeout_ms: u64,
    /// How long a statement waits for a lock that somebody else holds on the database.
    pub busy_timeout_ms: u64,
    /// How long one operation on the key-value store may take.
    pub kv_timeout_ms: u64,
    /// The most that stored media may take, in bytes; the oldest go first.
    pub media_max_bytes: u64,
    /// Stored media older than this many days are removed; 0 = never.
    pub media_max_age_days: u64,
    /// For so long media are not removed to make room.
    pub media_min_retention_seconds: u64,
}

impl Default for StorageConfig {
    fn default() -> Self {
        Self {
            database_url: "sqlite://data/troupe.db".to_owned(),
            kv_url: "memory://".to_owned(),
            media_url: "file://data/media".to_owned(),
            readers: 2,
            query_timeout_ms: 10_000,
            busy_timeout_ms: 5_000,
            kv_timeout_ms: 250,
            media_max_bytes: 10 << 30,
            media_max_age_days: 0,
            media_min_retention_seconds: 86_400,
        }
    }
}
