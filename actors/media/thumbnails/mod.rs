//! Thumbnails of stored pictures: made anew for each question, off the async threads, a few at a time. Who wants
//! to give one twice stores it.
//!
//! A picture is never in memory whole where its format allows that: PNG is [averaged down](shrink) while its
//! rows come, JPEG is decoded to an eighth of its size or to a quarter. What is left is scaled once more, well,
//! to the size that is wanted.

mod decode;
mod error;
mod finish;
mod shrink;
#[cfg(test)]
mod tests;

use std::{fs::File, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{sync::Semaphore, time::timeout};

pub use error::ThumbnailError;

use super::{
    config::MediaConfig,
    format::Format,
    formats::survey,
    policy::{Rules, check},
    reading::Window,
};
use crate::storage::config::StorageConfig;

/// What a thumbnail is encoded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ThumbnailKind {
    /// Keeps transparency.
    WebP,
    /// What is transparent becomes white.
    Jpeg,
}

impl ThumbnailKind {
    /// For `Content-Type`.
    #[must_use]
    pub fn mime(self) -> &'static str {
        match self {
            Self::WebP => Format::Webp.mime(),
            Self::Jpeg => Format::Jpeg.mime(),
        }
    }
}

/// A picture's small version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    pub bytes: Bytes,
    /// For `Content-Type`.
    pub mime: &'static str,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

/// Makes thumbnails. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Thumbnails {
    rules: Rules,
    look: Look,
    wait: Duration,
    hands: Arc<Semaphore>,
}

/// How thumbnails are to be.
#[derive(Debug, Clone, Copy)]
struct Look {
    /// The longer side, in pixels; smaller pictures keep theirs.
    side: u32,
    /// 1–100.
    quality: u8,
    /// What decoding may take, in bytes.
    memory: u64,
}

impl Thumbnails {
    /// Thumbnails as the configuration wants them.
    #[must_use]
    pub fn new(storage: &StorageConfig, media: &MediaConfig) -> Self {
        Self {
            rules: Rules::of(storage, media),
            look: Look {
                side: media.thumbnail_side,
                quality: media.thumbnail_quality,
                memory: media.thumbnail_memory,
            },
            wait: Duration::from_millis(media.thumbnail_wait_ms),
            hands: Arc::new(Semaphore::new(media.thumbnails_at_once)),
        }
    }

    /// Makes one on a blocking thread, once one is free for it. Who does not wait for the end does not end the work,
    /// nor free the thread before its time.
    ///
    /// # Errors
    /// [`ThumbnailError`].
    pub(super) async fn make(
        &self,
        file: Arc<File>,
        kind: ThumbnailKind,
    ) -> Result<Thumbnail, ThumbnailError> {
        let permit = timeout(self.wait, self.hands.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            return Err(ThumbnailError::Busy);
        };
        let hand = self.clone();
        let drawn = actix_rt::task::spawn_blocking(move || {
            let _permit = permit;
            hand.draw(&file, kind)
        });
        // a decoder that panics has met a picture that it does not understand
        drawn
            .await
            .unwrap_or_else(|join| Err(ThumbnailError::Damaged(join.to_string())))
    }

    /// Makes one of a whole file, read from its start. Blocking: some 100 ms for a large picture.
    ///
    /// # Errors
    /// [`ThumbnailError`].
    pub fn draw(&self, file: &File, kind: ThumbnailKind) -> Result<Thumbnail, ThumbnailError> {
        let mut window = Window::on(file)?;
        let format = Format::sniff(window.rest(0, Format::HEAD)?);
        let format = format.filter(|format| format.is_picture());
        let format = format.ok_or(ThumbnailError::NoPicture)?;
        let surveyed = survey(format, &mut window)
            .map_err(|flaw| ThumbnailError::Damaged(flaw.to_string()))?;
        check(format, &surveyed, window.length, &self.rules)?;
        let shrunk = decode::decode(format, file, self.look)?;
        finish::finish(shrunk, self.look, kind)
    }
}
