//! The way to stored media.

use std::{fs::File, io, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::StreamExt as _;
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use tokio::sync::Mutex;

use super::{
    actor::{MediaStore, Put, Remove, Tidy},
    blocking::off_thread,
    bucket::Bucket,
    config::MediaConfig,
    effects::Store,
    error::MediaError,
    files::Files,
    links::Links,
    name::MediaName,
    place::{BadMediaUrl, Place},
    policy::Rules,
    removals::{Reason, Removals, Tally},
    spool::{Kept, Owner, Spool, Spooled},
    stored::{Source, Stored},
    thumbnails::{Thumbnail, ThumbnailError, ThumbnailKind, Thumbnails},
};
use crate::{
    storage::{Database, config::StorageConfig, queries::media},
    supervision::{ChildSpec, Clock, Handle, Tree, TreeError},
};

/// Stores and opens files. Cheap to clone, valid over restarts of the actor.
#[derive(Debug, Clone)]
pub struct Media {
    actor: Handle<MediaStore>,
    store: Store,
    links: Links,
    max_file_bytes: u64,
    thumbnails: Thumbnails,
    max_bytes: u64,
}

/// How much is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Names; several may share their bytes.
    pub files: u64,
    pub bytes: u64,
    /// What `bytes` may come to.
    pub limit: u64,
}

/// How long storing one file may take: a disk that is synced, and a commit; or the way of a video into a bucket.
const PUT_WAIT: Duration = Duration::from_secs(300);
/// How long removing many files may take.
const REMOVE_WAIT: Duration = Duration::from_secs(600);

/// What the store is made of, from the configuration.
#[derive(Debug, Clone)]
pub struct Setup {
    files: Files,
    bucket: Option<Bucket>,
    rules: Rules,
    links: Links,
    thumbnails: Thumbnails,
}

impl Setup {
    /// The store at `place`, and the way its `links` are made. Touches neither disk nor network.
    ///
    /// # Errors
    /// [`BadMediaUrl`].
    pub fn new(
        place: &Place,
        storage: &StorageConfig,
        media: &MediaConfig,
        links: Links,
    ) -> Result<Self, BadMediaUrl> {
        let (files, bucket) = match place {
            Place::Folder(folder) => (Files::at(folder), None),
            Place::Bucket(address) => {
                let files = Files::at(media.spool_dir.as_ref());
                (files, Some(Bucket::at(address)?))
            }
        };
        Ok(Self {
            files,
            bucket,
            rules: Rules::of(storage, media),
            links,
            thumbnails: Thumbnails::new(storage, media),
        })
    }
}

impl Media {
    /// Starts the store, after the database.
    ///
    /// # Errors
    /// [`TreeError`] when it does not come up.
    pub async fn start(
        tree: &Tree,
        setup: Setup,
        clock: &Clock,
        database: &Database,
    ) -> Result<Self, TreeError> {
        let store = Store {
            files: setup.files,
            bucket: setup.bucket,
            database: database.clone(),
            evicting: Arc::new(Mutex::new(())),
            removals: Removals::default(),
            stored: Gauge::default(),
        };
        let (for_each_start, clock, rules) = (store.clone(), clock.clone(), setup.rules.clone());
        let spec = ChildSpec::new("storage/media", "media", move || {
            Ok(MediaStore::new(
                for_each_start.clone(),
                rules.clone(),
                clock.clone(),
            ))
        });
        Ok(Self {
            actor: tree.start(spec).await?,
            store,
            links: setup.links,
            max_file_bytes: setup.rules.max_file_bytes,
            thumbnails: setup.thumbnails,
            max_bytes: setup.rules.max_bytes,
        })
    }

    /// A file to write to, gone when it is dropped unless it is [kept](Self::keep). More than `limit` bytes, or
    /// than `media.max_file_bytes`, are [`MediaError::TooLarge`].
    ///
    /// # Errors
    /// The disk's.
    pub async fn spool(&self, limit: u64) -> Result<Spool, MediaError> {
        let limit = limit.min(self.max_file_bytes);
        Spool::open(self.store.files.folder(), limit).await
    }

    /// Stores a file without its metadata: it and its row are on disk, or in the bucket, when this returns. The
    /// oldest files may have to go for it.
    ///
    /// # Errors
    /// See [`MediaError`].
    pub async fn keep(&self, spooled: Spooled, owner: Owner) -> Result<Kept, MediaError> {
        let put = Put { spooled, owner };
        self.actor.ask_within(PUT_WAIT, put).await?
    }

    /// Spools and keeps a file that is in memory already.
    ///
    /// # Errors
    /// See [`MediaError`].
    pub async fn store(&self, bytes: Bytes, owner: Owner) -> Result<Kept, MediaError> {
        let mut spool = self.spool(u64::MAX).await?;
        spool.write(bytes).await?;
        self.keep(spool.finish().await?, owner).await
    }

