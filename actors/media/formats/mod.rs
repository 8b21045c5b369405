//! What is looked at in a file before it is stored, and what is left out of it: one file per format.
//!
//! A file is **surveyed**: its headers and chunks are walked, without decoding a picture, which gives its
//! pixels and a [`Plan`] of which bytes are kept. Comments, EXIF, XMP, thumbnails, places and whatever comes
//! behind the end are left out; colour profiles, gamma, animation and the way up are kept. Nothing is encoded
//! anew.

mod gif;
mod jpeg;
mod mp4;
mod plan;
mod png;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
mod webm;
mod webp;

use std::io;

use derive_more::{Display, Error, From};

pub(super) use jpeg::way_up;
pub(super) use plan::Plan;

use super::{format::Format, reading::Window};

/// What a survey found out.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Width and height.
    pub pixels: Option<(u32, u32)>,
    /// Pixels of all frames of an animation together; of a still picture, its own.
    pub drawn: u64,
    /// What to keep.
    pub plan: Plan,
}

/// Why a file is not what its first bytes say.
#[derive(Debug, Display, Error, From)]
pub enum Flaw {
    /// What does not fit the format, in the format's own words.
    #[display("{_0}")]
    #[from(skip)]
    Broken(#[error(not(source))] &'static str),
    /// It is cut short, or the disk failed.
    #[display("{}", match _0.kind() {
        io::ErrorKind::UnexpectedEof => "it is cut short".to_owned(),
        _ => _0.to_string(),
    })]
    Read(io::Error),
}

/// Walks a file of that format.
///
/// # Errors
/// [`Flaw`].
pub(super) fn survey(format: Format, window: &mut Window<'_>) -> Result<Survey, Flaw> {
    match format {
        Format::Png => png::survey(window),
        Format::Jpeg => jpeg::survey(window),
        Format::Webp => webp::survey(window),
        Format::Gif => gif::survey(window),
        Format::Mp4 => mp4::survey(window),
        Format::Webm => webm::survey(window),
    }
}

/// The most pixels that one byte of a file can stand for, where the format's compression has such a bound. A
/// header that promises more lies.
///
/// | | |
/// |---|---|
/// | PNG | deflate: 1032 to 1, and eight pixels of one bit in a byte |
/// | GIF | LZW: strings of at most 4096 pixels for codes of 12 bits |
/// | JPEG | one bit at least for the DC value of a block of 64 pixels |
///
/// WebP has none: one colour takes no space, whatever the size.
pub(super) fn pixels_per_byte(format: Format) -> Option<u64> {
    match format {
        Format::Png => Some(1_032 * 8),
        Format::Gif => Some(4_096 * 8 / 12),
        Format::Jpeg => Some(64 * 8 * 2),
        Format::Webp | Format::Mp4 | Format::Webm => None,
    }
}

fn area((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}
