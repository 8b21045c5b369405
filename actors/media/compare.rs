//! The folder or bucket and the table, compared: what either has and the other does not know goes.

use std::{collections::HashSet, io};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    bucket::Bucket,
    effects::Store,
    error::MediaError,
    listing::{Found, Listing},
    name::MediaName,
    removals::{Reason, Tally},
};
use crate::storage::queries::{media::MediaRow, upkeep};

/// How they are to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// Nothing is removed, only counted.
    pub dry_run: bool,
    /// What is younger than this, in milliseconds since 1970, may be on its way.
    pub before: i64,
    /// The most files or rows of one step.
    pub batch: usize,
}

/// So many of one side, and none of them on the other, are no accident: a disk is not there, or it is another
/// database.
const SUSPICIOUS: usize = 5;
/// Questions to the bucket at a time.
const AT_ONCE: usize = 8;

impl Store {
    /// Removes files that have no row.
    ///
    /// # Errors
    /// [`MediaError::Strangers`] when it looks as if they belonged to another database, and those of the store.
    pub async fn remove_strays(&self, how: Comparison) -> Result<Tally, MediaError> {
        let mut listing = Listing::begin(&self.files, self.bucket.as_ref()).await?;
        let (mut tally, mut looked, mut right) = (Tally::default(), 0, 0);
        loop {
            let batch = listing.next(how.batch).await?;
            if batch.is_empty() {
                return Ok(tally);
            }
            let files = batch.len();
            looked += files;
            let strays = self.without_row(batch).await?;
            right += files - strays.len();
            if right == 0 && looked >= SUSPICIOUS {
                return Err(MediaError::Strangers { files: looked });
            }
            for stray in strays.into_iter().filter(|stray| stray.at < how.before) {
                tally += one(&stray);
                if !how.dry_run {
                    self.remove_stray(stray).await?;
                }
            }
        }
    }

    async fn without_row(&self, found: Vec<Found>) -> Result<Vec<Found>, MediaError> {
        let names: Vec<String> = found.iter().map(|file| file.name.to_string()).collect();
        let known = self.read(move |conn| upkeep::known(conn, &names)).await?;
        let known: HashSet<String> = known.into_iter().collect();
        let is_unknown = |file: &Found| !known.contains(file.name.as_str());
        Ok(found.into_iter().filter(is_unknown).collect())
    }

    async fn remove_stray(&self, stray: Found) -> Result<(), MediaError> {
        let gone = one(&stray);
        match &self.bucket {
            Some(bucket) => bucket.remove(stray.name.as_str()).await?,
            None => {
                self.on_disk(move |files| files.remove(&stray.name)).await?;
            }
        }
        self.removals.count(Reason::FilesWithoutRow, gone);
        Ok(())
    }

    /// Removes rows whose file is gone.
    ///
    /// # Errors
    /// [`MediaError::NotThere`] when it looks as if the disk was not there, and those of the store.
    pub async fn remove_lost(&self, how: Comparison) -> Result<Tally, MediaError> {
        let (mut tally, mut behind) = (Tally::default(), String::new());
        let (mut looked, mut right) = (0, 0);
        while let Some(rows) = self.page(&mut behind, how).await? {
            let missing = self.without_file(&rows).await?;
            looked += rows.len();
            right += rows.len() - missing.len();
            if right == 0 && looked >= SUSPICIOUS {
                return Err(MediaError::NotThere { files: looked });
            }
            tally += self
                .part_with(rows, &missing, Reason::RowsWithoutFile, how)
                .await?;
        }
        Ok(tally)
    }

    /// Removes files that belong to a job which does not speak of them.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn remove_abandoned(&self, how: Comparison) -> Result<Tally, MediaError> {
        let (mut tally, mut behind) = (Tally::default(), String::new());
        while let Some(rows) = self.page(&mut behind, how).await? {
            let names: Vec<_> = rows.iter().map(|row| row.name.clone()).collect();
            let left = move |conn: &mut _| upkeep::abandoned(conn, &names, how.before);
            let left = self.read(left).await?.into_iter().collect();
            tally += self
                .part_with(rows, &left, Reason::AbandonedFiles, how)
                .await?;
        }
        Ok(tally)
    }

    /// The next rows by name; none at the end.
    async fn page(
        &self,
        behind: &mut String,
        how: Comparison,
    ) -> Result<Option<Vec<MediaRow>>, MediaError> {
        let from = behind.clone();
        let page = move |conn: &mut _| upkeep::files_by_name(conn, &from, how.before, how.batch);
        let rows = self.read(page).await?;
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        behind.clone_from(&last.name);
        Ok(Some(rows))
    }

    /// Removes those rows that are named, with their files, or only counts them.
    async fn part_with(
        &self,
        mut rows: Vec<MediaRow>,
        names: &HashSet<String>,
        reason: Reason,
        how: Comparison,
    ) -> Result<Tally, MediaError> {
        rows.retain(|row| names.contains(&row.name));
        match how.dry_run {
            true => Ok(Tally::of(&rows)),
            false => self.remove(rows, reason).await,
        }
    }

    /// The names whose bytes are not there.
    async fn without_file(&self, rows: &[MediaRow]) -> Result<HashSet<String>, MediaError> {
        if let Some(bucket) = &self.bucket {
            let questions = rows.iter().map(|row| is_missing(bucket, row));
            let missing = stream::iter(questions).buffer_unordered(AT_ONCE);
            let missing: Vec<_> = missing.try_collect().await?;
            return Ok(missing.into_iter().flatten().collect());
        }
        let names = rows.iter().filter_map(|row| MediaName::parse(&row.name));
        let names: Vec<_> = names.collect();
        let missing = self.on_disk(move |files| {
            let mut missing = HashSet::new();
            for name in names {
                if !files.has(&name)? {
                    missing.insert(name.to_string());
                }
            }
            Ok(missing)
        });
        missing.await
    }
}

/// The row's name, if the bucket has not its object.
async fn is_missing(bucket: &Bucket, row: &MediaRow) -> io::Result<Option<String>> {
    match bucket.size(row.object()).await {
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(row.name.clone())),
        Err(error) => Err(error),
    }
}

fn one(found: &Found) -> Tally {
    Tally {
        items: 1,
        bytes: found.bytes,
    }
}
