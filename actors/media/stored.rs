//! A stored file, found: what a link leads to.

use std::{fs::File, io, ops::Range, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use super::{bucket::Bucket, name::MediaName, reading};

/// A stored file that can be read, whole or in part, wherever it lies.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Under which it was asked for.
    pub name: MediaName,
    /// For `Content-Type`.
    pub mime: &'static str,
    /// Its size.
    pub bytes: u64,
    pub(super) source: Source,
}

/// Where the bytes come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Folder(Arc<File>),
    Bucket { bucket: Bucket, key: String },
}

impl Stored {
    /// The bytes of `range`, which lies within the file, in pieces.
    pub fn pieces(self, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + 'static {
        match self.source {
            Source::Folder(file) => reading::pieces(file, range).left_stream(),
            Source::Bucket { bucket, key } => bucket.pieces(key, range).right_stream(),
        }
    }
}
