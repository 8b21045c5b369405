//! `jobs`: orders that outlive their request. A row that has `finished_at` never changes again.

mod list;
mod row;
#[cfg(test)]
pub(super) mod tests;

use diesel::prelude::*;

pub use self::{
    list::{JobFilter, list, page},
    row::{JobBrief, JobChange, JobRow},
};
use super::images;
use crate::storage::{Connection, connection::on_each, schema::jobs};

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
