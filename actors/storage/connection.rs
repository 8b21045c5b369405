//! One connection to either database, and the way every query is written once for both.

use std::time::{Duration, Instant};

use diesel::{
    Connection as _, PgConnection, QueryResult, RunQueryDsl as _, SqliteConnection,
    connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager as _},
};

use super::{DatabaseUrl, StorageError, error::first_line};

/// An open connection.
pub enum Connection {
    /// To a file through the SQLite that is compiled in.
    Sqlite(SqliteConnection),
    /// To a PostgreSQL server.
    Postgres(PgConnection),
}

/// Compiles `$body` once per database with `$c` as the bare connection: diesel's types know the database,
/// and what it cannot say about both at once (upserts, batch inserts) it can say about each.
macro_rules! on_each {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::storage::Connection::Sqlite($c) => $body,
            $crate::storage::Connection::Postgres($c) => $body,
        }
    };
}
pub(crate) use on_each;

/// How a connection behaves; the same for all that an engine opens, but for `read_only`.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionOptions {
    /// How long a statement waits for somebody else's lock.
    pub busy_timeout: Duration,
    /// How long a statement may run (PostgreSQL only; SQLite has no such limit).
    pub statement_timeout: Duration,
    /// Refuses every write.
    pub read_only: bool,
}

impl Connection {
    /// Connects; a missing folder and file are made for SQLite, while PostgreSQL's database must exist.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] with the driver's first line, which holds no password.
    pub fn open(url: &DatabaseUrl, options: ConnectionOptions) -> Result<Self, StorageError> {
        let mut conn = match url {
            DatabaseUrl::Sqlite(path) => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)
                        .map_err(|error| unavailable(url, &error.to_string()))?;
                }
                SqliteConnection::establish(&path.to_string_lossy()).map(Self::Sqlite)
            }
            DatabaseUrl::Postgres(secret) => {
                PgConnection::establish(&with_network_limits(secret.expose(), options))
                    .map(Self::Postgres)
            }
        }
        .map_err(|error| unavailable(url, &error.to_string()))?;
        match &mut conn {
            Self::Sqlite(c) => sqlite_setup(c, options),
            Self::Postgres(c) => c.batch_execute(&postgres_setup(options)),
        }
        .map_err(|error| unavailable(url, &error.to_string()))?;
        Ok(conn)
    }

    /// Runs `body` in a transaction, or in a savepoint if one is open already. SQLite's takes the write lock at
    /// once: upgrading a read lock later fails without waiting as soon as somebody else writes.
    ///
    /// # Errors
    /// What `body` or the database says; then nothing of `body` remains.
    pub fn transaction<T>(
        &mut self,
        body: impl FnOnce(&mut Self) -> QueryResult<T>,
    ) -> QueryResult<T> {
        self.begin()?;
        match body(self) {
            Ok(value) => self.commit().map(|()| value),
            Err(error) => {
                self.rollback()?;
                Err(error)
            }
        }
    }

    /// Begins a transaction, or a savepoint inside one.
    pub(super) fn begin(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(c) => match depth(c)? {
                0 => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
                _ => AnsiTransactionManager::begin_transaction(c),
            },
            Self::Postgres(c) => AnsiTransactionManager::begin_transaction(c),
        }
    }

    /// Commits the transaction, or releases the innermost savepoint.
    pub(super) fn commit(&mut self) -> QueryResult<()> {
        on_each!(self, c => AnsiTransactionManager::commit_transaction(c))
    }

    /// Undoes the transaction, or what followed the innermost savepoint.
    pub(super) fn rollback(&mut self) -> QueryResult<()> {
        on_each!(self, c => AnsiTransactionManager::rollback_transaction(c))
    }

    /// Undoes every level deeper than `levels`: what a panic left open.
    pub(super) fn rollback_to(&mut self, levels: u32) -> QueryResult<()> {
        while on_each!(self, c => depth(c))? > levels {
            self.rollback()?;
        }
        Ok(())
    }

    /// Whether the database answers and no transaction is open.
    pub(super) fn is_healthy(&mut self) -> bool {
        let level = on_each!(self, c => depth(c));
        level == Ok(0) && on_each!(self, c => diesel::sql_query("SELECT 1").execute(c)).is_ok()
    }
}

/// How many transactions and savepoints are open.
fn depth<C>(conn: &mut C) -> QueryResult<u32>
where
    C: diesel::Connection<TransactionManager = AnsiTransactionManager>,
{
    AnsiTransactionManager::transaction_manager_status_mut(conn)
        .transaction_depth()
        .map(|depth| depth.map_or(0, std::num::NonZero::get))
}

/// What a connection keeps of the file. The system caches all of it anyway, and a writer that appends would fill
/// whatever it may with pages that nobody asks for again.
const SQLITE_CACHE_KIB: u32 = 512;

