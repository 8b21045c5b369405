//! An empty database of either kind.

use std::time::Duration;

use tempfile::TempDir;

use super::PostgresServer;
use crate::storage::{
    Connection, ConnectionOptions, DatabaseUrl, config::StorageConfig, migrations::migrate,
};

/// A database for one test.
pub struct TestDatabase {
    url: String,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    /// An SQLite file that does not exist yet.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/new/troupe.db", folder.path().display());
        Self {
            url,
            _folder: Some(folder),
        }
    }

    /// A database on the PostgreSQL server of this process.
    pub fn postgres() -> Self {
        Self {
            url: PostgresServer::shared().create_database(),
            _folder: None,
        }
    }

    /// The same database for somebody else; it goes with this one.
    pub fn shared(&self) -> Self {
        Self {
            url: self.url.clone(),
            _folder: None,
        }
    }

    /// A connection that may write.
    pub fn connect(&self) -> Connection {
        let options = ConnectionOptions {
            busy_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            read_only: false,
        };
        Connection::open(&DatabaseUrl::parse(&self.url).unwrap(), options).unwrap()
    }

    /// The same with all tables made.
    pub fn migrated(&self) -> Connection {
        let mut conn = self.connect();
        migrate(&mut conn).unwrap();
        conn
    }

    /// The configuration that leads to it.
    pub fn config(&self) -> StorageConfig {
        StorageConfig {
            database_url: self.url.clone(),
            ..StorageConfig::default()
        }
    }
}

/// Runs `test` on an empty SQLite file and on an empty PostgreSQL database.
pub fn for_each_database(test: impl Fn(&TestDatabase)) {
    test(&TestDatabase::sqlite());
    test(&TestDatabase::postgres());
}
