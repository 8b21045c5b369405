//! What really lies in the folder or the bucket, some at a time.

use std::{fs, io, time::UNIX_EPOCH};

use futures_util::{StreamExt as _, stream::BoxStream};

use super::{blocking::off_thread, bucket::Bucket, files::Files, name::MediaName};

/// A file that lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub name: MediaName,
    /// Its size.
    pub bytes: u64,
    /// When it was written, in milliseconds since 1970.
    pub at: i64,
}

/// The files of a folder or a bucket, in no order. What has none of our names is not looked at.
pub(super) enum Listing {
    /// None once it is read.
    Folder(Option<fs::ReadDir>),
    Bucket(BoxStream<'static, io::Result<Found>>),
}

impl Listing {
    /// Of the bucket, where there is one, or else of the folder.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub async fn begin(files: &Files, bucket: Option<&Bucket>) -> io::Result<Self> {
        if let Some(bucket) = bucket {
            return Ok(Self::Bucket(bucket.list()));
        }
        let folder = files.folder();
        let entries = off_thread(move || fs::read_dir(folder)).await?;
        Ok(Self::Folder(Some(entries)))
    }

    /// The next ones, at most so many; none at the end.
    ///
    /// # Errors
    /// The disk's or the bucket's.
    pub async fn next(&mut self, most: usize) -> io::Result<Vec<Found>> {
        match self {
            Self::Bucket(objects) => {
                let batch: Vec<_> = objects.take(most).collect().await;
                batch.into_iter().collect()
            }
            Self::Folder(entries) => {
                let Some(mut rest) = entries.take() else {
                    return Ok(Vec::new());
                };
                let (batch, rest) = off_thread(move || {
                    let found = rest
                        .by_ref()
                        .filter_map(|entry| entry.and_then(found).transpose());
                    let batch: Vec<_> = found.take(most).collect::<io::Result<_>>()?;
                    Ok((batch, rest))
                })
                .await?;
                *entries = (!batch.is_empty()).then_some(rest);
                Ok(batch)
            }
        }
    }
}

/// A stored file of the folder; none for what is not one, or has just gone.
fn found(entry: fs::DirEntry) -> io::Result<Option<Found>> {
    let file_name = entry.file_name();
    let Some(name) = file_name.to_str().and_then(MediaName::parse) else {
        return Ok(None);
    };
    let metadata = match entry.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata?,
    };
    let age = metadata.modified()?.duration_since(UNIX_EPOCH);
    let at = age.map_or(0, |age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
    Ok(Some(Found {
        name,
        bytes: metadata.len(),
        at,
    }))
}
