//! Anthropic's `/v1/messages`: its shapes, and the way into the intermediate form of chat and out of it.
//!
//! | file | what |
//! |---|---|
//! | `request` | requests, read from clients and written for upstreams |
//! | `answer`, `block` | whole answers, and the blocks of both |
//! | `stream` | streams, event by event |
//! | `usage` | token counts in Anthropic's convention |
//! | `contract` | what a Claude model takes and what it refuses, by its version |
//! | `watch` | a tap on streams that pass through |
//! | `classify` | why an upstream's answer failed |
//! | `models`, `error` | lists of models, and our own errors |

mod answer;
mod block;
pub mod classify;
mod contract;
pub mod error;
pub mod models;
mod request;
mod stream;
mod usage;
pub mod watch;

#[cfg(test)]
mod tests;

pub use self::{
    answer::{read_answer, write_answer},
    request::{read_request, write_request},
    stream::{EventReader, EventWriter},
    usage::usage_of_body,
};
