//! The actor that keeps the folder and its rows together, and the way to it.

use std::{io, time::Duration};

use actix::{
    Message, ResponseFuture,
    fut::{ActorFutureExt as _, wrap_future},
};
use bytes::Bytes;
use derive_more::{Display, Error, From};

use super::{
    files::{Files, Stored},
    name::{Format, MediaName, NoRandomness},
    policy::{to_free, victims},
};
use crate::{
    storage::{
        Database, StorageError,
        queries::media::{self, MediaRow},
    },
    supervision::{
        AskError, Behaviour, Cell, ChildSpec, Clock, Ctx, Handle, Receive, StartError, Tree,
        TreeError,
    },
};

/// Why a picture could not be stored.
#[derive(Debug, Display, Error, From)]
pub enum MediaError {
    #[display("the bytes are no PNG, JPEG, WebP or GIF picture")]
    NotAPicture,
    #[display("the picture cannot be written: {_0}")]
    Disk(io::Error),
    #[display("{_0}")]
    Storage(StorageError),
    #[display("{_0}")]
    Random(NoRandomness),
    #[display("{_0}")]
    Actor(AskError),
}

/// See the module's head.
pub struct MediaStore {
    files: Files,
    limit: u64,
    clock: Clock,
    database: Database,
    /// None until it could be read.
    total: Option<u64>,
    evicting: bool,
}

/// The way to the stored media. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Media {
    actor: Handle<MediaStore>,
    files: Files,
}

/// How long storing one picture may take: a disk that is synced, and a commit.
const KEEP_WAIT: Duration = Duration::from_secs(30);
/// The most files that one eviction looks at.
const EVICT_AT_ONCE: usize = 1_000;

impl Media {
    /// Starts the store in `files`, after the database.
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
        let (folder, clock, database) = (files.clone(), clock.clone(), database.clone());
        let spec = ChildSpec::new("storage/media", "media", move || {
            Ok(MediaStore {
                files: folder.clone(),
                limit,
                clock: clock.clone(),
                database: database.clone(),
                total: None,
                evicting: false,
            })
        });
        let actor = tree.start(spec).await?;
        Ok(Self { actor, files })
    }

    /// Stores a picture of the app's call. It is there, and stays over a crash, when this returns.
    ///
    /// # Errors
    /// See [`MediaError`]; nothing is left behind then.
    pub async fn store(
        &self,
        bytes: Bytes,
        app_id: &str,
        call_id: &str,
    ) -> Result<MediaName, MediaError> {
        let keep = Keep {
            bytes,
            app_id: app_id.to_owned(),
            call_id: call_id.to_owned(),
        };
        self.actor.ask_within(KEEP_WAIT, keep).await?
    }

    /// The stored file of that name, if the text is a name and the file is there.
    pub async fn open(&self, name: &str) -> Option<Stored> {
        let name = MediaName::parse(name)?;
        let files = self.files.clone();
        let found = actix_rt::task::spawn_blocking(move || files.open(&name)).await;
        found.ok()?.ok()
    }
}

impl Behaviour for MediaStore {
    fn started(&mut self, ctx: &mut Ctx<Self>) -> Result<(), StartError> {
        let settled = settle(self.files.clone(), self.database.clone());
        let settled = wrap_future::<_, Cell<Self>>(settled).map(|settled, cell, _| match settled {
            Ok(total) => cell.total = Some(total),
            // pictures can still be served, and stored once the database is back
            Err(error) => log::warn!("the media store begins without its total: {error}"),
        });
        ctx.wait(settled);
        Ok(())
    }
}

