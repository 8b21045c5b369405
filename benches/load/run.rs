//! What all connections of a run share, and the one thing they do.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{
    client::{Connection, Exchange, Failure, Scratch, Target},
    totals::Totals,
};

/// Large enough that an image of a megabyte takes few reads.
const SCRATCH_BYTES: usize = 256 * 1024;

/// A target under load.
#[derive(Debug)]
pub struct Run {
    target: Target,
    scratch: Scratch,
    pub totals: Totals,
    first_bytes: Cell<usize>,
    announce_at: Option<usize>,
}

impl Run {
    /// With `announce_at`, a line `open` goes to standard output when so many answers have begun.
    pub fn new(target: Target, announce_at: Option<usize>) -> Self {
        Self {
            target,
            scratch: RefCell::new(vec![0; SCRATCH_BYTES]),
            totals: Totals::default(),
            first_bytes: Cell::new(0),
            announce_at,
        }
    }

    /// A new connection, or none if that failed.
    pub async fn connect(&self) -> Option<Connection> {
        match self.try_connect().await {
            Ok(connection) => Some(connection),
            Err(failure) => self.give_up(&failure).await,
        }
    }

    /// Sends one request that was due at `start`, counts how it went, and returns the connection if it can be used again.
    pub async fn request(
        &self,
        connection: Option<Connection>,
        start: Instant,
    ) -> Option<Connection> {
        match self.try_request(connection).await {
            Ok((connection, exchange)) => {
                self.totals.add(start, &exchange);
                (!exchange.closes).then_some(connection)
            }
            Err(failure) => self.give_up(&failure).await,
        }
    }

    async fn try_connect(&self) -> Result<Connection, Failure> {
        let connection = Connection::open(self.target.address).await?;
        self.totals.add_connection();
        Ok(connection)
    }

    async fn try_request(
        &self,
        connection: Option<Connection>,
    ) -> Result<(Connection, Exchange), Failure> {
        let mut connection = match connection {
            Some(connection) => connection,
            None => self.try_connect().await?,
        };
        let exchange = connection
            .exchange(&self.target, &self.scratch, &self.totals.gaps, || {
                self.answer_began()
            })
            .await?;
        Ok((connection, exchange))
    }

    fn answer_began(&self) {
        self.first_bytes.set(self.first_bytes.get() + 1);
        if self.announce_at == Some(self.first_bytes.get()) {
            println!("open");
        }
    }

    /// Counts a failure. The pause keeps a target that refuses everything from making this a busy loop.
    async fn give_up(&self, failure: &Failure) -> Option<Connection> {
        self.totals.add_failure(failure);
        sleep(Duration::from_millis(5)).await;
        None
    }
}
