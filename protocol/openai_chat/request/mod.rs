//! Requests: `read*` from a client, `write*` for an upstream.

mod fields;
mod read;
mod read_messages;
mod read_parts;
mod read_tools;
mod write;
mod write_messages;
mod write_parts;
mod write_tools;

pub use self::{read::read_request, write::write_request};