    /// How stored files are linked to.
    #[must_use]
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Removes the files that were stored at `from` or later and before `to`, in milliseconds since 1970,
    /// however young they are. Returns how many.
    ///
    /// # Errors
    /// See [`MediaError`]; some may be gone then.
    pub async fn remove_between(&self, from: i64, to: i64) -> Result<u64, MediaError> {
        self.actor
            .ask_within(REMOVE_WAIT, Remove { from, to })
            .await?
    }

    /// Removes files by name, however young they are, with the pictures and thumbnails that stand on them. Names of
    /// no file are no error.
    ///
    /// # Errors
    /// See [`MediaError`]; some may be gone then.
    pub async fn discard(&self, names: Vec<String>) -> Result<(), MediaError> {
        let gone = self.tidy(Tidy::Named(names, Reason::UnwantedFiles));
        gone.await.map(drop)
    }

    /// Removes what housekeeping has found, or has it found here. Returns what went.
    ///
    /// # Errors
    /// See [`MediaError`]; some may be gone then.
    pub(crate) async fn tidy(&self, tidy: Tidy) -> Result<Tally, MediaError> {
        self.actor.ask_within(REMOVE_WAIT, tidy).await?
    }

    /// The counts of what was removed here, which housekeeping adds to.
    #[must_use]
    pub fn removals(&self) -> &Removals {
        &self.store.removals
    }

    /// Shows in `/metrics` how much is stored, and what was removed.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "troupe_media_bytes",
            "The size of all stored files, which storage.media_max_bytes bounds",
            self.store.stored.clone(),
        );
        self.store.removals.register(registry);
    }

    /// What is stored, as the table has it.
    ///
    /// # Errors
    /// [`MediaError::Database`].
    pub async fn usage(&self) -> Result<Usage, MediaError> {
        let read = |conn: &mut _| Ok((media::count(conn)?, media::total_bytes(conn)?));
        let (files, bytes) = self.store.database.read(read).await?;
        let positive = |number: i64| u64::try_from(number).unwrap_or(0);
        Ok(Usage {
            files: positive(files),
            bytes: positive(bytes),
            limit: self.max_bytes,
        })
    }

    /// A stored file by the name in its link; none if there is no such file, or not any more.
    pub async fn open(&self, name: &str) -> Option<Stored> {
        let name = MediaName::parse(name)?;
        let opened = match &self.store.bucket {
            Some(bucket) => self.find_in_bucket(bucket, name).await,
            None => {
                let files = self.store.files.clone();
                off_thread(move || files.open(&name)).await
            }
        };
        match opened {
            Ok(stored) => Some(stored),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                log::warn!("a media file cannot be opened: {error}");
                None
            }
        }
    }

    /// A small version of a stored picture, made anew each time.
    ///
    /// # Errors
    /// [`ThumbnailError`].
    pub async fn thumbnail(
        &self,
        name: &MediaName,
        kind: ThumbnailKind,
    ) -> Result<Thumbnail, ThumbnailError> {
        let stored = self.open(name.as_str()).await;
        let stored = stored.ok_or(ThumbnailError::NotFound)?;
        if !name.format().is_picture() {
            return Err(ThumbnailError::NoPicture);
        }
        let file = match stored.source {
            Source::Folder(file) => file,
            Source::Bucket { .. } => self.brought(stored).await?,
        };
        self.thumbnails.make(file, kind).await
    }

    /// A file of the bucket on this machine's disk, gone when it is dropped.
    async fn brought(&self, stored: Stored) -> Result<Arc<File>, ThumbnailError> {
        let bytes = stored.bytes;
        let mut spool = self.spool(u64::MAX).await?;
        let mut pieces = pin!(stored.pieces(0..bytes));
        while let Some(piece) = pieces.next().await {
            spool.write(piece?).await?;
        }
        Ok(spool.finish().await?.into_file())
    }

    /// The table knows which object a name stands for. While the database is away, a file that shares its bytes
    /// with no other is found all the same.
    async fn find_in_bucket(&self, bucket: &Bucket, name: MediaName) -> io::Result<Stored> {
        let key = name.as_str().to_owned();
        let found = self
            .store
            .database
            .read(move |conn| media::find(conn, &key));
        let (key, bytes) = match found.await {
            Ok(Some(row)) => (
                row.object().to_owned(),
                u64::try_from(row.bytes).unwrap_or(0),
            ),
            Ok(None) => return Err(io::ErrorKind::NotFound.into()),
            Err(_) => (name.as_str().to_owned(), bucket.size(name.as_str()).await?),
        };
        let bucket = bucket.clone();
        Ok(Stored {
            mime: name.format().mime(),
            name,
            bytes,
            source: Source::Bucket { bucket, key },
        })
    }
}
