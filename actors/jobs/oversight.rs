//! The jobs of all apps, for operators.

use super::{
    handle::{JobError, JobsHandle},
    job::Job,
};
use crate::storage::{
    Connection,
    queries::{
        Cursor, Page,
        jobs::{self, JobFilter, JobRow},
    },
};

/// A job with what its app knows of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Overseen {
    pub app_id: String,
    /// The node that is at it, or was last.
    pub node: Option<String>,
    pub job: Job,
}

impl JobsHandle {
    /// A page of the jobs of all apps, newest first, with the number of all.
    ///
    /// # Errors
    /// [`JobError::Database`].
    pub async fn oversee(
        &self,
        filter: JobFilter,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Overseen>, JobError> {
        let read = move |conn: &mut Connection| jobs::page(conn, &filter, before.as_ref(), limit);
        let page = self.store.database.read(read).await?;
        let (now, outlooks) = (self.store.now(), self.outlooks(&page.list).await);
        let mut outlooks = outlooks.into_iter();
        Ok(page.map(|row| {
            let (app_id, node) = (row.app_id.clone(), row.owner.clone());
            let job = Job::of(row, outlooks.next().unwrap_or_default(), now);
            Overseen { app_id, node, job }
        }))
    }

    /// Cancels a job, whichever app's it is; one that is finished stays as it is. None if there is no such job.
    ///
    /// # Errors
    /// [`JobError`].
    pub async fn cancel_any(&self, id: &str) -> Result<Option<Overseen>, JobError> {
        let Some(JobRow { app_id, owner, .. }) = self.store.get(id).await? else {
            return Ok(None);
        };
        let job = self.cancel(&app_id, id).await?;
        Ok(job.map(|job| Overseen {
            app_id,
            node: owner,
            job,
        }))
    }
}