/// Publishes or discards what a crash left half done, and adds up what there is.
async fn settle(files: Files, database: Database) -> Result<u64, MediaError> {
    let folder = files.clone();
    for name in off_thread(move || folder.unfinished()).await? {
        let known = name.as_str().to_owned();
        let row = database.read(move |conn| media::find(conn, &known)).await?;
        let folder = files.clone();
        off_thread(move || match row {
            Some(_) => folder.publish(&name),
            None => folder.discard_part(&name),
        })
        .await?;
    }
    let total = database.read(media::total_bytes).await?;
    Ok(u64::try_from(total).unwrap_or(0))
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = actix_rt::task::spawn_blocking(work).await;
    done.map_err(io::Error::other)?
}

/// Store this.
#[derive(Message)]
#[rtype(result = "Result<MediaName, MediaError>")]
struct Keep {
    bytes: Bytes,
    app_id: String,
    call_id: String,
}

impl Receive<Keep> for MediaStore {
    type Reply = ResponseFuture<Result<MediaName, MediaError>>;

    fn receive(&mut self, keep: Keep, ctx: &mut Ctx<Self>) -> Self::Reply {
        self.total = self.total.map(|total| total + keep.bytes.len() as u64);
        self.make_room(ctx);
        let (files, database) = (self.files.clone(), self.database.clone());
        let now = self.clock.wall_ms();
        Box::pin(store(files, database, keep, now))
    }
}

async fn store(
    files: Files,
    database: Database,
    keep: Keep,
    now_ms: u64,
) -> Result<MediaName, MediaError> {
    let format = Format::sniff(&keep.bytes).ok_or(MediaError::NotAPicture)?;
    let name = MediaName::fresh(format)?;
    let row = MediaRow {
        name: name.as_str().to_owned(),
        mime: format.mime().to_owned(),
        bytes: whole(keep.bytes.len() as u64),
        created_at: whole(now_ms),
        app_id: keep.app_id,
        call_id: keep.call_id,
    };
    let (folder, part) = (files.clone(), name.clone());
    off_thread(move || folder.write_part(&part, &keep.bytes)).await?;
    let stored = database.write(move |conn| media::insert(conn, &row)).await;
    let (folder, part) = (files, name.clone());
    match stored {
        Ok(()) => off_thread(move || folder.publish(&part)).await?,
        Err(error) => {
            // what cannot be removed now, the next start removes
            let _ = off_thread(move || folder.discard_part(&part)).await;
            return Err(error.into());
        }
    }
    Ok(name)
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl MediaStore {
    fn make_room(&mut self, ctx: &mut Ctx<Self>) {
        let wanted = to_free(self.total.unwrap_or(0), self.limit);
        if wanted == 0 || self.evicting {
            return;
        }
        self.evicting = true;
        let evicted = evict(self.files.clone(), self.database.clone(), wanted);
        ctx.spawn(
            wrap_future::<_, Cell<Self>>(evicted).map(|evicted, cell, _| {
                cell.evicting = false;
                match evicted {
                    Ok(total) => cell.total = Some(total),
                    Err(error) => log::warn!("old media could not be removed: {error}"),
                }
            }),
        );
    }
}

/// Removes the oldest files, at least `wanted` bytes if there are that many, and adds up the rest.
async fn evict(files: Files, database: Database, wanted: u64) -> Result<u64, MediaError> {
    let read = database.read(|conn| media::list_oldest(conn, EVICT_AT_ONCE));
    let mut oldest = read.await?;
    let sizes = oldest
        .iter()
        .map(|row| u64::try_from(row.bytes).unwrap_or(0));
    oldest.truncate(victims(sizes, wanted));
    let gone: Vec<String> = oldest.into_iter().map(|row| row.name).collect();
    log::info!("{} old media files make room for new ones", gone.len());
    let names: Vec<MediaName> = gone
        .iter()
        .filter_map(|name| MediaName::parse(name))
        .collect();
    // files first: a row without a file is found and removed again, a file without a row is not
    off_thread(move || names.iter().try_for_each(|name| files.remove(name))).await?;
    database
        .write(move |conn| media::delete(conn, &gone))
        .await?;
    let total = database.read(media::total_bytes).await?;
    Ok(u64::try_from(total).unwrap_or(0))
}
