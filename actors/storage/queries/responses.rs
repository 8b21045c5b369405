//! `responses`: answers of `/v1/responses` that were asked to be stored, each with its own part of the conversation.
//!
//! Expired rows are as good as gone for every function, whether they have been deleted yet or not, and so are the rows
//! of other apps.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use serde::{Deserialize, Serialize};

use crate::storage::{Connection, connection::on_each, schema::responses};

/// One stored turn.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    Queryable,
    QueryableByName,
    Selectable,
    Insertable,
    Serialize,
    Deserialize,
)]
#[diesel(table_name = responses, treat_none_as_default_value = false)]
pub struct ResponseRow {
    /// `resp_…`, as the client knows it.
    pub id: String,
    /// Whose it is.
    pub app_id: String,
    /// The turn that this one goes on from.
    pub previous_id: Option<String>,
    /// As the client named it.
    pub model: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// From this millisecond on it is gone.
    pub expires_at: i64,
    /// The request's own input items, without those of earlier turns: a JSON array.
    pub input: String,
    /// The response object as it was answered, JSON.
    pub output: String,
}

/// Stores a new turn; an id that exists is a unique violation.
pub fn insert(conn: &mut Connection, row: &ResponseRow) -> QueryResult<()> {
    on_each!(conn, c => diesel::insert_into(responses::table).values(row).execute(c)).map(|_| ())
}

#[diesel::dsl::auto_type]
fn alive<'a>(id: &'a str, app_id: &'a str, now: i64) -> _ {
    let own = responses::app_id.eq(app_id);
    responses::table
        .find(id)
        .filter(own)
        .filter(responses::expires_at.gt(now))
}

/// The turn of that id.
pub fn get(
    conn: &mut Connection,
    id: &str,
    app_id: &str,
    now: i64,
) -> QueryResult<Option<ResponseRow>> {
    let found = alive(id, app_id, now);
    on_each!(conn, c => found.select(ResponseRow::as_select()).first(c).optional())
}

/// Deletes the turn of that id; false where there is none. Turns that go on from it stay.
pub fn delete(conn: &mut Connection, id: &str, app_id: &str, now: i64) -> QueryResult<bool> {
    let found = alive(id, app_id, now);
    on_each!(conn, c => diesel::delete(found).execute(c)).map(|deleted| deleted > 0)
}

/// How far back a chain is read.
#[derive(Debug, Clone, Copy)]
pub struct ChainLimits {
    /// The most turns.
    pub turns: usize,
    /// Once the turns so far have more bytes than this, those before them are left out.
    pub bytes: usize,
}

/// Ids first and texts last, so that only the texts of turns within the limits are read.
/// SQLite numbers `$1` and so on in the order in which they first appear.
const CHAIN: &str = "
WITH RECURSIVE chain (id, previous_id, depth, bytes) AS (
    SELECT id, previous_id, CAST(1 AS BIGINT), CAST(octet_length(input) + octet_length(output) AS BIGINT)
    FROM responses WHERE id = $1 AND app_id = $2 AND expires_at > $3
    UNION ALL
    SELECT r.id, r.previous_id, chain.depth + 1, chain.bytes + octet_length(r.input) + octet_length(r.output)
    FROM chain JOIN responses r ON r.id = chain.previous_id
    WHERE chain.depth < $4 AND chain.bytes <= $5 AND r.app_id = $2 AND r.expires_at > $3
)
SELECT responses.* FROM chain JOIN responses ON responses.id = chain.id ORDER BY chain.depth DESC";

/// The turn of that id and those before it, oldest first, as far back as there are any within the limits. Empty where
/// the turn itself is not there. If the oldest has a `previous_id`, the chain is not whole.
pub fn chain(
    conn: &mut Connection,
    id: &str,
    app_id: &str,
    now: i64,
    limits: ChainLimits,
) -> QueryResult<Vec<ResponseRow>> {
    let query = sql_query(CHAIN)
        .bind::<Text, _>(id)
        .bind::<Text, _>(app_id)
        .bind::<BigInt, _>(now)
        .bind::<BigInt, _>(limits.turns as i64)
        .bind::<BigInt, _>(limits.bytes as i64);
    on_each!(conn, c => query.load(c))
}

