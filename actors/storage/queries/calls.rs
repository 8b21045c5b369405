//! `calls`: one row per request, written behind it.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::storage::{Connection, connection::on_each, schema::calls};

use super::{CHUNK, Cursor, Page, page::newest_first};

/// The record of one request. Texts that were never known (a request refused before a provider was chosen) are empty.
#[derive(
    Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, Serialize, Deserialize,
)]
#[diesel(table_name = calls, treat_none_as_default_value = false)]
pub struct CallRow {
    /// UUIDv7; a row whose id is stored already is the same call and is skipped.
    pub id: String,
    /// When the request came, milliseconds since 1970.
    pub at: i64,
    /// Whose request.
    pub app_id: String,
    /// Which of its keys.
    pub key_id: String,
    /// The route, without any parameter.
    pub endpoint: String,
    /// As the client named it, after resolving: `provider/model`.
    pub model: String,
    /// Who answered, or was asked last.
    pub provider: String,
    /// The model's name at the upstream.
    pub upstream_model: String,
    /// The credential's alias, never the credential.
    pub token_alias: String,
    /// Upstream calls made.
    pub attempts: i32,
    /// Whether the client asked for a stream.
    pub stream: bool,
    /// The HTTP status sent.
    pub status: i32,
    /// How it ended, one of a small fixed set of words.
    pub outcome: String,
    /// The error's stable code.
    pub error_code: Option<String>,
    /// Tokens of the prompt, cached ones included; as the upstream reported.
    pub prompt_tokens: Option<i64>,
    /// Tokens of the answer, reasoning included.
    pub completion_tokens: Option<i64>,
    /// Tokens of the prompt that the upstream had cached.
    pub cached_tokens: Option<i64>,
    /// Tokens of the answer that were reasoning.
    pub reasoning_tokens: Option<i64>,
    /// From the request's head to the last byte, microseconds.
    pub latency_us: i64,
    /// From the request's head to the first byte of the body sent, microseconds.
    pub first_byte_us: Option<i64>,
    /// What of the time before the first byte was the gateway's own, microseconds.
    pub overhead_us: i64,
    /// Bytes of the body sent to the client.
    pub bytes_out: i64,
}

/// Which calls to list. `None` = any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// Of this app.
    pub app_id: Option<String>,
    /// With this model, as stored.
    pub model: Option<String>,
    /// With this outcome.
    pub outcome: Option<String>,
}

/// Stores calls, skipping those whose id is stored already; returns how many were new. Any number of rows.
pub fn insert(conn: &mut Connection, rows: &[CallRow]) -> QueryResult<usize> {
    rows.chunks(CHUNK).try_fold(0, |stored, chunk| {
        let new = on_each!(conn, c => {
            diesel::insert_into(calls::table)
                .values(chunk)
                .on_conflict(calls::id)
                .do_nothing()
                .execute(c)
        })?;
        Ok(stored + new)
    })
}

/// Calls newest first, those before `before` only, at most `limit`.
pub fn list(
    conn: &mut Connection,
    filter: &CallFilter,
    before: Option<&Cursor>,
    limit: usize,
) -> QueryResult<Page<CallRow>> {
    /// The filtered query, boxed for the database at hand.
    macro_rules! filtered {
        () => {{
            let mut query = calls::table.into_boxed();
            if let Some(app_id) = &filter.app_id {
                query = query.filter(calls::app_id.eq(app_id));
            }
            if let Some(model) = &filter.model {
                query = query.filter(calls::model.eq(model));
            }
            if let Some(outcome) = &filter.outcome {
                query = query.filter(calls::outcome.eq(outcome));
            }
            query
        }};
    }
    on_each!(conn, c => {
        let count = filtered!().count().get_result(c)?;
        let rows = newest_first!(filtered!(), (calls::at, calls::id), before)
            .limit(limit as i64 + 1)
            .select(CallRow::as_select())
            .load(c)?;
        Ok(Page::new(count, rows, limit, |row| Cursor { at: row.at, id: row.id.clone() }))
    })
}

