//! What the media actor does to the disk, the bucket and the database. Each owns its inputs.

use std::{collections::HashSet, io, sync::Arc};

use diesel::QueryResult;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Mutex;

use super::{
    blocking::off_thread,
    bucket::Bucket,
    error::MediaError,
    files::Files,
    formats::Plan,
    name::MediaName,
    policy,
    removals::{Reason, Removals, Tally},
    spool::Spooled,
};
use crate::storage::{
    Connection, Database, StorageError,
    queries::{
        media::{self, MediaRow},
        upkeep,
    },
};

/// The folder or bucket, and the table. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    /// Where files lie, or where they wait on their way into the bucket.
    pub files: Files,
    pub bucket: Option<Bucket>,
    pub database: Database,
    /// Held by who makes room, so that two do not make the same room twice.
    pub evicting: Arc<Mutex<()>>,
    /// Counts what is removed.
    pub removals: Removals,
    /// Bytes that are stored, as far as the actor knows.
    pub stored: Gauge,
}

/// Rows that one step of a removal looks at.
const STEP: usize = 64;

impl Store {
    /// Stores what the plan keeps of a file, with its row: part file, row, name. Returns how many bytes more
    /// are stored: none, where the same bytes were there already.
    pub async fn put(
        self,
        name: MediaName,
        spooled: Spooled,
        plan: Plan,
        mut row: MediaRow,
    ) -> Result<u64, MediaError> {
        let (part, bytes) = (name.clone(), plan.bytes());
        row.sha256 = self
            .on_disk(move |files| files.write_part(&part, &plan, spooled.file()))
            .await?;
        let put = match self.bucket.clone() {
            Some(bucket) => self.put_in_bucket(&bucket, &name, row).await,
            None => self.put_in_folder(&name, row).await,
        };
        if let Err(error) = &put
            // The row may be there after all: then `settle` decides.
            && !matches!(error, MediaError::Database(StorageError::Timeout | StorageError::Unavailable(_)))
        {
            self.undo(name).await?;
        }
        put.map(|is_new| if is_new { bytes } else { 0 })
    }

    async fn put_in_folder(&self, name: &MediaName, mut row: MediaRow) -> Result<bool, MediaError> {
        let hash = row.sha256.clone();
        let same = self.read(move |conn| media::find_same(conn, &hash)).await?;
        let mut is_new = true;
        if let Some((same, object)) = same.and_then(|same| {
            let object = same.object().to_owned();
            Some((MediaName::parse(&same.name)?, object))
        }) {
            let part = name.clone();
            is_new = !self
                .on_disk(move |files| Ok(files.share(&part, &same)))
                .await?;
            if !is_new {
                row.object = object;
            }
        }
        self.write(move |conn| media::insert(conn, &row)).await?;
        let name = name.clone();
        self.on_disk(move |files| files.publish(&name)).await?;
        Ok(is_new)
    }

    async fn put_in_bucket(
        &self,
        bucket: &Bucket,
        name: &MediaName,
        row: MediaRow,
    ) -> Result<bool, MediaError> {
        let same = row.clone();
        let is_new = !self
            .write(move |conn| media::insert_same(conn, &same))
            .await?;
        if is_new {
            let part = name.clone();
            let file = self.on_disk(move |files| files.open_part(&part)).await?;
            let mime = name.format().mime();
            bucket.put(name.as_str(), mime, Arc::new(file)).await?;
            self.write(move |conn| media::insert(conn, &row)).await?;
        }
        let name = name.clone();
        self.on_disk(move |files| files.discard_part(&name)).await?;
        Ok(is_new)
    }

    /// Removes what was stored under a name without a row. The part file goes last: while it is there, this is
    /// tried again.
    async fn undo(&self, name: MediaName) -> Result<(), MediaError> {
        if let Some(bucket) = &self.bucket {
            bucket.remove(name.as_str()).await?;
        }
        self.on_disk(move |files| files.discard_part(&name)).await
    }

    /// Finishes or undoes what a crash left half-way, but for the files in `storing`. Returns how many bytes are
    /// stored.
    pub async fn settle(self, storing: HashSet<MediaName>) -> Result<u64, MediaError> {
        let unfinished = self.on_disk(Files::unfinished).await?;
        for name in unfinished
            .into_iter()
            .filter(|name| !storing.contains(name))
        {
            let key = name.as_str().to_owned();
            match self.read(move |conn| media::is_used(conn, &key)).await? {
                false => self.undo(name).await?,
                true if self.bucket.is_some() => {
                    self.on_disk(move |files| files.discard_part(&name)).await?;
                }
                true => self.on_disk(move |files| files.publish(&name)).await?,
            }
        }
        self.total().await
    }

