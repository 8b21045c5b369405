//! Why a file was not stored.

use std::io;

use derive_more::{Display, Error, From};

use super::{formats::Flaw, name::NoRandomness};
use crate::{storage::StorageError, supervision::AskError};

/// Why a file was not stored. Nothing is left of it, or what is left is put in order later.
#[derive(Debug, Display, Error, From)]
pub enum MediaError {
    /// Its first bytes are of no format that is stored.
    #[display("the file is neither PNG, JPEG, WebP, GIF, MP4 nor WebM")]
    #[from(skip)]
    Format,
    /// It is not what its first bytes say.
    #[display("the file is damaged: {_0}")]
    #[from(skip)]
    Damaged(#[error(not(source))] String),
    /// It is larger than a file may be.
    #[display("the file has {bytes} bytes or more, and {limit} are allowed")]
    #[from(skip)]
    TooLarge {
        bytes: u64,
        limit: u64,
    },
    /// To be shown it would take too much memory.
    #[display("the picture has {pixels} pixels, more than media.max_pixels ({limit}) allows")]
    #[from(skip)]
    TooManyPixels {
        pixels: u64,
        limit: u64,
    },
    /// There is no room, and what is there must stay for its time.
    #[display(
        "the media store has no room, and its files are too young to go; \
         raise storage.media_max_bytes or lower storage.media_min_retention_seconds"
    )]
    #[from(skip)]
    Full,
    /// None of the files that lie there has a row.
    #[display(
        "none of {files} files in the media store is known to the database: is it the right one? Nothing of them is \
         removed"
    )]
    #[from(skip)]
    Strangers {
        files: usize,
    },
    /// None of the files that have rows lies there.
    #[display(
        "none of {files} files that the database knows is in the media store: is its disk there? Nothing of them is \
         removed"
    )]
    #[from(skip)]
    NotThere {
        files: usize,
    },
    #[display("the media store cannot be used: {_0}")]
    Disk(io::Error),
    #[display("the file could not be recorded: {_0}")]
    Database(StorageError),
    Randomness(NoRandomness),
    Actor(AskError),
}

impl MediaError {
    /// Whether there is no room: in the store by its rules, or on the disk.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Full => true,
            Self::Disk(error) => matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ),
            _ => false,
        }
    }

    /// Whether the store is at fault, and not the file.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        match self {
            Self::Format
            | Self::Damaged(_)
            | Self::TooLarge { .. }
            | Self::TooManyPixels { .. } => false,
            Self::Full
            | Self::Strangers { .. }
            | Self::NotThere { .. }
            | Self::Disk(_)
            | Self::Database(_)
            | Self::Randomness(_)
            | Self::Actor(_) => true,
        }
    }
}

impl From<&Flaw> for MediaError {
    fn from(flaw: &Flaw) -> Self {
        Self::Damaged(flaw.to_string())
    }
}
