//! A stream of `/v1/responses`.
//!
//! | file | what |
//! |---|---|
//! | `reader` | an upstream's stream, read |
//! | `track` | one output item of it, put together from deltas and from what is told at its end |
//! | `writer` | a stream for a client, written |
//! | `message`, `reasoning`, `call` | the output items that it writes |
//! | `events` | numbered events, and the bound of what is held for the last one |
//! | `object` | JSON objects, field by field into a buffer |
//! | `response` | the response object |

mod call;
mod events;
mod message;
mod object;
mod reader;
mod reasoning;
mod response;
mod track;
mod writer;

pub use self::{reader::EventReader, writer::EventWriter};
