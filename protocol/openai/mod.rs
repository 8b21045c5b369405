//! The OpenAI dialect: what clients send, what upstreams answer, and what Troupe answers itself.

pub mod chat;
pub mod classify;
pub mod embeddings;
pub mod error;
pub mod images;
pub mod model;
pub mod request;
pub mod request_error;
pub mod stream;
pub mod upstream_error;
