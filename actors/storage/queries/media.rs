//! `media`: which files the media store holds; the bytes lie elsewhere.

use diesel::{dsl::sql, prelude::*, sql_types::BigInt};
use serde::{Deserialize, Serialize};

use crate::storage::{Connection, connection::on_each, schema::media};

/// One stored file.
#[derive(
    Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, Serialize, Deserialize,
)]
#[diesel(table_name = media, treat_none_as_default_value = false)]
pub struct MediaRow {
    /// Its unguessable name with the ending, the last part of its URL.
    pub name: String,
    /// For example `image/png`.
    pub mime: String,
    /// Its size.
    pub bytes: i64,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Who asked for it.
    pub app_id: String,
    /// The call that made it.
    pub call_id: String,
}

/// Stores a new file's row; a name that exists is a unique violation.
pub fn insert(conn: &mut Connection, row: &MediaRow) -> QueryResult<()> {
    on_each!(conn, c => diesel::insert_into(media::table).values(row).execute(c)).map(|_| ())
}

/// The file of that name.
pub fn find(conn: &mut Connection, name: &str) -> QueryResult<Option<MediaRow>> {
    on_each!(conn, c => media::table.find(name).select(MediaRow::as_select()).first(c).optional())
}

/// The `limit` oldest files: what has to go first.
pub fn list_oldest(conn: &mut Connection, limit: usize) -> QueryResult<Vec<MediaRow>> {
    on_each!(conn, c => {
        media::table
            .order((media::created_at, media::name))
            .limit(limit as i64)
            .select(MediaRow::as_select())
            .load(c)
    })
}

/// What all files take together, in bytes.
pub fn total_bytes(conn: &mut Connection) -> QueryResult<i64> {
    // PostgreSQL's sum of BIGINT is NUMERIC
    let total = sql::<BigInt>("CAST(COALESCE(SUM(bytes), 0) AS BIGINT)");
    on_each!(conn, c => media::table.select(total).get_result(c))
}

/// Deletes rows by name; returns how many there were. At most some thousand names.
pub fn delete(conn: &mut Connection, names: &[String]) -> QueryResult<usize> {
    on_each!(conn, c => diesel::delete(media::table.filter(media::name.eq_any(names))).execute(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::testing::for_each_database;

    fn file(name: &str, created_at: i64) -> MediaRow {
        MediaRow {
            name: name.to_owned(),
            mime: "image/png".to_owned(),
            bytes: 3_000_000_000,
            created_at,
            app_id: "app".to_owned(),
            call_id: "call".to_owned(),
        }
    }

    #[test]
    fn the_oldest_go_first_and_the_total_follows() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            assert_eq!(total_bytes(conn), Ok(0));
            for (name, at) in [("c.png", 3), ("a.png", 1), ("b.png", 2)] {
                insert(conn, &file(name, at)).unwrap();
            }
            assert!(insert(conn, &file("c.png", 4)).is_err());
            assert_eq!(find(conn, "b.png"), Ok(Some(file("b.png", 2))));
            assert_eq!(total_bytes(conn), Ok(9_000_000_000));
            let oldest = list_oldest(conn, 2).unwrap();
            assert_eq!(oldest, [file("a.png", 1), file("b.png", 2)]);
            let names: Vec<_> = oldest.into_iter().map(|row| row.name).collect();
            assert_eq!(delete(conn, &names), Ok(2));
            assert_eq!(find(conn, "b.png"), Ok(None));
            assert_eq!(total_bytes(conn), Ok(3_000_000_000));
        });
    }
}
