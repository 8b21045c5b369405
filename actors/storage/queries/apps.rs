//! `apps`: who calls.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::storage::{Connection, connection::on_each, schema::apps};

/// An app.
#[derive(
    Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, Serialize, Deserialize,
)]
#[diesel(table_name = apps, treat_none_as_default_value = false)]
pub struct AppRow {
    /// UUIDv7.
    pub id: String,
    /// Unique among apps.
    pub name: String,
    /// Requests that it may have under way at once; `None` = the configured default.
    pub max_in_flight: Option<i32>,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// Stores a new app; a name that exists is a unique violation.
pub fn create(conn: &mut Connection, app: &AppRow) -> QueryResult<()> {
    on_each!(conn, c => diesel::insert_into(apps::table).values(app).execute(c)).map(|_| ())
}

/// The app of that name.
pub fn find_by_name(conn: &mut Connection, name: &str) -> QueryResult<Option<AppRow>> {
    on_each!(conn, c => {
        apps::table.filter(apps::name.eq(name)).select(AppRow::as_select()).first(c).optional()
    })
}

/// All apps by name.
pub fn list(conn: &mut Connection) -> QueryResult<Vec<AppRow>> {
    on_each!(conn, c => apps::table.order(apps::name).select(AppRow::as_select()).load(c))
}

#[cfg(test)]
mod tests {
    use diesel::result::{DatabaseErrorKind, Error};

    use super::*;
    use crate::storage::testing::for_each_database;

    #[test]
    fn apps_are_found_by_name_and_names_are_unique() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            let app = AppRow {
                id: "a1".to_owned(),
                name: "default".to_owned(),
                max_in_flight: Some(4),
                created_at: 7,
            };
            create(conn, &app).unwrap();
            assert_eq!(find_by_name(conn, "default"), Ok(Some(app.clone())));
            assert_eq!(find_by_name(conn, "other"), Ok(None));
            let twin = AppRow {
                id: "a2".to_owned(),
                ..app.clone()
            };
            assert!(matches!(
                create(conn, &twin),
                Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _))
            ));
            assert_eq!(list(conn), Ok(vec![app]));
        });
    }
}