/// Deletes up to `most` of the calls older than `at`, the oldest first; returns how many there were.
pub fn delete_oldest(conn: &mut Connection, at: i64, most: usize) -> QueryResult<usize> {
    // diesel refuses a subquery on the very table that it deletes from
    let old = diesel::alias!(calls as old_calls);
    on_each!(conn, c => {
        let oldest = old
            .filter(old.field(calls::at).lt(at))
            .order((old.field(calls::at), old.field(calls::id)))
            .limit(most as i64)
            .select(old.field(calls::id));
        diesel::delete(calls::table.filter(calls::id.eq_any(oldest))).execute(c)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::testing::{call, for_each_database};

    fn ids(page: &Page<CallRow>) -> Vec<&str> {
        page.list.iter().map(|row| row.id.as_str()).collect()
    }

    #[test]
    fn a_call_is_stored_once_and_comes_back_as_it_was() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            let mut rows: Vec<_> = (0..1_001).map(|n| call(&format!("{n:05}"), n)).collect();
            assert_eq!(insert(conn, &rows[..500]), Ok(500));
            assert_eq!(insert(conn, &rows), Ok(501));
            assert_eq!(insert(conn, &[]), Ok(0));
            let page = list(conn, &CallFilter::default(), None, 2_000).unwrap();
            rows.reverse();
            assert_eq!(page.list, rows);
            assert_eq!((page.count, page.next), (1_001, None));
        });
    }

    #[test]
    fn pages_neither_skip_nor_repeat_within_one_millisecond() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            let rows = ["a", "b", "c", "d", "e"].map(|id| call(id, if id == "e" { 1 } else { 5 }));
            insert(conn, &rows).unwrap();
            let filter = CallFilter::default();
            let first = list(conn, &filter, None, 2).unwrap();
            assert_eq!((ids(&first), first.count), (vec!["d", "c"], 5));
            let second = list(conn, &filter, first.next.as_ref(), 2).unwrap();
            assert_eq!((ids(&second), second.count), (vec!["b", "a"], 5));
            let third = list(conn, &filter, second.next.as_ref(), 2).unwrap();
            assert_eq!((ids(&third), &third.next), (vec!["e"], &None));
        });
    }

    #[test]
    fn filters_add_up() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            let mut other_app = call("b", 2);
            other_app.app_id = "other".to_owned();
            let mut failed = call("c", 3);
            failed.outcome = "upstream_error".to_owned();
            insert(conn, &[call("a", 1), other_app, failed]).unwrap();
            let mut filter = CallFilter {
                app_id: Some("app".to_owned()),
                ..CallFilter::default()
            };
            assert_eq!(ids(&list(conn, &filter, None, 9).unwrap()), ["c", "a"]);
            filter.outcome = Some("ok".to_owned());
            assert_eq!(ids(&list(conn, &filter, None, 9).unwrap()), ["a"]);
            filter.model = Some("acme/none".to_owned());
            assert_eq!(list(conn, &filter, None, 9).unwrap().count, 0);
        });
    }

    #[test]
    fn old_calls_are_deleted_in_small_batches_oldest_first() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            let rows = [call("c", 3), call("a", 1), call("b", 2), call("d", 9)];
            insert(conn, &rows).unwrap();
            assert_eq!(delete_oldest(conn, 9, 2), Ok(2));
            let left = list(conn, &CallFilter::default(), None, 9).unwrap();
            assert_eq!(ids(&left), ["d", "c"]);
            assert_eq!(delete_oldest(conn, 9, 2), Ok(1));
            assert_eq!(delete_oldest(conn, 9, 2), Ok(0));
        });
    }

    #[test]
    fn a_call_survives_the_spool_file() {
        let row = call("a", 1);
        let line = serde_json::to_string(&row).unwrap();
        assert_eq!(serde_json::from_str::<CallRow>(&line).unwrap(), row);
    }
}
