//! Google's `generateContent`, spoken to upstreams only: its shapes, and the way into the intermediate
//! form of chat and out of it.
//!
//! Shapes are those of the `v1beta` REST reference (`models.generateContent`, `models.countTokens`,
//! `models.list`) and of its guides to function calling, thinking and thought signatures.

mod answer;
pub mod classify;
mod count;
mod models;
mod request;
mod stream;
mod thinking;

pub(crate) use self::stream::watch;
pub use self::{
    answer::read_answer,
    count::{read_count, write_count},
    models::{ModelPage, parse_models},
    request::write_request,
    stream::EventReader,
};

#[cfg(test)]
mod tests;
