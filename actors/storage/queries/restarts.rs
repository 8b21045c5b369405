//! `restarts`: each restart of an actor.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::storage::{Connection, connection::on_each, schema::restarts};

use super::{CHUNK, Cursor, Page, page::newest_first};

/// One restart.
#[derive(
    Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, Serialize, Deserialize,
)]
#[diesel(table_name = restarts, treat_none_as_default_value = false)]
pub struct RestartRow {
    /// UUIDv7; a row whose id is stored already is skipped.
    pub id: String,
    /// Milliseconds since 1970.
    pub at: i64,
    /// Where in the supervision tree, for example `root/storage/kv`.
    pub path: String,
    /// `panic`, `stop`, `frozen`, …
    pub reason: String,
    /// The panic's message, or empty.
    pub message: String,
    /// File and line of the panic, or empty.
    pub place: String,
    /// The how manieth restart of this actor since the process began.
    pub count: i32,
    /// The wait before it, milliseconds.
    pub backoff_ms: i64,
    /// Which machine or process.
    pub node: String,
}

/// Stores restarts, skipping those stored already; returns how many were new.
pub fn insert(conn: &mut Connection, rows: &[RestartRow]) -> QueryResult<usize> {
    rows.chunks(CHUNK).try_fold(0, |stored, chunk| {
        let new = on_each!(conn, c => {
            diesel::insert_into(restarts::table)
                .values(chunk)
                .on_conflict(restarts::id)
                .do_nothing()
                .execute(c)
        })?;
        Ok(stored + new)
    })
}

/// Restarts newest first, those before `before` only, at most `limit`.
pub fn list(
    conn: &mut Connection,
    before: Option<&Cursor>,
    limit: usize,
) -> QueryResult<Page<RestartRow>> {
    on_each!(conn, c => {
        let count = restarts::table.count().get_result(c)?;
        let rows = newest_first!(restarts::table.into_boxed(), (restarts::at, restarts::id), before)
            .limit(limit as i64 + 1)
            .select(RestartRow::as_select())
            .load(c)?;
        Ok(Page::new(count, rows, limit, |row: &RestartRow| Cursor { at: row.at, id: row.id.clone() }))
    })
}

/// Deletes restarts older than `at`; returns how many there were.
pub fn delete_older_than(conn: &mut Connection, at: i64) -> QueryResult<usize> {
    on_each!(conn, c => diesel::delete(restarts::table.filter(restarts::at.lt(at))).execute(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::testing::for_each_database;

    fn restart(id: &str, at: i64) -> RestartRow {
        RestartRow {
            id: id.to_owned(),
            at,
            path: "root/storage/kv".to_owned(),
            reason: "panic".to_owned(),
            message: "index out of bounds".to_owned(),
            place: "actors/storage/kv/memory.rs:1".to_owned(),
            count: 1,
            backoff_ms: 10,
            node: "one".to_owned(),
        }
    }

    #[test]
    fn restarts_are_kept_once_listed_by_page_and_pruned() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            let rows = [restart("a", 1), restart("b", 2), restart("c", 2)];
            assert_eq!(insert(conn, &rows), Ok(3));
            assert_eq!(insert(conn, &rows), Ok(0));
            let first = list(conn, None, 2).unwrap();
            assert_eq!(
                (first.list, first.count),
                (vec![rows[2].clone(), rows[1].clone()], 3)
            );
            let second = list(conn, first.next.as_ref(), 2).unwrap();
            assert_eq!((second.list, second.next), (vec![rows[0].clone()], None));
            assert_eq!(delete_older_than(conn, 2), Ok(1));
        });
    }
}
