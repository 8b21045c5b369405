//! Black-box tests of the running binary, by surface.

#![expect(
    clippy::unwrap_used,
    reason = "all of this binary is tests, also what is outside their functions"
)]

mod support;

mod calls;
mod cli;
mod database_locked;
mod docs;
mod drain;
mod errors;
mod failover;
mod first_start;
mod jobs;
mod kv_redis;
mod media;
mod models_and_embeddings;
mod openai_chat;
mod openai_images;
mod pairs;
mod pictures;
mod repeats;
mod routing;
mod secrets;
mod storage_postgres;
mod streams;
mod studio;
mod studio_session;
mod supervision;
mod surfaces;
mod timeouts;
mod webhooks;
