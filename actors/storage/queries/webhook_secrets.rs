//! `webhook_secrets`: what deliveries are signed with, sealed.

use diesel::prelude::*;

use crate::storage::{Connection, connection::on_each, schema::webhook_secrets};

/// The secret of an endpoint or of an app, and the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = webhook_secrets, primary_key(owner))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct SecretRow {
    /// The id of the endpoint, or of the app.
    pub owner: String,
    /// `wks_…`: names the secret, and tells nothing of it.
    pub id: String,
    pub sealed: String,
    /// The one before, which signs as well until `earlier_until`.
    pub earlier: Option<String>,
    /// Milliseconds since 1970.
    pub earlier_until: Option<i64>,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// The owner's secret.
pub fn get(conn: &mut Connection, owner: &str) -> QueryResult<Option<SecretRow>> {
    let own = webhook_secrets::table.find(owner);
    on_each!(conn, c => own.select(SecretRow::as_select()).first(c).optional())
}

/// Stores a secret for who has none; returns the one that there is then.
pub fn get_or_insert(conn: &mut Connection, row: &SecretRow) -> QueryResult<SecretRow> {
    on_each!(conn, c => {
        diesel::insert_into(webhook_secrets::table)
            .values(row)
            .on_conflict_do_nothing()
            .execute(c)?;
        webhook_secrets::table
            .find(&row.owner)
            .select(SecretRow::as_select())
            .first(c)
    })
}

/// Puts a secret in the place of the owner's, which goes on to sign until `row.earlier_until`. `row.earlier` is filled
/// in. Returns what is stored then.
pub fn rotate(conn: &mut Connection, mut row: SecretRow) -> QueryResult<SecretRow> {
    let before = get_or_insert(conn, &row)?;
    if before.id == row.id {
        // there was none
        row.earlier_until = None;
    } else {
        row.earlier = Some(before.sealed);
    }
    let own = webhook_secrets::table.find(&row.owner);
    on_each!(conn, c => diesel::update(own).set(&row).execute(c))?;
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::testing::for_each_database;

    fn secret(id: &str) -> SecretRow {
        SecretRow {
            owner: "app".to_owned(),
            id: id.to_owned(),
            sealed: format!("sealed {id}"),
            earlier: None,
            earlier_until: Some(9),
            created_at: 1,
        }
    }

    #[test]
    fn the_one_before_stays_after_a_rotation() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            assert_eq!(get(conn, "app"), Ok(None));
            let first = rotate(conn, secret("a")).unwrap();
            assert_eq!((first.earlier, first.earlier_until), (None, None));
            assert_eq!(get_or_insert(conn, &secret("b")).unwrap().id, "a");
            let second = rotate(conn, secret("b")).unwrap();
            assert_eq!(second.earlier.as_deref(), Some("sealed a"));
            let third = rotate(conn, secret("c")).unwrap();
            assert_eq!(third.earlier.as_deref(), Some("sealed b"));
            assert_eq!(third.earlier_until, Some(9));
            assert_eq!(get(conn, "app"), Ok(Some(third)));
        });
    }
}
