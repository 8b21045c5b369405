//! A store of each kind, to be opened, frozen and stopped.

use std::{cell::Cell, time::Duration};

use crate::{
    storage::testing::{CloudflareServer, RedisServer, UpstashServer, http::Mood},
    supervision::Clock,
};

/// Where a store is.
pub enum Place {
    Memory,
    Redis(RedisServer, Cell<Mood>),
    Upstash(UpstashServer),
    Cloudflare(CloudflareServer),
}

impl Place {
    pub fn redis() -> Self {
        Self::Redis(RedisServer::start(), Cell::new(Mood::Well))
    }

    pub fn upstash() -> Self {
        Self::Upstash(UpstashServer::start())
    }

    pub fn cloudflare() -> Self {
        Self::Cloudflare(CloudflareServer::start(Clock::system(), Duration::ZERO))
    }

    pub fn all() -> [Self; 4] {
        [
            Self::Memory,
            Self::redis(),
            Self::upstash(),
            Self::cloudflare(),
        ]
    }

    pub fn url(&self) -> String {
        match self {
            Self::Memory => "memory://".to_owned(),
            Self::Redis(server, _) => server.url(),
            Self::Upstash(server) => server.url(),
            Self::Cloudflare(server) => server.url(),
        }
    }

    pub fn set(&self, mood: Mood) {
        match self {
            Self::Memory => {}
            Self::Redis(server, last) => match (last.replace(mood), mood) {
                (Mood::Frozen, Mood::Well) => server.server().resume(),
                (Mood::Down, Mood::Well) => server.server().restart(),
                (_, Mood::Frozen) => server.server().pause(),
                (_, Mood::Down) => server.server().stop(),
                (Mood::Well, Mood::Well) => {}
            },
            Self::Upstash(server) => server.set(mood),
            Self::Cloudflare(server) => server.set(mood),
        }
    }
}
