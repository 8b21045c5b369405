//! `jobs`: orders that outlive their request. A row that has `finished_at` never changes again.

use diesel::prelude::*;

use super::{Cursor, Page, images};
use crate::storage::{Connection, connection::on_each, schema::jobs};

/// One job.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = jobs, treat_none_as_default_value = false)]
pub struct JobRow {
    /// `job_…`, as the client knows it; later ones are greater.
    pub id: String,
    /// Whose it is.
    pub app_id: String,
    /// The call that submitted it.
    pub call_id: String,
    /// As the client named it.
    pub model: String,
    /// Who draws it.
    pub provider: String,
    /// The model's id at that provider.
    pub target: String,
    /// What the upstream calls it.
    pub upstream_model: String,
    /// `generate`, `edit`, ….
    pub action: String,
    /// Higher ones go first.
    pub priority: i32,
    /// `pending`, `processing`, `retrying`, `completed`, `failed` or `cancelled`.
    pub state: String,
    /// Grows with every change of the state.
    pub revision: i32,
    /// How often it was begun.
    pub attempts: i32,
    /// How often a begun attempt was lost with the process.
    pub interruptions: i32,
    /// What is wanted, JSON.
    pub draft: String,
    /// What upstreams gave for it, JSON: see `jobs::ticket`.
    pub tickets: Option<String>,
    /// What came of it, JSON.
    pub results: Option<String>,
    /// Why it failed, JSON.
    pub error: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// When its last attempt began.
    pub started_at: Option<i64>,
    /// It is not begun before this time.
    pub wake_at: Option<i64>,
    /// When it reached its last state.
    pub finished_at: Option<i64>,
    /// Credits for one picture, times a million, as they were when it was ordered.
    pub price: i64,
    /// What came of the parts that are done, JSON: see `jobs::job`.
    pub made: Option<String>,
    /// Who else may do it, JSON: see `jobs::route`.
    pub others: Option<String>,
    /// The node that is at it, or was last.
    pub owner: Option<String>,
    /// Until when that node is taken to live; none = for ever.
    pub leased_until: Option<i64>,
    /// The order's own, to be searched; empty in rows of releases before.
    pub prompt: String,
    /// What its pictures are tagged with, a JSON list.
    pub tags: Option<String>,
    /// The key that it was submitted with, hashed; no other job has it.
    pub submission: Option<String>,
    /// What came with that key, hashed.
    pub fingerprint: Option<String>,
}

/// What is needed of a job to put it into its place in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub struct JobBrief {
    pub id: String,
    pub app_id: String,
    pub model: String,
    pub provider: String,
    pub priority: i32,
    pub state: String,
    pub attempts: i32,
    pub interruptions: i32,
    pub tickets: Option<String>,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub wake_at: Option<i64>,
    pub owner: Option<String>,
    pub leased_until: Option<i64>,
}

/// A change of the state, all of it at once.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = jobs, treat_none_as_null = true)]
pub struct JobChange {
    pub provider: String,
    pub target: String,
    pub upstream_model: String,
    pub draft: String,
    pub state: String,
    pub attempts: i32,
    pub interruptions: i32,
    pub tickets: Option<String>,
    pub results: Option<String>,
    pub error: Option<String>,
    pub started_at: Option<i64>,
    pub wake_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub price: i64,
    pub made: Option<String>,
    pub others: Option<String>,
    pub owner: Option<String>,
    pub leased_until: Option<i64>,
}

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

/// Stores a new job; an id that exists is a unique violation.
pub fn insert(conn: &mut Connection, row: &JobRow) -> QueryResult<()> {
    on_each!(conn, c => diesel::insert_into(jobs::table).values(row).execute(c)).map(|_| ())
}

/// Stores a new job unless there is one with its submission. True where it is stored.
pub fn insert_once(conn: &mut Connection, row: &JobRow) -> QueryResult<bool> {
    let inserted = on_each!(conn, c => {
        diesel::insert_into(jobs::table)
            .values(row)
            .on_conflict_do_nothing()
            .execute(c)
    })?;
    Ok(inserted > 0)
}

/// The job that was submitted with that key.
pub fn submitted(conn: &mut Connection, submission: &str) -> QueryResult<Option<JobRow>> {
    let own = jobs::table.filter(jobs::submission.eq(submission));
    on_each!(conn, c => own.select(JobRow::as_select()).first(c).optional())
}

/// Frees the key of a job that was submitted before `since`, or ended in one of these `states`. It is no change of the
/// job, also where that is finished.
pub fn free_submission(
    conn: &mut Connection,
    submission: &str,
    since: i64,
    states: &[&str],
) -> QueryResult<()> {
    let over = jobs::created_at.lt(since).or(jobs::state.eq_any(states));
    let own = jobs::table.filter(jobs::submission.eq(submission).and(over));
    let free = jobs::submission.eq(None::<String>);
    on_each!(conn, c => diesel::update(own).set(free).execute(c)).map(|_| ())
}

