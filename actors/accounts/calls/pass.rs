//! One pass over the spool: batch by batch into the database, until nothing is left.

use std::{future::pending, io, panic::resume_unwind, sync::Arc};

use derive_more::{Display, Error, From};

use super::spool::SpoolReader;
use crate::storage::{
    Database, StorageError,
    queries::calls::{self, CallRow},
};

/// Why a pass ended before the spool was empty. What is left is tried again.
#[derive(Debug, Clone, Display, Error, From)]
pub enum PassError {
    /// The spool's directory cannot be read or written.
    #[display("the spool cannot be read: {_0}")]
    Disk(Arc<io::Error>),
    /// The database does not take the records.
    #[display("{_0}")]
    Storage(StorageError),
}

impl From<io::Error> for PassError {
    fn from(error: io::Error) -> Self {
        Self::Disk(Arc::new(error))
    }
}

/// Stores all that waits in the spool, `most` records at a time; returns how many there were.
pub(super) async fn store_all(
    reader: &mut SpoolReader,
    database: &Database,
    most: usize,
) -> Result<usize, PassError> {
    let mut stored = 0;
    loop {
        let mut batch = on_disk(reader, move |reader| reader.next_batch(most)).await?;
        let rows = Arc::new(std::mem::take(&mut batch.rows));
        if !rows.is_empty() {
            store(database, rows.clone()).await?;
        }
        on_disk(reader, move |reader| reader.advance(&batch)).await?;
        stored += rows.len();
        if rows.len() < most {
            return Ok(stored);
        }
    }
}

/// Stores the rows in one transaction. Where the database refuses that for good, they go one by one, and what it
/// refuses then is given up: but only if it takes others meanwhile, which shows that the row is at fault.
async fn store(database: &Database, rows: Arc<Vec<CallRow>>) -> Result<(), StorageError> {
    let all = rows.clone();
    let refused = match database.write(move |conn| calls::insert(conn, &all)).await {
        Ok(_) => return Ok(()),
        Err(error) if error.is_temporary() => return Err(error),
        Err(error) => error,
    };
    let mut given_up = Vec::new();
    for row in rows.iter() {
        let one = [row.clone()];
        match database.write(move |conn| calls::insert(conn, &one)).await {
            Ok(_) => {}
            Err(error) if error.is_temporary() => return Err(error),
            Err(error) => given_up.push((&row.id, error)),
        }
    }
    if given_up.len() == rows.len() {
        return Err(refused);
    }
    for (id, error) in given_up {
        log::error!("the record of call {id} is given up, the database never takes it: {error}");
    }
    Ok(())
}

/// Runs `work` with the reader off the async threads. If the future is dropped meanwhile, the reader left behind is
/// one that begins anew.
async fn on_disk<T: Send + 'static>(
    reader: &mut SpoolReader,
    work: impl FnOnce(&mut SpoolReader) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let mut moved = reader.take();
    let done = actix_rt::task::spawn_blocking(move || {
        let result = work(&mut moved);
        (moved, result)
    });
    match done.await {
        Ok((returned, result)) => {
            *reader = returned;
            result
        }
        Err(error) => match error.try_into_panic() {
            // the actor that waits for this falls with it, and is restarted
            Ok(panic) => resume_unwind(panic),
            // only a runtime that is ending cancels such work
            Err(_) => pending().await,
        },
    }
}
