//! The way to answers that may be given again.

use std::time::Duration;

use bytes::Bytes;

use super::{
    config::AnswersConfig,
    keeper::Keeper,
    policy::{Made, may_be_given_again},
    recording::{Reader, Refusal},
    stored,
    table::{Ask, Begun, KeyScope, Table, Waiting},
    ticket::Ticket,
};
use crate::{
    jobs::Submission,
    storage::{
        Database, StorageError,
        queries::answers::{self, AnswerRow},
    },
    supervision::{Clock, Tree, TreeError, tasks::Tasks},
};

/// Tells requests of others like them, and keeps their answers. Cheap to clone.
#[derive(Clone)]
pub struct Answers {
    table: Table,
    database: Database,
    clock: Clock,
    retention_ms: i64,
    tasks: Tasks,
}

/// What is known of a request with an `Idempotency-Key`.
#[derive(Debug)]
pub enum Recalled {
    /// Nothing: it is to be served.
    New(Ticket),
    /// It was answered before, and this is the answer.
    Known(Reader),
    /// It cannot be served.
    Refused(Refusal),
}

/// How long an answer's last piece is held back for the database.
const KEEP_WAIT: Duration = Duration::from_secs(2);
const HOUR_MS: i64 = 3_600_000;

impl Answers {
    /// Starts the actor, after the storage.
    ///
    /// # Errors
    /// [`TreeError`] when it does not come up.
    pub async fn start(
        tree: &Tree,
        config: &AnswersConfig,
        clock: &Clock,
        database: &Database,
    ) -> Result<Self, TreeError> {
        let table = Table::new(config, clock);
        tree.start(Keeper::spec(&table, clock, database)).await?;
        Ok(Self {
            table,
            database: database.clone(),
            clock: clock.clone(),
            retention_ms: HOUR_MS * i64::from(config.retention_hours),
            tasks: Tasks::default(),
        })
    }

    /// Whether another request like this one is under way, or has just ended. Takes no time.
    #[must_use]
    pub fn begin(&self, ask: &Ask) -> Begun {
        self.table.begin(ask)
    }

    /// Looks for the stored answer to a request with an `Idempotency-Key` that is the first of its kind in this process.
    /// Those that have attached to it meanwhile learn the same. Other requests are always new.
    pub async fn recall(&self, ticket: Ticket) -> Recalled {
        let Some((scope, fingerprint)) = ticket.key() else {
            return Recalled::New(ticket);
        };
        let (scope, now) = (scope.clone(), self.now());
        let found = self
            .database
            .read(move |conn| answers::find(conn, (&scope.app, &scope.key, &scope.route), now));
        let refusal = match found.await {
            Ok(None) => return Recalled::New(ticket),
            Ok(Some(row)) if row.fingerprint != fingerprint.0 => Refusal::OtherBody,
            Ok(Some(row)) => match stored::answer(row) {
                Ok(Some((head, body, outcome))) => {
                    let reader = ticket.read();
                    ticket.recording.fill(head, body, outcome);
                    return Recalled::Known(reader);
                }
                Ok(None) => Refusal::NotKept,
                Err(error) => unavailable(&error),
            },
            Err(error) => unavailable(&error),
        };
        ticket.refuse(refusal);
        Recalled::Refused(refusal)
    }

    /// What tells jobs that come of the request from those of others; none without an `Idempotency-Key`.
    #[must_use]
    pub fn submission(&self, ticket: &Ticket) -> Option<Submission> {
        let (scope, fingerprint) = ticket.key()?;
        let since = self.now() - self.retention_ms;
        let KeyScope { app, key, route } = scope;
        Some(Submission::new(app, key, route, &fingerprint, since))
    }

    /// Sees to it that an answer can be given again if it is worth it, and otherwise that it will not. To be called before its
    /// `last` piece goes out; `made` says how its call ended. Waits for the database, but not long: what that does not take in
    /// time stays in memory, and is tried again.
    pub async fn keep(&self, ticket: &Ticket, last: Option<&Bytes>, made: Option<Made>) {
        let head = ticket.recording.head();
        let again = head.is_some_and(|head| may_be_given_again(head.status, made));
        match ticket.key() {
            _ if !again => self.table.withdraw(&ticket.ask.scope, ticket.id),
            None => self.table.ended(&ticket.ask.scope, ticket.id),
            Some(key) => {
                let now = self.now();
                let times = (now, now + self.retention_ms);
                if let Some(row) = stored::row(key, &ticket.recording, last, times) {
                    self.store(ticket, row).await;
                }
            }
        }
    }

    async fn store(&self, ticket: &Ticket, row: AnswerRow) {
        let waiting = Waiting {
            scope: ticket.ask.scope.clone(),
            id: ticket.id,
            row: row.into(),
        };
        let row = waiting.row.clone();
        let write = self.database.write(move |conn| answers::put(conn, &row));
        let stored = actix_rt::time::timeout(KEEP_WAIT, write).await;
        if let Err(error) = stored.unwrap_or(Err(StorageError::Timeout)) {
            log::warn!("an answer to an idempotency key waits in memory: {error}");
            self.table.wait(waiting);
        }
    }

    /// Requests that are making an answer which others may share; a drain waits for them.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.table.under_way()
    }

    /// The tasks in which such answers are made, so that they do not end with the client that asked first.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    fn now(&self) -> i64 {
        i64::try_from(self.clock.wall_ms()).unwrap_or(i64::MAX)
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        self.table.size()
    }
}

fn unavailable(error: &dyn std::error::Error) -> Refusal {
    log::warn!("an idempotency key cannot be looked up: {error}");
    Refusal::Unavailable
}