/// The job of that id.
pub fn get(conn: &mut Connection, id: &str) -> QueryResult<Option<JobRow>> {
    on_each!(conn, c => jobs::table.find(id).select(JobRow::as_select()).first(c).optional())
}

/// Changes a job that is not finished and still has this revision, and returns it as it is then; none where there is
/// no such job.
pub fn change(
    conn: &mut Connection,
    id: &str,
    revision: i32,
    to: &JobChange,
) -> QueryResult<Option<JobRow>> {
    let next = jobs::revision.eq(jobs::revision + 1);
    let open = jobs::table
        .find(id)
        .filter(jobs::finished_at.is_null())
        .filter(jobs::revision.eq(revision));
    let changed = on_each!(conn, c => diesel::update(open).set((to, next)).execute(c))?;
    match changed {
        0 => Ok(None),
        _ => get(conn, id),
    }
}

/// Notes what upstreams gave for a job of `owner` that is not finished; false where there is no such job.
pub fn hold(
    conn: &mut Connection,
    id: &str,
    owner: &str,
    tickets: Option<&str>,
) -> QueryResult<bool> {
    let open = jobs::table
        .find(id)
        .filter(jobs::finished_at.is_null())
        .filter(jobs::owner.eq(owner));
    let held = jobs::tickets.eq(tickets);
    on_each!(conn, c => diesel::update(open).set(held).execute(c)).map(|changed| changed > 0)
}

/// Says how long `owner` is taken to live; returns the jobs that it is at.
pub fn renew(conn: &mut Connection, owner: &str, until: i64) -> QueryResult<Vec<String>> {
    let own = || {
        jobs::table
            .filter(jobs::finished_at.is_null())
            .filter(jobs::owner.eq(owner))
    };
    on_each!(conn, c => {
        diesel::update(own())
            .set(jobs::leased_until.eq(Some(until)))
            .execute(c)?;
        own().select(jobs::id).load(c)
    })
}

/// Says that `owner` does not live any more.
pub fn release(conn: &mut Connection, owner: &str) -> QueryResult<()> {
    let own = jobs::table
        .filter(jobs::finished_at.is_null())
        .filter(jobs::owner.eq(owner));
    let over = jobs::leased_until.eq(None::<i64>);
    on_each!(conn, c => diesel::update(own).set(over).execute(c)).map(|_| ())
}

