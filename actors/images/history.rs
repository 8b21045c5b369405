//! Completed jobs that still have pictures.

use super::Images;
pub use crate::storage::queries::history::From;
use crate::{
    jobs::{Job, job::Outlook},
    storage::{
        StorageError,
        queries::history::{self, HistoryFilter},
    },
};

/// What a page of the history is to hold. `None` = any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryWish {
    /// These words stand in the prompt, whatever their case.
    pub words: Option<String>,
    /// One of its pictures has this tag.
    pub tag: Option<String>,
    /// As the client named it.
    pub model: Option<String>,
    pub from: From,
    /// The most.
    pub limit: usize,
}

/// A page of it.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// Over all pages.
    pub total: u64,
    /// Newest first.
    pub jobs: Vec<Job>,
    /// Whether older ones follow.
    pub more: bool,
}

impl Images {
    /// A page of an app's history.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn history(&self, app_id: &str, wish: HistoryWish) -> Result<History, StorageError> {
        let filter = HistoryFilter {
            app_id: app_id.to_owned(),
            words: wish.words,
            tag: wish.tag,
            model: wish.model,
        };
        let limit = wish.limit;
        let read = move |conn: &mut _| {
            let total = history::total(conn, &filter)?;
            Ok((total, history::page(conn, &filter, &wish.from, limit + 1)?))
        };
        let (total, mut rows) = self.database.read(read).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        // they are finished: neither place nor time tells anything of them
        let seen = |row| Job::of(row, Outlook::default(), 0);
        Ok(History {
            total: u64::try_from(total).unwrap_or_default(),
            jobs: rows.into_iter().map(seen).collect(),
            more,
        })
    }
}
