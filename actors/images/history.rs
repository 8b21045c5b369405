//! Completed jobs that still have pictures.

use super::Images;
pub use crate::storage::queries::history::{COUNTED, From, Total};
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
    /// Over all pages; only of those that begin after so many, as who goes on knows it already.
    pub total: Option<Total>,
    /// Newest first.
    pub jobs: Vec<Job>,
    /// After which job the next page begins, if there may be one.
    pub next: Option<String>,
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
        let (from, limit) = (wish.from, wish.limit);
        let read = move |conn: &mut _| {
            let total = match from {
                From::Skip(_) => Some(history::total(conn, &filter)?),
                From::After(_) => None,
            };
            Ok((total, history::page(conn, &filter, &from, limit)?))
        };
        let (total, page) = self.database.read(read).await?;
        // they are finished: neither place nor time tells anything of them
        let seen = |row| Job::of(row, Outlook::default(), 0);
        Ok(History {
            total,
            jobs: page.jobs.into_iter().map(seen).collect(),
            next: page.next,
        })
    }
}
