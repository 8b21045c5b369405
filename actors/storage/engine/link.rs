//! A thread's connection: made when first needed, and anew with backoff when it broke.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::storage::{
    Connection, ConnectionOptions, DatabaseUrl, StorageError, migrations::migrate,
};

/// The first wait after a connection that could not be made; doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest time in which jobs are refused without an attempt to connect.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What the readers have to know of the writer's first steps.
#[derive(Default)]
pub(super) struct Schema {
    /// Set once the writer has tried to bring the schema up to date, in vain or not.
    tried: OnceLock<()>,
    up_to_date: AtomicBool,
}

/// One thread's way to the database.
pub(super) struct Link {
    url: DatabaseUrl,
    options: ConnectionOptions,
    schema: Arc<Schema>,
    conn: Option<Connection>,
    failure: Option<Failure>,
}

/// Why there is no connection.
struct Failure {
    error: StorageError,
    wait: Duration,
    next_attempt: Instant,
}

impl Link {
    /// A link that is not connected yet. One that may write also brings the schema up to date, each time it connects;
    /// one that may not is refused until that has happened.
    pub(super) fn new(url: DatabaseUrl, options: ConnectionOptions, schema: Arc<Schema>) -> Self {
        Self {
            url,
            options,
            schema,
            conn: None,
            failure: None,
        }
    }

    /// The connection; makes one if there is none, unless the last failure is too recent.
    pub(super) fn connection(&mut self) -> Result<&mut Connection, StorageError> {
        let conn = match self.conn.take() {
            Some(conn) => conn,
            None => self.reconnect(Instant::now())?,
        };
        Ok(self.conn.insert(conn))
    }

    /// To be called after any failure: undoes what is left open and lets go of a connection that broke.
    /// `true` if it still works.
    pub(super) fn survives(&mut self) -> bool {
        let healthy = self
            .conn
            .as_mut()
            .is_some_and(|conn| conn.rollback_to(0).is_ok() && conn.is_healthy());
        if !healthy {
            self.conn = None;
        }
        healthy
    }

    fn reconnect(&mut self, now: Instant) -> Result<Connection, StorageError> {
        if let Some(failure) = self
            .failure
            .as_ref()
            .filter(|failure| now < failure.next_attempt)
        {
            return Err(failure.error.clone());
        }
        let attempt = self.connect();
        match &attempt {
            Ok(_) if self.failure.take().is_some() => log::info!("{} is back", self.name()),
            Ok(_) => {}
            Err(error) => self.note_failure(error, now),
        }
        attempt
    }

    fn connect(&self) -> Result<Connection, StorageError> {
        if self.options.read_only {
            self.schema.tried.wait();
            if !self.schema.up_to_date.load(Ordering::Acquire) {
                return Err(StorageError::Unavailable(
                    "the schema is not up to date yet".to_owned(),
                ));
            }
            return Connection::open(&self.url, self.options);
        }
        let migrated = Connection::open(&self.url, self.options)
            .and_then(|mut conn| migrate(&mut conn).map(|()| conn));
        self.schema
            .up_to_date
            .fetch_or(migrated.is_ok(), Ordering::Release);
        self.schema.tried.get_or_init(|| ());
        migrated
    }

    /// Logs the first of several failures in a row only.
    fn note_failure(&mut self, error: &StorageError, now: Instant) {
        let wait = match &self.failure {
            Some(last) => (last.wait * 2).min(LONGEST_WAIT),
            None => {
                log::warn!("{}: {error}", self.name());
                FIRST_WAIT
            }
        };
        self.failure = Some(Failure {
            error: error.clone(),
            wait,
            next_attempt: now + wait,
        });
    }

    fn name(&self) -> &'static str {
        if self.options.read_only {
            "database reader"
        } else {
            "database writer"
        }
    }
}