/// All that are not finished, oldest first.
pub fn unfinished(conn: &mut Connection) -> QueryResult<Vec<JobBrief>> {
    on_each!(conn, c => {
        jobs::table
            .filter(jobs::finished_at.is_null())
            .order(jobs::id)
            .select(JobBrief::as_select())
            .load(c)
    })
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

/// How long the last attempts of the newest completed jobs took, oldest first: the model as it was named, and
/// milliseconds.
pub fn durations(conn: &mut Connection, most: usize) -> QueryResult<Vec<(String, i64)>> {
    let rows: Vec<(String, Option<i64>, Option<i64>)> = on_each!(conn, c => {
        jobs::table
            .filter(jobs::finished_at.is_not_null())
            .filter(jobs::state.eq("completed"))
            .order((jobs::finished_at.desc(), jobs::id.desc()))
            .limit(most as i64)
            .select((jobs::model, jobs::started_at, jobs::finished_at))
            .load(c)
    })?;
    let took = |(model, begun, ended): (String, Option<i64>, Option<i64>)| {
        Some((model, ended?.saturating_sub(begun?)))
    };
    Ok(rows.into_iter().rev().filter_map(took).collect())
}

/// Deletes jobs, at most some thousand, with the rows of their pictures; the files are the caller's affair. Returns
/// how many there were.
pub fn delete(conn: &mut Connection, ids: &[String]) -> QueryResult<usize> {
    images::delete_of_jobs(conn, ids)?;
    on_each!(conn, c => diesel::delete(jobs::table.filter(jobs::id.eq_any(ids))).execute(c))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::storage::testing::for_each_database;

    pub fn job(id: &str, app: &str) -> JobRow {
        JobRow {
            id: id.to_owned(),
            app_id: app.to_owned(),
            call_id: "call".to_owned(),
            model: "m".to_owned(),
            provider: "acme".to_owned(),
            target: "m".to_owned(),
            upstream_model: "vendor/m".to_owned(),
            action: "generate".to_owned(),
            priority: 0,
            state: "pending".to_owned(),
            revision: 0,
            attempts: 0,
            interruptions: 0,
            draft: "{}".to_owned(),
            tickets: None,
            results: None,
            error: None,
            created_at: 1,
            started_at: None,
            wake_at: None,
            finished_at: None,
            price: 0,
            made: None,
            others: None,
            owner: None,
            leased_until: None,
            prompt: "a red fox".to_owned(),
            tags: None,
            submission: None,
            fingerprint: None,
        }
    }

    fn to(state: &str, started_at: Option<i64>, finished_at: Option<i64>) -> JobChange {
        JobChange {
            provider: "acme".to_owned(),
            target: "m".to_owned(),
            upstream_model: "vendor/m".to_owned(),
            draft: "{}".to_owned(),
            state: state.to_owned(),
            attempts: 1,
            interruptions: 0,
            tickets: None,
            results: None,
            error: None,
            started_at,
            wake_at: None,
            finished_at,
            price: 0,
            made: None,
            others: None,
            owner: Some("node".to_owned()),
            leased_until: None,
        }
    }

    fn ids(rows: &[JobRow]) -> Vec<&str> {
        rows.iter().map(|row| row.id.as_str()).collect()
    }

    #[test]
    fn a_finished_job_never_changes() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            insert(conn, &job("a", "app")).unwrap();
            assert!(insert(conn, &job("a", "app")).is_err());
            let begun = change(conn, "a", 0, &to("processing", Some(5), None))
                .unwrap()
                .unwrap();
            assert_eq!((begun.revision, begun.started_at), (1, Some(5)));
            assert_eq!(hold(conn, "a", "other", Some("{}")), Ok(false));
            assert_eq!(hold(conn, "a", "node", Some("{}")), Ok(true));
            // somebody was quicker
            assert_eq!(change(conn, "a", 0, &to("failed", None, Some(7))), Ok(None));
            let ended = change(conn, "a", 1, &to("completed", Some(5), Some(9)))
                .unwrap()
                .unwrap();
            assert_eq!((ended.state.as_str(), ended.revision), ("completed", 2));
            assert_eq!(
                change(conn, "a", 2, &to("failed", None, Some(10))),
                Ok(None)
            );
            assert_eq!(hold(conn, "a", "node", None), Ok(false));
            assert_eq!(get(conn, "a"), Ok(Some(ended)));
            assert_eq!(
                change(conn, "b", 0, &to("failed", None, Some(10))),
                Ok(None)
            );
        });
    }

    #[test]
    fn a_node_lives_on_for_all_its_jobs_at_once() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            for id in ["a", "b", "c", "d"] {
                insert(conn, &job(id, "app")).unwrap();
            }
            for id in ["a", "b"] {
                change(conn, id, 0, &to("processing", None, None)).unwrap();
            }
            change(conn, "c", 0, &to("failed", None, Some(3))).unwrap();
            let mut own = renew(conn, "node", 50).unwrap();
            own.sort();
            assert_eq!(own, ["a", "b"]);
            let lease = |conn: &mut _, id| get(conn, id).unwrap().unwrap().leased_until;
            assert_eq!((lease(conn, "a"), lease(conn, "d")), (Some(50), None));
            release(conn, "other").unwrap();
            assert_eq!(lease(conn, "a"), Some(50));
            release(conn, "node").unwrap();
            assert_eq!((lease(conn, "a"), lease(conn, "b")), (None, None));
        });
    }

    #[test]
    fn lists_are_paged_by_id_and_filtered() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            for (id, app) in [("a", "x"), ("b", "y"), ("c", "x"), ("d", "x")] {
                insert(conn, &job(id, app)).unwrap();
            }
            change(conn, "c", 0, &to("failed", None, Some(3))).unwrap();
            let of = |app: &str, state: Option<&str>| JobFilter {
                app_id: Some(app.to_owned()),
                state: state.map(str::to_owned),
                model: Some("m".to_owned()),
                ..JobFilter::default()
            };
            let listed = list(conn, &of("x", None), None, 2).unwrap();
            assert_eq!(ids(&listed), ["d", "c"]);
            let listed = list(conn, &of("x", None), Some("c"), 2).unwrap();
            assert_eq!(ids(&listed), ["a"]);
            let listed = list(conn, &of("x", Some("failed")), None, 9).unwrap();
            assert_eq!(ids(&listed), ["c"]);
            let open: Vec<_> = unfinished(conn)
                .unwrap()
                .into_iter()
                .map(|job| job.id)
                .collect();
            assert_eq!(open, ["a", "b", "d"]);
        });
    }

    #[test]
    fn jobs_go_and_durations_are_learnt_of_completed_ones() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            for (id, state, ended) in [
                ("a", "completed", 30),
                ("b", "failed", 20),
                ("c", "completed", 40),
            ] {
                insert(conn, &job(id, "x")).unwrap();
                change(conn, id, 0, &to(state, Some(10), Some(ended))).unwrap();
            }
            insert(conn, &job("d", "x")).unwrap();
            let took = [("m".to_owned(), 20), ("m".to_owned(), 30)];
            assert_eq!(durations(conn, 9).unwrap(), took);
            assert_eq!(delete(conn, &["a", "b", "x"].map(str::to_owned)), Ok(2));
            assert_eq!(get(conn, "b"), Ok(None));
            assert!(get(conn, "c").unwrap().is_some() && get(conn, "d").unwrap().is_some());
        });
    }
}