/// `busy_timeout` goes first: what follows needs locks.
fn sqlite_setup(conn: &mut SqliteConnection, options: ConnectionOptions) -> QueryResult<()> {
    conn.batch_execute(&format!(
        "PRAGMA busy_timeout = {};",
        options.busy_timeout.as_millis()
    ))?;
    let deadline = Instant::now() + options.busy_timeout;
    // two programs that switch a new file to WAL at once would deadlock, so SQLite fails one of them without waiting
    while let Err(error) = conn.batch_execute("PRAGMA journal_mode = WAL;") {
        if Instant::now() >= deadline || !StorageError::from(error).is_temporary() {
            break;
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "connections are opened on threads that may block"
        )]
        std::thread::sleep(Duration::from_millis(5));
    }
    // what was acknowledged outlasts a power cut; many writes share a commit, and so its sync
    conn.batch_execute(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA query_only = {}; \
         PRAGMA cache_size = -{SQLITE_CACHE_KIB};",
        i32::from(options.read_only),
    ))
}

fn postgres_setup(options: ConnectionOptions) -> String {
    format!(
        "SET lock_timeout = {}; SET statement_timeout = {}; SET client_min_messages = warning; \
         SET default_transaction_read_only = {};",
        options.busy_timeout.as_millis(),
        options.statement_timeout.as_millis(),
        options.read_only,
    )
}

/// How long a connection waits in silence before it asks whether the server is there, and between such questions:
/// `tcp_user_timeout` sees only what was sent, and who waits for an answer has nothing under way.
const KEEPALIVE_SECONDS: u64 = 5;

/// Bounds what `SET` cannot: the connecting, and a server that vanishes without a word. What the URL says itself wins,
/// since libpq takes the last of two equal options.
fn with_network_limits(url: &str, options: ConnectionOptions) -> String {
    let limits = format!(
        "connect_timeout={}&tcp_user_timeout={}&keepalives=1&keepalives_idle={KEEPALIVE_SECONDS}\
         &keepalives_interval={KEEPALIVE_SECONDS}&keepalives_count=3&application_name=troupe",
        options.statement_timeout.as_secs().clamp(2, 10),
        options.statement_timeout.as_millis(),
    );
    match url.split_once('?') {
        Some((location, own)) => format!("{location}?{limits}&{own}"),
        None => format!("{url}?{limits}"),
    }
}

fn unavailable(url: &DatabaseUrl, reason: &str) -> StorageError {
    StorageError::Unavailable(format!("{url}: {}", first_line(reason)))
}

#[cfg(test)]
mod tests {
    use diesel::{deserialize::QueryableByName, sql_types};

    use super::*;
    use crate::storage::{
        queries::settings,
        testing::{TestDatabase, for_each_database},
    };

    #[derive(QueryableByName)]
    struct Pragmas {
        #[diesel(sql_type = sql_types::Text)]
        journal_mode: String,
        #[diesel(sql_type = sql_types::BigInt)]
        timeout: i64,
        #[diesel(sql_type = sql_types::BigInt)]
        synchronous: i64,
        #[diesel(sql_type = sql_types::BigInt)]
        foreign_keys: i64,
    }

    #[test]
    fn sqlite_waits_for_locks_and_writes_ahead() {
        let database = TestDatabase::sqlite();
        let Connection::Sqlite(mut conn) = database.connect() else {
            panic!("not sqlite");
        };
        let pragmas: Pragmas = diesel::sql_query(
            "SELECT * FROM pragma_journal_mode, pragma_busy_timeout, pragma_synchronous, pragma_foreign_keys",
        )
        .get_result(&mut conn)
        .unwrap();
        assert_eq!(pragmas.journal_mode, "wal");
        assert_eq!(
            (pragmas.timeout, pragmas.synchronous, pragmas.foreign_keys),
            (5_000, 2, 1)
        );
    }

    #[test]
    fn nothing_remains_of_a_failed_transaction_but_what_a_failed_savepoint_was_in() {
        for_each_database(|database| {
            let conn = &mut database.migrated();
            conn.transaction(|conn| {
                settings::put(conn, "outer", "x")?;
                let inner = conn.transaction(|conn| {
                    settings::put(conn, "inner", "x")?;
                    Err::<(), _>(diesel::result::Error::RollbackTransaction)
                });
                assert!(inner.is_err());
                Ok(())
            })
            .unwrap();
            assert_eq!(settings::get(conn, "outer"), Ok(Some("x".to_owned())));
            assert_eq!(settings::get(conn, "inner"), Ok(None));
        });
    }

    #[test]
    fn a_silent_server_is_noticed_and_what_the_url_says_wins() {
        let options = ConnectionOptions {
            busy_timeout: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(3),
            read_only: false,
        };
        let url = "postgres://db.example.org/x?keepalives_idle=60";
        let limited = with_network_limits(url, options);
        assert_eq!(
            limited,
            "postgres://db.example.org/x?connect_timeout=3&tcp_user_timeout=3000&keepalives=1&keepalives_idle=5\
             &keepalives_interval=5&keepalives_count=3&application_name=troupe&keepalives_idle=60"
        );
    }

    #[test]
    fn a_failed_connection_names_the_place_and_no_password() {
        let options = ConnectionOptions {
            busy_timeout: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(1),
            read_only: false,
        };
        let refused = |url| {
            Connection::open(&DatabaseUrl::parse(url).unwrap(), options)
                .err()
                .unwrap()
                .to_string()
        };
        let text = refused("postgres://joe:secret@127.0.0.1:1/x");
        assert!(
            text.contains("127.0.0.1:1/x") && !text.contains("secret"),
            "{text}"
        );
        let text = refused("sqlite:///dev/null/x.db");
        assert!(text.contains("/dev/null/x.db"), "{text}");
    }
}
