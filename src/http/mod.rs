//! The HTTP edge: one file or folder per surface.
//!
//! | room | what it is for |
//! |---|---|
//! | [`server`] | the listener, its limits, the route table |
//! | [`chat`] | `/v1/chat/completions`, `/v1/responses`, `/v1/messages` |
//! | [`openai`] | `/v1/…` |
//! | [`imagine`] | `/api/v1/…`, as Imagine Server has it |
//! | [`studio`] | `/api/v1/…`, as seed 001 has it: tasks, history, pictures, a WebSocket |
//! | [`pictures`] | orders of pictures, whichever surface they come by |
//! | [`webhooks`] | `/v1/webhooks…`: who is told of the ends of jobs, and how that goes |
//! | [`admin`] | `/api/admin/…` |
//! | [`media`], [`ops`] | `/media/…`; health, readiness, metrics |
//! | [`auth`], [`session`], [`error`] | keys, the studio's sessions, errors |
//! | [`rate`], [`seats`], [`layers`] | rate limits as headers, how many connections an app has, what surrounds every handler |
//! | [`enter`], [`body`], [`call`], [`fallback`] | one request on its way to an upstream |
//! | [`passing`], [`relay`], [`tap`], [`heartbeat`], [`verdict`] | its answer on the way back |
//! | [`dialect`] | in which dialect an error is told |
//! | [`conversation`] | which conversation a request belongs to |
//! | [`repeats`], `ending` | requests that repeat others, and how a call ended that somebody else drives |
//! | [`services`], [`metrics`] | what handlers can reach |

pub mod admin;
pub(crate) mod auth;
mod body;
mod call;
mod chat;
pub mod conversation;
mod dialect;
mod ending;
mod enter;
pub mod error;
mod fallback;
mod heartbeat;
mod imagine;
mod jobs;
pub(crate) mod layers;
mod media;
pub mod metrics;
mod openai;
mod ops;
mod passing;
pub(crate) mod pictures;
pub mod rate;
mod relay;
mod repeats;
pub mod seats;
pub mod server;
pub mod services;
pub mod session;
pub mod studio;
mod tap;
mod verdict;
pub mod webhooks;
