//! Streams: `reader` takes an upstream's, `writer` makes a client's.

mod chunk;
mod reader;
mod writer;

pub use self::{reader::EventReader, writer::EventWriter};
