//! The way to stored media.

use std::{io, time::Duration};

use bytes::Bytes;

use super::{
    actor::{MediaStore, Put},
    effects::Store,
    error::MediaError,
    files::{Files, Stored},
    name::MediaName,
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

    /// Stores a picture and returns its name, after which it can be opened. The oldest files may have to
    /// go for it.
    ///
    /// # Errors
    /// See [`MediaError`].
    pub async fn store(
        &self,
        bytes: Bytes,
        app_id: &str,
        call_id: &str,
    ) -> Result<MediaName, MediaError> {
        let put = Put {
            bytes,
            app_id: app_id.to_owned(),
            call_id: call_id.to_owned(),
        };
        self.actor.ask_within(PUT_WAIT, put).await?
    }

    /// A stored file by the name in its link; none if there is no such file, or not any more.
    pub async fn open(&self, name: &str) -> Option<Stored> {
        let name = MediaName::parse(name)?;
        let files = self.files.clone();
        let opened = actix_rt::task::spawn_blocking(move || files.open(&name)).await;
        match opened.unwrap_or_else(|join| Err(io::Error::other(join))) {
            Ok(stored) => Some(stored),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                log::warn!("a media file cannot be opened: {error}");
                None
            }
        }
    }
}