/// Deletes up to `most` of the expired turns, the oldest first; returns how many there were.
pub fn delete_expired(conn: &mut Connection, now: i64, most: usize) -> QueryResult<usize> {
    // diesel refuses a subquery on the very table that it deletes from
    let old = diesel::alias!(responses as old_responses);
    on_each!(conn, c => {
        let oldest = old
            .filter(old.field(responses::expires_at).le(now))
            .order((old.field(responses::expires_at), old.field(responses::id)))
            .limit(most as i64)
            .select(old.field(responses::id));
        diesel::delete(responses::table.filter(responses::id.eq_any(oldest))).execute(c)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::testing::for_each_database;

    /// Goes on from the turn before the dash, as `b` in `a-b`; expires at 100. Its texts have 20 bytes.
    fn turn(name: &str) -> ResponseRow {
        let (previous, id) = name.split_once('-').unzip();
        ResponseRow {
            id: id.unwrap_or(name).to_owned(),
            app_id: "app".to_owned(),
            previous_id: previous.map(str::to_owned),
            model: "acme/gpt-4o".to_owned(),
            created_at: 1,
            expires_at: 100,
            input: "[\"é字\"]".to_owned(),
            output: "{\"a\":\"b\"}  ".to_owned(),
        }
    }

    fn ids(rows: &[ResponseRow]) -> Vec<&str> {
        rows.iter().map(|row| row.id.as_str()).collect()
    }

    const WIDE: ChainLimits = ChainLimits {
        turns: 100,
        bytes: 1_000,
    };

    #[test]
    fn a_turn_is_its_apps_alone_until_it_expires() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            insert(conn, &turn("a-b")).unwrap();
            assert!(insert(conn, &turn("b")).is_err());
            assert_eq!(get(conn, "b", "app", 99), Ok(Some(turn("a-b"))));
            for (id, app, now) in [("b", "app", 100), ("b", "other", 99), ("a", "app", 99)] {
                assert_eq!(get(conn, id, app, now), Ok(None));
                assert_eq!(delete(conn, id, app, now), Ok(false));
                assert_eq!(chain(conn, id, app, now, WIDE), Ok(Vec::new()));
            }
            assert_eq!(delete(conn, "b", "app", 99), Ok(true));
            assert_eq!(get(conn, "b", "app", 99), Ok(None));
        });
    }

    #[test]
    fn a_chain_comes_oldest_first_within_its_limits() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            for name in ["a", "a-b", "b-c", "b-d", "c-e"] {
                insert(conn, &turn(name)).unwrap();
            }
            let whole = chain(conn, "e", "app", 99, WIDE).unwrap();
            assert_eq!(ids(&whole), ["a", "b", "c", "e"]);
            assert_eq!(whole[1], turn("a-b"));
            assert_eq!(
                ids(&chain(conn, "d", "app", 99, WIDE).unwrap()),
                ["a", "b", "d"]
            );
            let limits = ChainLimits { turns: 2, ..WIDE };
            assert_eq!(
                ids(&chain(conn, "e", "app", 99, limits).unwrap()),
                ["c", "e"]
            );
            for (bytes, found) in [(39, 2), (40, 3), (0, 1)] {
                let limits = ChainLimits { bytes, ..WIDE };
                assert_eq!(chain(conn, "e", "app", 99, limits).unwrap().len(), found);
            }
        });
    }

    #[test]
    fn a_chain_ends_before_a_turn_that_is_gone_or_somebody_elses() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            let (mut early, mut foreign) = (turn("a"), turn("x"));
            early.expires_at = 50;
            foreign.app_id = "other".to_owned();
            for row in [early, turn("a-b"), foreign, turn("x-c")] {
                insert(conn, &row).unwrap();
            }
            assert_eq!(ids(&chain(conn, "b", "app", 49, WIDE).unwrap()), ["a", "b"]);
            assert_eq!(ids(&chain(conn, "b", "app", 50, WIDE).unwrap()), ["b"]);
            assert_eq!(ids(&chain(conn, "c", "app", 49, WIDE).unwrap()), ["c"]);
        });
    }

    #[test]
    fn expired_turns_are_deleted_in_small_batches_oldest_first() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            for (id, expires_at) in [("c", 3), ("a", 1), ("b", 2), ("d", 9)] {
                let row = ResponseRow {
                    expires_at,
                    ..turn(id)
                };
                insert(conn, &row).unwrap();
            }
            assert_eq!(delete_expired(conn, 3, 2), Ok(2));
            assert_eq!(get(conn, "b", "app", 0), Ok(None));
            assert_eq!(delete_expired(conn, 3, 2), Ok(1));
            assert_eq!(delete_expired(conn, 8, 2), Ok(0));
            assert!(get(conn, "d", "app", 8).unwrap().is_some());
        });
    }
}
