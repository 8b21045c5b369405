//! The formats' decoders: one file each. Each hands the pixels to a [`Shrinking`](super::shrink::Shrinking) as they
//! come, and refuses what would take more memory than it may.

mod gif;
mod jpeg;
mod png;
mod webp;

#[cfg(test)]
pub(super) use png::interlaced;

use std::{
    fs::File,
    io::{BufReader, Seek as _, SeekFrom},
};

use super::{Look, ThumbnailError, shrink::Shrunk};
use crate::media::format::Format;

/// A file that is read from its start.
type Source<'f> = BufReader<&'f File>;

/// What is read from the disk at once, in bytes.
const BUFFER: usize = 64 << 10;

/// A picture, shrunk.
///
/// # Errors
/// [`ThumbnailError`].
pub fn decode(format: Format, mut file: &File, look: Look) -> Result<Shrunk, ThumbnailError> {
    file.seek(SeekFrom::Start(0))?;
    let source = BufReader::with_capacity(BUFFER, file);
    match format {
        Format::Png => png::decode(source, look),
        Format::Jpeg => jpeg::decode(source, look),
        Format::Webp => webp::decode(source, look),
        Format::Gif => gif::decode(source, look),
        Format::Mp4 | Format::Webm => Err(ThumbnailError::NoPicture),
    }
}

/// Whether so many bytes may be taken.
fn affords(look: Look, bytes: u64) -> Result<(), ThumbnailError> {
    let limit = look.memory;
    match bytes > limit {
        true => Err(ThumbnailError::TooLarge { bytes, limit }),
        false => Ok(()),
    }
}

fn damaged(error: impl std::fmt::Display) -> ThumbnailError {
    ThumbnailError::Damaged(error.to_string())
}
