//! A stored file, found: what a link leads to.

use std::{fs::File, io, ops::Range, sync::Arc};

use bytes::Bytes;
use futures_util::Stream;

use super::{name::MediaName, reading};

/// A stored file that can be read, whole or in part, wherever it lies.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Under which it was asked for.
    pub name: MediaName,
    /// For `Content-Type`.
    pub mime: &'static str,
    /// Its size.
    pub bytes: u64,
    pub(super) file: Arc<File>,
}

impl Stored {
    /// The bytes of `range`, which lies within the file, in pieces.
    pub fn pieces(self, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + 'static {
        reading::pieces(self.file, range)
    }
}
