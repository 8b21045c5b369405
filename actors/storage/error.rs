//! What can go wrong between a caller and the database.

use diesel::result::{DatabaseErrorKind, Error};

/// Why a read or a write of the database failed. No variant holds a bound value or a password.
#[derive(Debug, Clone, PartialEq, Eq, derive_more::Display, derive_more::Error)]
pub enum StorageError {
    /// Too many jobs wait already; nothing was run. Try again later.
    #[display("the database queue is full, try again later")]
    Busy,
    /// The caller's wait is over. A job that was still queued will not run; one that ran may have been committed.
    #[display("the database did not answer in time")]
    Timeout,
    /// The database cannot be reached, is locked by another program, or the storage is stopping.
    #[display("the database is unavailable: {_0}")]
    Unavailable(#[error(not(source))] String),
    /// The row exists already; names the constraint or the columns.
    #[display("this exists already: {_0}")]
    Conflict(#[error(not(source))] String),
    /// The database refused the statement.
    #[display("the query failed: {_0}")]
    Query(#[error(not(source))] String),
    /// The job panicked. The message and the place are in the log.
    #[display("the query panicked")]
    Panicked,
    /// `storage.database_url` cannot be used.
    #[display("{_0}")]
    Url(#[error(not(source))] String),
}

impl StorageError {
    /// Whether the same call may succeed later without any change.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Busy | Self::Timeout | Self::Unavailable(_))
    }
}

impl StorageError {
    /// The error of a statement that cannot be wrong in itself, such as `BEGIN`: the connection is the trouble.
    pub(super) fn of_connection(error: Error) -> Self {
        match error.into() {
            Self::Query(text) => Self::Unavailable(text),
            known => known,
        }
    }
}

/// Texts by which a database says that it, not the statement, is the trouble. Neither driver passes on the code.
const TROUBLE: [&str; 15] = [
    "database is locked",
    "database table is locked",
    "lock timeout",
    "terminating connection",
    "shutting down",
    "starting up",
    "no connection to the server",
    // a disk that is full or broken says nothing about the statement; it may be mended
    "database or disk is full",
    "disk I/O error",
    "readonly database",
    "unable to open database file",
    "No space left on device",
    "Disk quota exceeded",
    "could not write to file",
    "in a read-only transaction",
];

impl From<Error> for StorageError {
    fn from(error: Error) -> Self {
        match error {
            Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => Self::Conflict(
                info.constraint_name()
                    .unwrap_or_else(|| info.message())
                    .to_owned(),
            ),
            Error::DatabaseError(DatabaseErrorKind::ClosedConnection, _)
            | Error::BrokenTransactionManager => {
                Self::Unavailable("the connection broke".to_owned())
            }
            Error::DatabaseError(_, info) => {
                let message = info.message();
                if message.contains("statement timeout") {
                    Self::Timeout
                } else if TROUBLE.iter().any(|text| message.contains(text)) {
                    Self::Unavailable(first_line(message))
                } else {
                    Self::Query(first_line(message))
                }
            }
            other => Self::Query(first_line(&other.to_string())),
        }
    }
}

/// The first line, since drivers put hints and statements on the next ones.
pub(super) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database_error(kind: DatabaseErrorKind, message: &str) -> StorageError {
        Error::DatabaseError(kind, Box::new(message.to_owned())).into()
    }

    #[test]
    fn trouble_with_the_database_is_temporary_and_a_wrong_statement_is_not() {
        for text in TROUBLE {
            assert!(
                database_error(DatabaseErrorKind::Unknown, text).is_temporary(),
                "{text}"
            );
        }
        let timeout = "canceling statement due to statement timeout";
        assert_eq!(
            database_error(DatabaseErrorKind::Unknown, timeout),
            StorageError::Timeout
        );
        assert!(!database_error(DatabaseErrorKind::Unknown, "no such table: x").is_temporary());
        assert_eq!(
            database_error(
                DatabaseErrorKind::UniqueViolation,
                "UNIQUE constraint failed: apps.name"
            ),
            StorageError::Conflict("UNIQUE constraint failed: apps.name".to_owned())
        );
    }
}
