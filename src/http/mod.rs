//! The HTTP edge: one file or folder per surface.
//!
//! | room | what it is for |
//! |---|---|
//! | [`server`] | the listener, its limits, the route table |
//! | [`openai`] | `/v1/…` |
//! | [`admin`] | `/api/admin/…` |
//! | [`media`], [`ops`] | `/media/…`; health, readiness, metrics |
//! | [`auth`], [`error`], [`layers`] | keys, errors, what surrounds every handler |
//! | [`body`], [`call`], [`relay`] | one request on its way, and the body that carries its answer |
//! | [`repeats`], `ending` | requests that repeat others, and how a call ended that somebody else drives |
//! | [`services`], [`metrics`] | what handlers can reach |

pub mod admin;
mod auth;
mod body;
mod call;
mod ending;
pub mod error;
mod layers;
mod media;
pub mod metrics;
mod openai;
mod ops;
mod relay;
mod repeats;
pub mod server;
pub mod services;
