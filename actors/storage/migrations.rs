//! The schema's steps, compiled in and run under a lock.

use diesel::{QueryResult, RunQueryDsl as _, result::Error};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Connection, StorageError};

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// Any number, the same in every node: the name of PostgreSQL's lock for migrations.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7461070)";

/// Brings the schema up to date. Safe to run from several processes at once: the second waits, then finds
/// nothing to do. Either all pending steps are applied or none.
///
/// # Errors
/// [`StorageError`] as the database puts it.
pub fn migrate(conn: &mut Connection) -> Result<(), StorageError> {
    locked(conn, |conn| match conn {
        Connection::Sqlite(c) => c.run_pending_migrations(SQLITE).map(|_| ()),
        Connection::Postgres(c) => c.run_pending_migrations(POSTGRES).map(|_| ()),
    })
}

/// Takes the write lock (SQLite) or the advisory lock (PostgreSQL) around `steps`.
fn locked(
    conn: &mut Connection,
    steps: impl FnOnce(&mut Connection) -> diesel::migration::Result<()>,
) -> Result<(), StorageError> {
    let mut failure = None;
    let outcome: QueryResult<()> = conn.transaction(|conn| {
        if let Connection::Postgres(c) = conn {
            diesel::sql_query(LOCK).execute(c)?;
        }
        steps(conn).map_err(|error| {
            failure = Some(error.to_string());
            Error::RollbackTransaction
        })
    });
    match failure {
        Some(reason) => Err(StorageError::Query(format!("migration failed: {reason}"))),
        None => Ok(outcome?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::testing::{TestDatabase, for_each_database};

    fn revert(conn: &mut Connection) -> Result<(), StorageError> {
        locked(conn, |conn| match conn {
            Connection::Sqlite(c) => c.revert_all_migrations(SQLITE).map(|_| ()),
            Connection::Postgres(c) => c.revert_all_migrations(POSTGRES).map(|_| ()),
        })
    }

    #[test]
    fn up_down_up() {
        for_each_database(|database| {
            let mut conn = database.connect();
            migrate(&mut conn).unwrap();
            migrate(&mut conn).unwrap();
            revert(&mut conn).unwrap();
            migrate(&mut conn).unwrap();
        });
    }

    #[test]
    fn several_nodes_may_start_at_once() {
        for_each_database(|database: &TestDatabase| {
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| migrate(&mut database.connect()).unwrap());
                }
            });
        });
    }
}
