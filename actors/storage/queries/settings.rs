//! `settings`: the few values of the installation itself (hashes of the admin's password and token, first start done).

use diesel::prelude::*;

use crate::storage::{Connection, connection::on_each, schema::settings};

/// The value of `key`.
pub fn get(conn: &mut Connection, key: &str) -> QueryResult<Option<String>> {
    on_each!(conn, c => settings::table.find(key).select(settings::value).first(c).optional())
}

/// Sets `key`, over what was there.
pub fn put(conn: &mut Connection, key: &str, value: &str) -> QueryResult<()> {
    let row = (settings::key.eq(key), settings::value.eq(value));
    on_each!(conn, c => {
        diesel::insert_into(settings::table)
            .values(row)
            .on_conflict(settings::key)
            .do_update()
            .set(settings::value.eq(value))
            .execute(c)
    })
    .map(|_| ())
}

/// Sets `key` unless it is set, also when several nodes try at once; `true` if this call set it.
pub fn put_if_absent(conn: &mut Connection, key: &str, value: &str) -> QueryResult<bool> {
    let row = (settings::key.eq(key), settings::value.eq(value));
    on_each!(conn, c => {
        diesel::insert_into(settings::table)
            .values(row)
            .on_conflict(settings::key)
            .do_nothing()
            .execute(c)
    })
    .map(|rows| rows == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::testing::for_each_database;

    #[test]
    fn only_the_first_of_two_sets_an_absent_value() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            assert_eq!(get(conn, "first_start"), Ok(None));
            assert_eq!(put_if_absent(conn, "first_start", "one"), Ok(true));
            assert_eq!(put_if_absent(conn, "first_start", "two"), Ok(false));
            assert_eq!(get(conn, "first_start"), Ok(Some("one".to_owned())));
            put(conn, "first_start", "three").unwrap();
            put(conn, "new", "four").unwrap();
            assert_eq!(get(conn, "first_start"), Ok(Some("three".to_owned())));
            assert_eq!(get(conn, "new"), Ok(Some("four".to_owned())));
        });
    }
}
