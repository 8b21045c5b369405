//! Why a picture was not stored.

use std::io;

use derive_more::{Display, Error, From};

use super::name::NoRandomness;
use crate::{storage::StorageError, supervision::AskError};

/// Why a picture was not stored. Nothing is left of it, or what is left is put in order later.
#[derive(Debug, Display, Error, From)]
pub enum MediaError {
    /// Its first bytes are of no format that is stored.
    #[display("the picture is neither PNG, JPEG, WebP, GIF, MP4 nor WebM")]
    #[from(skip)]
    Format,
    /// It alone is larger than all that may be stored.
    #[display("the file has {bytes} bytes or more, and {limit} are allowed")]
    #[from(skip)]
    TooLarge {
        bytes: u64,
        limit: u64,
    },
    #[display("the media folder cannot be used: {_0}")]
    Disk(io::Error),
    #[display("the picture could not be recorded: {_0}")]
    Database(StorageError),
    Randomness(NoRandomness),
    Actor(AskError),
}
