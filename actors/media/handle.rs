//! The way to stored media.

use std::{io, time::Duration};

use bytes::Bytes;

use super::{
    actor::{MediaStore, Put},
    blocking::off_thread,
    effects::Store,
    error::MediaError,
    files::Files,
    name::MediaName,
    spool::{Kept, Owner, Spool, Spooled},
    stored::Stored,
};
use crate::{
    storage::Database,
    supervision::{ChildSpec, Clock, Handle, Tree, TreeError},
};

/// Stores and opens files. Cheap to clone, valid over restarts of the actor.
#[derive(Debug, Clone)]
pub struct Media {
    actor: Handle<MediaStore>,
    files: Files,
}

/// How long storing one picture may take: a disk that is synced, and a commit.
const PUT_WAIT: Duration = Duration::from_secs(30);

impl Media {
    /// Starts the store in `files`, after the database. `limit` is the most that all files may take, in
    /// bytes.
    ///
    /// # Errors
    /// [`TreeError`] when it does not come up.
    pub async fn start(
        tree: &Tree,
        files: Files,
        limit: u64,
        clock: &Clock,
        database: &Database,
    ) -> Result<Self, TreeError> {
        let (clock, store) = (
            clock.clone(),
            Store {
                files: files.clone(),
                database: database.clone(),
            },
        );
        let spec = ChildSpec::new("storage/media", "media", move || {
            Ok(MediaStore::new(store.clone(), limit, clock.clone()))
        });
        let actor = tree.start(spec).await?;
        Ok(Self { actor, files })
    }

    /// A file to write to, gone when it is dropped unless it is [kept](Self::keep). More than `limit` bytes
    /// are [`MediaError::TooLarge`].
    ///
    /// # Errors
    /// The disk's.
    pub async fn spool(&self, limit: u64) -> Result<Spool, MediaError> {
        Spool::open(self.files.folder(), limit).await
    }

    /// Stores a file: it and its row are on disk when this returns. The oldest files may have to go for it.
    ///
    /// # Errors
    /// See [`MediaError`].
    pub async fn keep(&self, spooled: Spooled, owner: Owner) -> Result<Kept, MediaError> {
        self.actor
            .ask_within(PUT_WAIT, Put { spooled, owner })
            .await?
    }

    /// Spools and keeps a file that is in memory already.
    ///
    /// # Errors
    /// See [`MediaError`].
    pub async fn store(&self, bytes: Bytes, owner: Owner) -> Result<Kept, MediaError> {
        let mut spool = self.spool(bytes.len() as u64).await?;
        spool.write(bytes).await?;
        self.keep(spool.finish().await?, owner).await
    }

    /// A stored file by the name in its link; none if there is no such file, or not any more.
    pub async fn open(&self, name: &str) -> Option<Stored> {
        let name = MediaName::parse(name)?;
        let files = self.files.clone();
        match off_thread(move || files.open(&name)).await {
            Ok(stored) => Some(stored),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                log::warn!("a media file cannot be opened: {error}");
                None
            }
        }
    }
}
