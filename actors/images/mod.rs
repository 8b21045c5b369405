//! The pictures and films that jobs have made, as their apps keep them: looked at, searched, tagged, pinned, removed.
//!
//! Nothing is owned here but the tables `thumbnails` and `user_tags`: a picture's row begins and ends with its job
//! (see [`jobs`](crate::jobs)), its file lies in the media store. Every function asks the database; there is nothing
//! to restart.
//!
//! | room | what it is for |
//! |---|---|
//! | [`image`] | a picture as its app sees it |
//! | [`history`] | completed jobs that still have pictures |
//! | `thumbnail` | the small version of a picture |

pub mod history;
pub mod image;
mod thumbnail;

use std::collections::HashMap;

use derive_more::{Display, Error, From};
use diesel::QueryResult;

pub use self::{
    history::{History, HistoryWish},
    image::{Amendment, Image},
};
use crate::{
    jobs::{Job, JobInput},
    media::{Media, MediaError, ThumbnailError},
    storage::{
        Connection, Database, StorageError,
        queries::{
            images::{self, ImageRow},
            tags,
        },
    },
    supervision::Clock,
};

/// Why pictures were not reached. What is merely not there is no error.
#[derive(Debug, Display, Error, From)]
pub enum ImagesError {
    #[display("pictures cannot be reached: {_0}")]
    Database(StorageError),
    #[display("{_0}")]
    Media(MediaError),
    #[display("{_0}")]
    Thumbnail(ThumbnailError),
}

/// Looks after pictures. Cheap to clone.
#[derive(Clone)]
pub struct Images {
    database: Database,
    media: Media,
    clock: Clock,
}

/// The most tags that a list of an app's tags has.
const TAGS: usize = 1_000;

impl Images {
    /// The pictures whose rows are in `database` and whose files are in `media`.
    #[must_use]
    pub fn new(database: &Database, media: &Media, clock: &Clock) -> Self {
        Self {
            database: database.clone(),
            media: media.clone(),
            clock: clock.clone(),
        }
    }

    /// The pictures of jobs, each job's in their places.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn of_jobs(
        &self,
        job_ids: Vec<String>,
    ) -> Result<HashMap<String, Vec<Image>>, StorageError> {
        let read = move |conn: &mut _| {
            let rows = images::of_jobs(conn, &job_ids)?;
            with_tags(conn, rows)
        };
        let mut by_job: HashMap<String, Vec<Image>> = HashMap::new();
        for image in self.database.read(read).await? {
            by_job.entry(image.job_id.clone()).or_default().push(image);
        }
        Ok(by_job)
    }

    /// The picture of that id; none if this app has no such picture, or not any more.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn get(&self, app_id: &str, id: &str) -> Result<Option<Image>, StorageError> {
        let (app_id, id) = (app_id.to_owned(), id.to_owned());
        self.database
            .read(move |conn| own(conn, &app_id, &id))
            .await
    }

    /// Pins a picture or lets go of it, and gives it tags in the place of those that it had. None if this app has
    /// no such picture.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn amend(
        &self,
        app_id: &str,
        id: &str,
        to: Amendment,
    ) -> Result<Option<Image>, StorageError> {
        let (app_id, id) = (app_id.to_owned(), id.to_owned());
        let now = i64::try_from(self.clock.wall_ms()).unwrap_or(i64::MAX);
        let amend = move |conn: &mut _| {
            if own(conn, &app_id, &id)?.is_none() {
                return Ok(None);
            }
            if let Some(pinned) = to.pinned {
                images::pin(conn, &id, pinned)?;
            }
            if let Some(tags) = &to.tags {
                tags::set(conn, &id, tags, now)?;
            }
            own(conn, &app_id, &id)
        };
        self.database.write(amend).await
    }

    /// Removes a picture with its file, its thumbnails and its tags; false if this app has no such picture. What
    /// fails half-way can be asked for again.
    ///
    /// # Errors
    /// [`ImagesError`].
    pub async fn remove(&self, app_id: &str, id: &str) -> Result<bool, ImagesError> {
        let Some(image) = self.get(app_id, id).await? else {
            return Ok(false);
        };
        let ids = vec![image.id];
        self.discard(vec![image.name], ids.clone()).await?;
        let delete = move |conn: &mut _| images::delete(conn, &ids);
        self.database.write(delete).await?;
        Ok(true)
    }

    /// Removes the files of a finished job: those that it made, their thumbnails, and those that it was given. Its
    /// rows are removed by [`JobsHandle::forget`](crate::jobs::JobsHandle::forget).
    ///
    /// # Errors
    /// [`ImagesError`].
    pub async fn discard_files(&self, job: &Job) -> Result<(), ImagesError> {
        let job_ids = vec![job.id.clone()];
        let rows = self
            .database
            .read(move |conn| images::of_jobs(conn, &job_ids))
            .await?;
        let inputs = job.order.iter().flat_map(|order| &order.inputs);
        let inputs = inputs.filter_map(|input| match input {
            JobInput::File(name) => Some(name.clone()),
            JobInput::Link(_) => None,
        });
        let names = rows.iter().map(|row| row.name.clone()).chain(inputs);
        let ids = rows.iter().map(|row| row.id.clone()).collect();
        self.discard(names.collect(), ids).await
    }

    /// An app's tags and how many of its pictures have each, those with the most first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn tags(&self, app_id: &str) -> Result<Vec<(String, i64)>, StorageError> {
        let app_id = app_id.to_owned();
        let counts = move |conn: &mut _| tags::counts(conn, &app_id, TAGS);
        self.database.read(counts).await
    }

    /// Removes files, and the thumbnails of pictures.
    async fn discard(&self, mut names: Vec<String>, ids: Vec<String>) -> Result<(), ImagesError> {
        let thumbnails = move |conn: &mut _| images::thumbnails_of(conn, &ids);
        names.extend(self.database.read(thumbnails).await?);
        Ok(self.media.discard(names).await?)
    }
}

fn own(conn: &mut Connection, app_id: &str, id: &str) -> QueryResult<Option<Image>> {
    let row = images::get(conn, id)?.filter(|row| row.app_id == app_id);
    Ok(with_tags(conn, row.into_iter().collect())?.pop())
}

fn with_tags(conn: &mut Connection, rows: Vec<ImageRow>) -> QueryResult<Vec<Image>> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let mut given: HashMap<String, Vec<String>> = HashMap::new();
    for (id, tag) in tags::of(conn, &ids)? {
        given.entry(id).or_default().push(tag);
    }
    let tagged = |row: ImageRow| Image {
        tags: given.remove(&row.id).unwrap_or_default(),
        ..Image::of(row)
    };
    Ok(rows.into_iter().map(tagged).collect())
}
