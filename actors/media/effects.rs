//! What the media actor does to the disk and the database. Each owns its inputs.

use std::{collections::HashSet, io};

use diesel::QueryResult;

use super::{
    blocking::off_thread, error::MediaError, files::Files, name::MediaName, policy, spool::Spooled,
};
use crate::storage::{
    Connection, Database, StorageError,
    queries::media::{self, MediaRow},
};

/// The folder and the table together. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub files: Files,
    pub database: Database,
}

/// Rows that one step of an eviction looks at.
const EVICTION_STEP: usize = 64;

impl Store {
    /// Stores a file with its row: part file, row, name.
    pub async fn put(
        self,
        name: MediaName,
        spooled: Spooled,
        row: MediaRow,
    ) -> Result<(), MediaError> {
        let part = name.clone();
        self.on_disk(move |files| files.write_part(&part, spooled.file()))
            .await?;
        let inserted = self
            .database
            .write(move |conn| media::insert(conn, &row))
            .await;
        if let Err(error) = inserted {
            // The row may be there after all: then `settle` decides.
            if !matches!(error, StorageError::Timeout | StorageError::Unavailable(_)) {
                self.on_disk(move |files| files.discard_part(&name)).await?;
            }
            return Err(error.into());
        }
        self.on_disk(move |files| files.publish(&name)).await
    }

    /// Finishes or undoes what a crash left half-way, but for the files in `storing`. Returns how many
    /// bytes are stored.
    pub async fn settle(self, storing: HashSet<MediaName>) -> Result<u64, MediaError> {
        let unfinished = self.on_disk(Files::unfinished).await?;
        for name in unfinished
            .into_iter()
            .filter(|name| !storing.contains(name))
        {
            let key = name.as_str().to_owned();
            let row = self.read(move |conn| media::find(conn, &key)).await?;
            self.on_disk(move |files| match row {
                Some(_) => files.publish(&name),
                None => files.discard_part(&name),
            })
            .await?;
        }
        self.total().await
    }

    /// Removes the oldest files until `wanted` bytes are free. Returns how many bytes are stored then.
    pub async fn evict(self, wanted: u64) -> Result<u64, MediaError> {
        let mut left = wanted;
        while left > 0 {
            let mut rows = self
                .read(|conn| media::list_oldest(conn, EVICTION_STEP))
                .await?;
            let count = policy::victims(rows.iter().map(size), left);
            rows.truncate(count);
            if rows.is_empty() {
                break;
            }
            left = left.saturating_sub(rows.iter().map(size).sum());
            log::info!("{count} of the oldest media files make room for new ones");
            self.remove(rows.into_iter().map(|row| row.name).collect())
                .await?;
        }
        self.total().await
    }

    /// Files first: a row without a file is found again by the next eviction, a file without a row
    /// never.
    async fn remove(&self, names: Vec<String>) -> Result<(), MediaError> {
        let files: Vec<MediaName> = names
            .iter()
            .filter_map(|name| MediaName::parse(name))
            .collect();
        self.on_disk(move |folder| files.iter().try_for_each(|name| folder.remove(name)))
            .await?;
        let deleted = self.database.write(move |conn| media::delete(conn, &names));
        deleted.await?;
        Ok(())
    }

    async fn total(&self) -> Result<u64, MediaError> {
        let total = self.read(media::total_bytes).await?;
        Ok(u64::try_from(total).unwrap_or(0))
    }

    async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, MediaError> {
        Ok(self.database.read(job).await?)
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Files) -> io::Result<T> + Send + 'static,
    ) -> Result<T, MediaError> {
        let files = self.files.clone();
        Ok(off_thread(move || job(&files)).await?)
    }
}

fn size(row: &MediaRow) -> u64 {
    u64::try_from(row.bytes).unwrap_or(0)
}
