//! `charges`: what completed jobs cost, one row each, from which a ledger may be settled.

use diesel::prelude::*;
use serde::Serialize;

use super::{Cursor, Page, page::newest_first};
use crate::storage::{Connection, connection::on_each, schema::charges};

/// What one job cost.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, Serialize)]
#[diesel(table_name = charges)]
pub struct ChargeRow {
    /// The job's, or the call's that had it drawn without one.
    pub job_id: String,
    /// Who is charged.
    pub app_id: String,
    /// Who drew it.
    pub provider: String,
    /// The model's full id, `provider/model`.
    pub model: String,
    /// That were made; those that failed cost nothing.
    pub pictures: i32,
    /// Credits times a million.
    pub micro_credits: i64,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// Stores a charge unless it is there.
pub fn insert_once(conn: &mut Connection, row: &ChargeRow) -> QueryResult<()> {
    on_each!(conn, c => {
        diesel::insert_into(charges::table)
            .values(row)
            .on_conflict_do_nothing()
            .execute(c)
    })
    .map(|_| ())
}

/// Stores a charge; a second one of the same job is a unique violation.
pub fn insert(conn: &mut Connection, row: &ChargeRow) -> QueryResult<()> {
    on_each!(conn, c => diesel::insert_into(charges::table).values(row).execute(c)).map(|_| ())
}

/// Charges newest first, those of one app only where it is named, those before `before` only, at most `limit`.
pub fn list(
    conn: &mut Connection,
    app_id: Option<&str>,
    before: Option<&Cursor>,
    limit: usize,
) -> QueryResult<Page<ChargeRow>> {
    /// The filtered query, boxed for the database at hand.
    macro_rules! filtered {
        () => {{
            let mut query = charges::table.into_boxed();
            if let Some(app_id) = app_id {
                query = query.filter(charges::app_id.eq(app_id));
            }
            query
        }};
    }
    on_each!(conn, c => {
        let count = filtered!().count().get_result(c)?;
        let rows = newest_first!(filtered!(), (charges::created_at, charges::job_id), before)
            .limit(limit as i64 + 1)
            .select(ChargeRow::as_select())
            .load(c)?;
        Ok(Page::new(count, rows, limit, |row| Cursor { at: row.created_at, id: row.job_id.clone() }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::testing::for_each_database;

    fn charge(job_id: &str, app_id: &str, created_at: i64) -> ChargeRow {
        ChargeRow {
            job_id: job_id.to_owned(),
            app_id: app_id.to_owned(),
            provider: "acme".to_owned(),
            model: "acme/m".to_owned(),
            pictures: 2,
            micro_credits: 80_000,
            created_at,
        }
    }

    #[test]
    fn a_job_is_charged_once_and_charges_are_paged() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            for (id, app, at) in [("a", "x", 1), ("b", "y", 2), ("c", "x", 2), ("d", "x", 3)] {
                insert(conn, &charge(id, app, at)).unwrap();
            }
            let ids = |page: &Page<ChargeRow>| -> Vec<String> {
                page.list.iter().map(|row| row.job_id.clone()).collect()
            };
            let first = list(conn, None, None, 2).unwrap();
            assert_eq!(
                (first.count, ids(&first)),
                (4, vec!["d".into(), "c".into()])
            );
            let rest = list(conn, None, first.next.as_ref(), 2).unwrap();
            assert_eq!(
                (ids(&rest), rest.next),
                (vec!["b".into(), "a".into()], None)
            );
            let own = list(conn, Some("y"), None, 9).unwrap();
            assert_eq!(own.list, [charge("b", "y", 2)]);
            assert!(insert(conn, &charge("a", "x", 9)).is_err());
        });
    }
}
