//! `media`: which files the media store holds; the bytes lie elsewhere.

use diesel::{prelude::*, sql_query, sql_types::BigInt};
use serde::{Deserialize, Serialize};

use super::upkeep;
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
    /// The name of the file that brought the bytes; files of the same bytes share it. Empty in rows of the
    /// first release, whose bytes are their own: see [`MediaRow::object`].
    pub object: String,
    /// The hash of the bytes in hex; empty in rows of the first release.
    pub sha256: String,
}

impl MediaRow {
    /// Under which name the bytes were stored.
    #[must_use]
    pub fn object(&self) -> &str {
        match self.object.as_str() {
            "" => &self.name,
            object => object,
        }
    }

    /// Its size.
    #[must_use]
    pub fn size(&self) -> u64 {
        u64::try_from(self.bytes).unwrap_or(0)
    }
}

/// Stores a new file's row; a name that exists is a unique violation.
pub fn insert(conn: &mut Connection, row: &MediaRow) -> QueryResult<()> {
    on_each!(conn, c => diesel::insert_into(media::table).values(row).execute(c)).map(|_| ())
}

/// The file of that name.
pub fn find(conn: &mut Connection, name: &str) -> QueryResult<Option<MediaRow>> {
    on_each!(conn, c => media::table.find(name).select(MediaRow::as_select()).first(c).optional())
}

/// A file of the same bytes, if there is one.
pub fn find_same(conn: &mut Connection, sha256: &str) -> QueryResult<Option<MediaRow>> {
    on_each!(conn, c => {
        media::table
            .filter(media::sha256.eq(sha256))
            .select(MediaRow::as_select())
            .first(c)
            .optional()
    })
}

/// Stores a row for bytes that are there already, if a row of the same hash is still there, with its object.
/// Says whether.
pub fn insert_same(conn: &mut Connection, row: &MediaRow) -> QueryResult<bool> {
    let Some(same) = find_same(conn, &row.sha256)? else {
        return Ok(false);
    };
    // holds the row until the commit, so that no other node finds the object to be without rows meanwhile
    let held = on_each!(conn, c => {
        diesel::update(media::table.find(&same.name))
            .set(media::sha256.eq(&row.sha256))
            .execute(c)
    })?;
    if held == 0 {
        return Ok(false);
    }
    let object = same.object().to_owned();
    let row = MediaRow {
        object,
        ..row.clone()
    };
    insert(conn, &row).map(|()| true)
}

/// Whether any file has these bytes.
pub fn is_used(conn: &mut Connection, object: &str) -> QueryResult<bool> {
    let used = media::object.eq(object).or(media::name.eq(object));
    on_each!(conn, c => diesel::select(diesel::dsl::exists(media::table.filter(used))).get_result(c))
}

/// At most `limit` files that were stored at `from` or later and before `to` (milliseconds since 1970), the
/// oldest first.
pub fn list_between(
    conn: &mut Connection,
    (from, to): (i64, i64),
    limit: usize,
) -> QueryResult<Vec<MediaRow>> {
    on_each!(conn, c => {
        media::table
            .filter(media::created_at.ge(from))
            .filter(media::created_at.lt(to))
            .order((media::created_at, media::name))
            .limit(limit as i64)
            .select(MediaRow::as_select())
            .load(c)
    })
}

/// The files of these names, at most some thousand.
pub fn list_named(conn: &mut Connection, names: &[String]) -> QueryResult<Vec<MediaRow>> {
    on_each!(conn, c => {
        media::table.filter(media::name.eq_any(names)).select(MediaRow::as_select()).load(c)
    })
}

/// How many files there are.
pub fn count(conn: &mut Connection) -> QueryResult<i64> {
    on_each!(conn, c => media::table.count().get_result(c))
}

#[derive(QueryableByName)]
struct Total {
    #[diesel(sql_type = BigInt)]
    total: i64,
}

/// What all files take together, in bytes; those of the same object once.
pub fn total_bytes(conn: &mut Connection) -> QueryResult<i64> {
    // PostgreSQL's sum of BIGINT is NUMERIC
    let total = sql_query(
        "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS total FROM (
             SELECT MAX(bytes) AS bytes FROM media
             GROUP BY CASE WHEN object = '' THEN name ELSE object END
         ) AS objects",
    );
    on_each!(conn, c => total.get_result::<Total>(c)).map(|row| row.total)
}

/// Deletes rows by name, at most some hundred, with the pictures and thumbnails that stand on them; returns how
/// many there were.
pub fn delete(conn: &mut Connection, names: &[String]) -> QueryResult<usize> {
    upkeep::delete_standing_on(conn, names)?;
    on_each!(conn, c => diesel::delete(media::table.filter(media::name.eq_any(names))).execute(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::testing::for_each_database;

    fn file(name: &str, created_at: i64, object: &str, sha256: &str) -> MediaRow {
        MediaRow {
            name: name.to_owned(),
            mime: "image/png".to_owned(),
            bytes: 3_000_000_000,
            created_at,
            app_id: "app".to_owned(),
            call_id: "call".to_owned(),
            object: object.to_owned(),
            sha256: sha256.to_owned(),
        }
    }

    #[test]
    fn files_are_listed_by_age_and_the_total_follows() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            assert_eq!(total_bytes(conn), Ok(0));
            let [a, b, c] =
                [("a.png", 1), ("b.png", 2), ("c.png", 3)].map(|(name, at)| file(name, at, "", ""));
            for row in [&c, &a, &b] {
                insert(conn, row).unwrap();
            }
            assert!(insert(conn, &file("c.png", 4, "", "")).is_err());
            assert_eq!(find(conn, "b.png"), Ok(Some(b.clone())));
            assert_eq!(total_bytes(conn), Ok(9_000_000_000));
            let listed = list_between(conn, (1, 3), 10).unwrap();
            assert_eq!(listed, [a, b]);
            assert_eq!(list_between(conn, (2, 9), 1).unwrap()[0].name, "b.png");
            let names: Vec<_> = listed.into_iter().map(|row| row.name).collect();
            assert_eq!(list_named(conn, &names[..1]).unwrap()[0].name, "a.png");
            assert_eq!(count(conn), Ok(3));
            assert_eq!(delete(conn, &names), Ok(2));
            assert_eq!(find(conn, "b.png"), Ok(None));
            assert_eq!(total_bytes(conn), Ok(3_000_000_000));
        });
    }

    #[test]
    fn the_same_bytes_count_once_and_are_used_while_a_row_is_left() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            assert_eq!(
                insert_same(conn, &file("b.png", 2, "b.png", "ab")),
                Ok(false)
            );
            insert(conn, &file("a.png", 1, "a.png", "ab")).unwrap();
            assert_eq!(
                insert_same(conn, &file("b.png", 2, "b.png", "ab")),
                Ok(true)
            );
            assert_eq!(
                insert_same(conn, &file("c.png", 2, "c.png", "cd")),
                Ok(false)
            );
            assert_eq!(find(conn, "b.png").unwrap().unwrap().object(), "a.png");
            assert_eq!(total_bytes(conn), Ok(3_000_000_000));
            for (gone, used) in [("a.png", true), ("b.png", false)] {
                delete(conn, &[gone.to_owned()]).unwrap();
                assert_eq!(is_used(conn, "a.png"), Ok(used));
            }
            // a row of the first release is its own object
            insert(conn, &file("old.png", 1, "", "")).unwrap();
            assert_eq!(is_used(conn, "old.png"), Ok(true));
        });
    }
}
