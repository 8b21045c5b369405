//! Reading a file on disk: in pieces, as a stream; and at a place, through a window. Neither holds more than
//! a piece of it.

use std::{fs::File, io, ops::Range, os::unix::fs::FileExt as _, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, stream};

use super::blocking::off_thread;

/// What is read from or written to the disk at once, in bytes.
pub(super) const PIECE: usize = 256 << 10;

/// The bytes of `range` of the file, in pieces of at most [`PIECE`].
pub(super) fn pieces(
    file: Arc<File>,
    range: Range<u64>,
) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    stream::try_unfold((file, range), |(file, left)| async move {
        if left.is_empty() {
            return Ok(None);
        }
        let length = usize::try_from(left.end - left.start)
            .unwrap_or(PIECE)
            .min(PIECE);
        let reader = file.clone();
        let piece = off_thread(move || {
            let mut piece = vec![0; length];
            reader.read_exact_at(&mut piece, left.start)?;
            Ok(Bytes::from(piece))
        })
        .await?;
        Ok(Some((piece, (file, left.start + length as u64..left.end))))
    })
}

/// A file that is looked at here and there, mostly from its start to its end. Blocking.
pub(super) struct Window<'f> {
    file: &'f File,
    /// The file's size.
    pub length: u64,
    at: u64,
    held: Vec<u8>,
}

impl<'f> Window<'f> {
    /// The most that [`get`](Self::get) gives at once.
    pub const WIDTH: usize = 64 << 10;

    pub fn on(file: &'f File) -> io::Result<Self> {
        Ok(Self {
            file,
            length: file.metadata()?.len(),
            at: 0,
            held: Vec::new(),
        })
    }

    /// The `count` bytes at `at`; at most [`WIDTH`](Self::WIDTH).
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] where the file has no so many.
    pub fn get(&mut self, at: u64, count: usize) -> io::Result<&[u8]> {
        let rest = self.rest(at, count)?;
        rest.get(..count)
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// As many bytes from `at` on as are at hand, `count` at least where the file has them.
    ///
    /// # Errors
    /// The disk's.
    pub fn rest(&mut self, at: u64, count: usize) -> io::Result<&[u8]> {
        let held_to = self.at + self.held.len() as u64;
        if at < self.at || at.saturating_add(count as u64) > held_to {
            let width = self.length.saturating_sub(at).min(Self::WIDTH as u64) as usize;
            self.held.resize(width, 0);
            self.at = at;
            self.file.read_exact_at(&mut self.held, at)?;
        }
        Ok(&self.held[(at - self.at) as usize..])
    }

    /// The bytes at `at` as an array.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn array<const N: usize>(&mut self, at: u64) -> io::Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.get(at, N)?);
        Ok(array)
    }
}
