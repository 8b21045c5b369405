//! The HTTP edge: one file or folder per surface.
//!
//! | room | what it is for |
//! |---|---|
//! | [`server`] | the listener, its limits, the route table |
//! | [`chat`] | `/v1/chat/completions`, `/v1/responses`, `/v1/messages` |
//! | [`openai`] | `/v1/…` |
//! | [`admin`] | `/api/admin/…` |
//! | [`media`], [`ops`] | `/media/…`; health, readiness, metrics |
//! | [`auth`], [`error`], [`layers`] | keys, errors, what surrounds every handler |
//! | [`body`], [`call`], [`relay`] | one request on its way, and the body that carries its answer |
//! | [`conversation`] | which conversation a request belongs to |
//! | [`services`], [`metrics`] | what handlers can reach |

pub mod admin;
mod auth;
mod body;
mod call;
pub mod conversation;
pub mod error;
mod layers;
mod media;
pub mod metrics;
mod openai;
mod ops;
mod relay;
pub mod server;
pub mod services;
