//! Files on their way into the store: written as their pieces come, in a file without a name that is gone
//! when nobody holds it any more, whatever happens.

use std::{fs::File, io, io::Write as _, path::Path, sync::Arc};

use bytes::Bytes;
use futures_util::Stream;

use super::{
    MediaError,
    blocking::off_thread,
    format::Format,
    formats::{Flaw, Survey, survey},
    name::MediaName,
    reading::{self, PIECE, Window},
};

/// Who has a file stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Who asked for it.
    pub app_id: String,
    /// The call that made it.
    pub call_id: String,
}

/// A file that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The last part of its link.
    pub name: MediaName,
    /// For `Content-Type`.
    pub mime: &'static str,
    /// Its size as stored, without the metadata that was taken out.
    pub bytes: u64,
    /// In pixels, where its header says.
    pub width: Option<u32>,
    /// In pixels, where its header says.
    pub height: Option<u32>,
}

/// A file to write to. It is gone when this is dropped.
#[derive(Debug)]
pub struct Spool {
    file: Arc<File>,
    limit: u64,
    written: u64,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
}

impl Spool {
    /// An empty file in `folder`, which is made if need be.
    pub(super) async fn open(folder: Arc<Path>, limit: u64) -> Result<Self, MediaError> {
        let file = off_thread(move || {
            std::fs::create_dir_all(&folder)?;
            tempfile::tempfile_in(&folder)
        });
        Ok(Self {
            file: Arc::new(file.await?),
            limit,
            written: 0,
            waiting: Vec::new(),
            waiting_bytes: 0,
        })
    }

    /// Takes the next piece. It may reach the disk with a later one.
    ///
    /// # Errors
    /// [`MediaError::TooLarge`], or the disk's.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), MediaError> {
        let bytes = self.written + (self.waiting_bytes + piece.len()) as u64;
        if bytes > self.limit {
            let limit = self.limit;
            return Err(MediaError::TooLarge { bytes, limit });
        }
        self.waiting_bytes += piece.len();
        self.waiting.push(piece);
        if self.waiting_bytes >= PIECE {
            self.flush().await?;
        }
        Ok(())
    }

    /// The file, whole, with what its first bytes tell of it.
    ///
    /// # Errors
    /// The disk's.
    pub async fn finish(mut self) -> Result<Spooled, MediaError> {
        self.flush().await?;
        let (file, bytes) = (self.file, self.written);
        let spooled = off_thread(move || {
            let mut window = Window::on(&file)?;
            let format = Format::sniff(window.rest(0, Format::HEAD)?);
            let surveyed = format.map(|format| survey(format, &mut window));
            Ok(Spooled {
                file,
                bytes,
                format,
                surveyed: surveyed.map(Arc::new),
            })
        });
        Ok(spooled.await?)
    }

    async fn flush(&mut self) -> io::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let file = self.file.clone();
        off_thread(move || {
            waiting
                .iter()
                .try_for_each(|piece| (&*file).write_all(piece))
        })
        .await?;
        self.written += std::mem::take(&mut self.waiting_bytes) as u64;
        Ok(())
    }
}

/// A whole file that is not stored yet. Cheap to clone; it is gone when all clones are dropped.
#[derive(Debug, Clone)]
pub struct Spooled {
    file: Arc<File>,
    bytes: u64,
    format: Option<Format>,
    surveyed: Option<Arc<Result<Survey, Flaw>>>,
}

impl Spooled {
    /// Its size.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// By its own first bytes; none for what is not stored.
    #[must_use]
    pub fn format(&self) -> Option<Format> {
        self.format
    }

    /// Width and height as its header says; none where it has none, or is damaged.
    #[must_use]
    pub fn pixels(&self) -> Option<(u32, u32)> {
        self.survey().ok()?.pixels
    }

    /// Its bytes from the start, in pieces. Each call reads it anew.
    pub fn pieces(&self) -> impl Stream<Item = io::Result<Bytes>> + 'static {
        reading::pieces(self.file.clone(), 0..self.bytes)
    }

    /// What it is made of.
    ///
    /// # Errors
    /// [`MediaError::Format`] and [`MediaError::Damaged`].
    pub(super) fn survey(&self) -> Result<&Survey, MediaError> {
        let surveyed = self.surveyed.as_deref().ok_or(MediaError::Format)?;
        surveyed.as_ref().map_err(MediaError::from)
    }

    /// The file itself, without what is known of it.
    pub(super) fn into_file(self) -> Arc<File> {
        self.file
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }
}
