//! Jobs as they are listed.

use diesel::prelude::*;

use super::JobRow;
use crate::storage::{
    Connection,
    connection::on_each,
    queries::{Cursor, Page},
    schema::jobs,
};

/// Which jobs to list. `None` = any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Of this app.
    pub app_id: Option<String>,
    /// In this state.
    pub state: Option<String>,
    /// With this model, as the client named it.
    pub model: Option<String>,
    /// At this provider.
    pub provider: Option<String>,
}

/// The filter's jobs, boxed for the database at hand.
macro_rules! filtered {
    ($filter:expr) => {{
        let filter: &JobFilter = $filter;
        let mut query = jobs::table.into_boxed();
        if let Some(app_id) = &filter.app_id {
            query = query.filter(jobs::app_id.eq(app_id));
        }
        if let Some(state) = &filter.state {
            query = query.filter(jobs::state.eq(state));
        }
        if let Some(model) = &filter.model {
            query = query.filter(jobs::model.eq(model));
        }
        if let Some(provider) = &filter.provider {
            query = query.filter(jobs::provider.eq(provider));
        }
        query
    }};
}

/// Jobs newest first, those before the id `before` only, at most `limit`.
pub fn list(
    conn: &mut Connection,
    filter: &JobFilter,
    before: Option<&str>,
    limit: usize,
) -> QueryResult<Vec<JobRow>> {
    on_each!(conn, c => {
        let mut query = filtered!(filter);
        if let Some(before) = before {
            query = query.filter(jobs::id.lt(before));
        }
        query
            .order(jobs::id.desc())
            .limit(limit as i64)
            .select(JobRow::as_select())
            .load(c)
    })
}

/// A page of them with the number of all.
pub fn page(
    conn: &mut Connection,
    filter: &JobFilter,
    before: Option<&Cursor>,
    limit: usize,
) -> QueryResult<Page<JobRow>> {
    let count = on_each!(conn, c => filtered!(filter).count().get_result(c))?;
    let rows = list(conn, filter, before.map(|before| &*before.id), limit + 1)?;
    Ok(Page::new(count, rows, limit, |row| Cursor {
        at: row.created_at,
        id: row.id.clone(),
    }))
}
