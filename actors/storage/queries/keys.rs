//! `api_keys`: what an app shows to be let in. The key itself is nowhere, only its keyed hash.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::storage::{
    Connection,
    connection::on_each,
    schema::{api_keys, apps},
};

use super::apps::AppRow;

/// An API key.
#[derive(
    Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, Serialize, Deserialize,
)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
pub struct KeyRow {
    /// UUIDv7.
    pub id: String,
    /// Whose it is.
    pub app_id: String,
    /// What the operator calls it.
    pub name: String,
    /// Keyed hash, 64 hex digits, unique.
    pub hash: String,
    /// Its last characters, for people.
    pub hint: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970; `None` = valid.
    pub revoked_at: Option<i64>,
    /// What becomes of a repeated request, one word of `accounts::keys::Dedupe`.
    pub dedupe: String,
}

/// Stores a new key. A hash that exists or an app that does not is a constraint violation.
pub fn create(conn: &mut Connection, key: &KeyRow) -> QueryResult<()> {
    on_each!(conn, c => diesel::insert_into(api_keys::table).values(key).execute(c)).map(|_| ())
}

/// All keys with their apps, oldest first, revoked ones included.
pub fn list(conn: &mut Connection) -> QueryResult<Vec<(KeyRow, AppRow)>> {
    on_each!(conn, c => {
        api_keys::table
            .inner_join(apps::table)
            .order((api_keys::created_at, api_keys::id))
            .select((KeyRow::as_select(), AppRow::as_select()))
            .load(c)
    })
}

/// All keys that open something, with their apps: what the accounts actor keeps in memory.
pub fn load_active(conn: &mut Connection) -> QueryResult<Vec<(KeyRow, AppRow)>> {
    on_each!(conn, c => {
        api_keys::table
            .inner_join(apps::table)
            .filter(api_keys::revoked_at.is_null())
            .order(api_keys::id)
            .select((KeyRow::as_select(), AppRow::as_select()))
            .load(c)
    })
}

/// How many keys open something.
pub fn count_active(conn: &mut Connection) -> QueryResult<i64> {
    on_each!(conn, c => {
        api_keys::table
            .filter(api_keys::revoked_at.is_null())
            .count()
            .get_result(c)
    })
}

/// Revokes the key with this id at `now`; `false` if there is none or it was revoked before.
pub fn revoke(conn: &mut Connection, id: &str, now: i64) -> QueryResult<bool> {
    on_each!(conn, c => {
        diesel::update(api_keys::table.find(id).filter(api_keys::revoked_at.is_null()))
            .set(api_keys::revoked_at.eq(now))
            .execute(c)
    })
    .map(|rows| rows == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{queries::apps, testing::for_each_database};

    fn key(id: &str) -> KeyRow {
        KeyRow {
            id: id.to_owned(),
            app_id: "a1".to_owned(),
            name: "laptop".to_owned(),
            hash: format!("{id:0>64}"),
            hint: "…cdef".to_owned(),
            created_at: 7,
            revoked_at: None,
            dedupe: "off".to_owned(),
        }
    }

    #[test]
    fn a_revoked_key_is_listed_but_not_active() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            assert!(create(conn, &key("k0")).is_err(), "a key without an app");
            let app = AppRow {
                id: "a1".to_owned(),
                name: "default".to_owned(),
                max_in_flight: None,
                created_at: 7,
            };
            apps::create(conn, &app).unwrap();
            create(conn, &key("k1")).unwrap();
            create(conn, &key("k2")).unwrap();
            assert_eq!(revoke(conn, "k1", 9), Ok(true));
            assert_eq!(revoke(conn, "k1", 10), Ok(false));
            assert_eq!(revoke(conn, "k3", 10), Ok(false));
            let revoked = KeyRow {
                revoked_at: Some(9),
                ..key("k1")
            };
            assert_eq!(
                list(conn),
                Ok(vec![(revoked, app.clone()), (key("k2"), app.clone())])
            );
            assert_eq!(load_active(conn), Ok(vec![(key("k2"), app)]));
            assert_eq!(count_active(conn), Ok(1));
        });
    }
}
