//! Streams of `/v1/messages`.

mod reader;
mod writer;

pub use self::{reader::EventReader, writer::EventWriter};
