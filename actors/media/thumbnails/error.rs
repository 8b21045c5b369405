//! Why there is no thumbnail.

use std::io;

use derive_more::{Display, Error, From};

use crate::media::MediaError;

/// Why there is no thumbnail.
#[derive(Debug, Display, Error, From)]
pub enum ThumbnailError {
    /// There is no such file, or not any more.
    #[display("there is no such picture, or it made room for newer ones")]
    #[from(skip)]
    NotFound,
    /// It is a video, or of a format that is not drawn.
    #[display("only PNG, JPEG, WebP and GIF have thumbnails: take the file itself")]
    #[from(skip)]
    NoPicture,
    /// Others are made.
    #[display(
        "too many thumbnails are being made, as many as media.thumbnails_at_once allows; try again"
    )]
    #[from(skip)]
    Busy,
    /// It is not what its header says.
    #[display("the picture cannot be read: {_0}")]
    #[from(skip)]
    Damaged(#[error(not(source))] String),
    /// To be decoded it would take too much memory.
    #[display(
        "the picture takes {bytes} bytes of memory or more, and media.thumbnail_memory ({limit}) allows less: take the file itself"
    )]
    #[from(skip)]
    TooLarge { bytes: u64, limit: u64 },
    /// It may not be stored any more, as the configuration is now.
    #[display("{_0}")]
    Refused(MediaError),
    /// The store's.
    #[display("the media store cannot be used: {_0}")]
    Store(io::Error),
}