    /// Removes the oldest files, but no pinned pictures, none that an unfinished job needs and none that were stored at
    /// `young` or later, until `need` bytes fit under `limit`. Returns how many bytes are stored then, and what went.
    pub async fn make_room(
        &self,
        limit: u64,
        need: u64,
        young: i64,
    ) -> Result<(u64, Tally), MediaError> {
        let _turn = self.evicting.lock().await;
        let mut gone = Tally::default();
        loop {
            let total = self.total().await?;
            let wanted = policy::to_free(total.saturating_add(need), limit);
            let oldest = move |conn: &mut _| {
                let first = (i64::MIN, String::new());
                upkeep::loose_files(conn, young, &first, STEP)
            };
            let mut rows = match wanted {
                0 => Vec::new(),
                _ => self.read(oldest).await?,
            };
            rows.truncate(policy::victims(rows.iter().map(MediaRow::size), wanted));
            if rows.is_empty() {
                return Ok((total, gone));
            }
            log::info!(
                "{} of the oldest media files make room for new ones",
                rows.len()
            );
            gone += self.remove(rows, Reason::FilesOverLimit).await?;
        }
    }

    /// Removes the files that were stored at `from` or later and before `to`. Returns how many.
    pub async fn remove_between(&self, from: i64, to: i64) -> Result<u64, MediaError> {
        let list = move |conn: &mut _| media::list_between(conn, (from, to), STEP);
        let mut gone = 0;
        loop {
            let rows = self.read(list).await?;
            if rows.is_empty() {
                return Ok(gone);
            }
            gone += rows.len() as u64;
            self.remove(rows, Reason::UnwantedFiles).await?;
        }
    }

    /// Removes the files of these names; those that are not there are no error. Returns what went.
    pub async fn remove_named(
        &self,
        names: Vec<String>,
        reason: Reason,
    ) -> Result<Tally, MediaError> {
        let mut gone = Tally::default();
        for names in names.chunks(STEP) {
            let names = names.to_vec();
            let rows = self
                .read(move |conn| media::list_named(conn, &names))
                .await?;
            gone += self.remove(rows, reason).await?;
        }
        Ok(gone)
    }

    /// Removes files with their rows, and a picture's thumbnails with it. Returns what went.
    pub async fn remove(
        &self,
        mut rows: Vec<MediaRow>,
        reason: Reason,
    ) -> Result<Tally, MediaError> {
        if rows.is_empty() {
            return Ok(Tally::default());
        }
        let mut names: Vec<_> = rows.iter().map(|row| row.name.clone()).collect();
        let owners = names.clone();
        let small = move |conn: &mut _| upkeep::thumbnails_of_files(conn, &owners);
        let small = self.read(small).await?.into_iter();
        rows.extend(small.filter(|row| !names.contains(&row.name)));
        names = rows.iter().map(|row| row.name.clone()).collect();
        match &self.bucket {
            None => self.remove_from_folder(names).await?,
            Some(bucket) => {
                let objects: HashSet<_> = rows.iter().map(|row| row.object().to_owned()).collect();
                self.remove_from_bucket(bucket, names, objects).await?;
            }
        }
        let gone = Tally::of(&rows);
        self.removals.count(reason, gone);
        Ok(gone)
    }

    /// Files first: a row without a file is found again by the next removal, a file without a row never.
    /// Other names of the same bytes are links of their own, and stay.
    async fn remove_from_folder(&self, names: Vec<String>) -> Result<(), MediaError> {
        let files: Vec<MediaName> = names
            .iter()
            .filter_map(|name| MediaName::parse(name))
            .collect();
        self.on_disk(move |folder| files.iter().try_for_each(|name| folder.remove(name)))
            .await?;
        self.write(move |conn| media::delete(conn, &names)).await?;
        Ok(())
    }

    /// Rows first, then the objects that no row is left for: so none is removed that another row has just
    /// taken up. Marks in the folder have what a crash leaves looked at again.
    async fn remove_from_bucket(
        &self,
        bucket: &Bucket,
        names: Vec<String>,
        objects: HashSet<String>,
    ) -> Result<(), MediaError> {
        let objects: Vec<_> = objects
            .iter()
            .filter_map(|key| MediaName::parse(key))
            .collect();
        let marked = objects.clone();
        self.on_disk(move |files| marked.iter().try_for_each(|name| files.mark(name)))
            .await?;
        self.write(move |conn| media::delete(conn, &names)).await?;
        for object in objects {
            let key = object.as_str().to_owned();
            if !self.read(move |conn| media::is_used(conn, &key)).await? {
                bucket.remove(object.as_str()).await?;
            }
            self.on_disk(move |files| files.discard_part(&object))
                .await?;
        }
        Ok(())
    }

    async fn total(&self) -> Result<u64, MediaError> {
        let total = self.read(media::total_bytes).await?;
        Ok(u64::try_from(total).unwrap_or(0))
    }

    pub async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, MediaError> {
        Ok(self.database.read(job).await?)
    }

    pub async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, MediaError> {
        Ok(self.database.write(job).await?)
    }

    pub async fn on_disk<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Files) -> io::Result<T> + Send + 'static,
    ) -> Result<T, MediaError> {
        let files = self.files.clone();
        Ok(off_thread(move || job(&files)).await?)
    }
}
