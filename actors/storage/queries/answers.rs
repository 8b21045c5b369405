//! `idempotent_answers`: what a request with an `Idempotency-Key` was answered, to be answered again.

use diesel::prelude::*;

use crate::storage::{Connection, connection::on_each, schema::idempotent_answers};

/// A stored answer.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = idempotent_answers, primary_key(app_id, key, route))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct AnswerRow {
    /// Whose request it was.
    pub app_id: String,
    /// The client's `Idempotency-Key`.
    pub key: String,
    /// The route as the gateway names it, without any parameter.
    pub route: String,
    /// SHA-256 over path, query and body of the request.
    pub fingerprint: Vec<u8>,
    /// HTTP status.
    pub status: i32,
    /// JSON: `[["content-type","application/json"], …]`.
    pub headers: String,
    /// The body; `None` = it was too large to keep.
    pub body: Option<Vec<u8>>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// From when on it is as if it were not there, milliseconds since 1970.
    pub expires_at: i64,
}

/// Stores an answer, in place of one that the same key had on the same route.
pub fn put(conn: &mut Connection, row: &AnswerRow) -> QueryResult<()> {
    use idempotent_answers::{app_id, key, route};
    on_each!(conn, c => {
        diesel::insert_into(idempotent_answers::table)
            .values(row)
            .on_conflict((app_id, key, route))
            .do_update()
            .set(row)
            .execute(c)
    })
    .map(|_| ())
}

/// The answer that is in force at `now`.
pub fn find(
    conn: &mut Connection,
    (app_id, key, route): (&str, &str, &str),
    now: i64,
) -> QueryResult<Option<AnswerRow>> {
    on_each!(conn, c => {
        idempotent_answers::table
            .find((app_id, key, route))
            .filter(idempotent_answers::expires_at.gt(now))
            .select(AnswerRow::as_select())
            .first(c)
            .optional()
    })
}

/// Deletes about `most` of the answers whose time is over at `now`, the oldest first; those that end in the same
/// millisecond go together. Returns how many there were.
pub fn delete_expired(conn: &mut Connection, now: i64, most: usize) -> QueryResult<usize> {
    use idempotent_answers::expires_at;
    on_each!(conn, c => {
        let last = idempotent_answers::table
            .filter(expires_at.le(now))
            .order(expires_at)
            .offset(most.saturating_sub(1) as i64)
            .select(expires_at)
            .first::<i64>(c)
            .optional()?;
        let until = last.unwrap_or(now);
        diesel::delete(idempotent_answers::table.filter(expires_at.le(until))).execute(c)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::testing::for_each_database;

    fn answer(app: &str, key: &str, expires_at: i64) -> AnswerRow {
        AnswerRow {
            app_id: app.to_owned(),
            key: key.to_owned(),
            route: "/v1/x".to_owned(),
            fingerprint: vec![0, 255, 7],
            status: 200,
            headers: r#"[["content-type","application/json"]]"#.to_owned(),
            body: Some(vec![0, 128, 255]),
            created_at: 1,
            expires_at,
        }
    }

    #[test]
    fn an_answer_is_found_by_app_key_and_route_until_its_time_is_over() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            put(conn, &answer("a", "k", 10)).unwrap();
            put(conn, &answer("b", "k", 20)).unwrap();
            let a = ("a", "k", "/v1/x");
            assert_eq!(find(conn, a, 9), Ok(Some(answer("a", "k", 10))));
            assert_eq!(find(conn, a, 10), Ok(None));
            for other in [
                ("c", "k", "/v1/x"),
                ("a", "l", "/v1/x"),
                ("a", "k", "/v1/y"),
            ] {
                assert_eq!(find(conn, other, 9), Ok(None));
            }
            let not_kept = AnswerRow {
                body: None,
                status: 201,
                ..answer("a", "k", 30)
            };
            put(conn, &not_kept).unwrap();
            assert_eq!(find(conn, a, 10), Ok(Some(not_kept)));
            assert_eq!(
                find(conn, ("b", "k", "/v1/x"), 10),
                Ok(Some(answer("b", "k", 20)))
            );
        });
    }

    #[test]
    fn what_is_over_is_deleted_in_batches_oldest_first() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            for (key, at) in [("a", 1), ("b", 2), ("c", 2), ("d", 3), ("e", 9)] {
                put(conn, &answer("app", key, at)).unwrap();
            }
            assert_eq!(delete_expired(conn, 0, 2), Ok(0));
            assert_eq!(delete_expired(conn, 3, 2), Ok(3), "b and c end together");
            assert_eq!(delete_expired(conn, 3, 2), Ok(1));
            assert_eq!(delete_expired(conn, 3, 2), Ok(0));
            let left = find(conn, ("app", "e", "/v1/x"), 3);
            assert!(left.unwrap().is_some());
        });
    }
}
