//! Requests: `POST /v1/messages` and `/v1/messages/count_tokens`.

mod blocks;
mod fields;
mod read;
mod thinking;
mod tools;
mod turns;
mod write;

pub use self::{read::read_request, write::write_request};
