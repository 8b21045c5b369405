//! Call records: one per request, durable before the client has its last byte.
//!
//! | | |
//! |---|---|
//! | owns | the spool's reader, and which of its bytes are stored |
//! | durable | the spool's files and the table `calls` |
//! | derivable | what is stored of which file: read again, a record that is there already is skipped |
//! | ephemeral | who waits for a flush, the pauses |
//! | mailbox | [`Flush`] from the admin list; nothing of the hot path |
//! | restart | alone, with a new reader; recorders and requests do not notice |
//!
//! A request is followed by a [`CallGuard`], which writes its record into the [`spool`] through its thread's
//! [`CallRecorder`]. The [`Calls`] actor empties the spool into the database, [`CallLog`] lists what is there. While
//! the database is down the spool grows; when it is [`full`](Spool::full), the edge refuses requests.

mod actor;
mod guard;
mod log;
mod outcome;
mod pass;
pub mod spool;
#[cfg(test)]
mod tests;

pub use self::{
    actor::{Calls, Flush},
    guard::CallGuard,
    log::CallLog,
    outcome::Outcome,
    pass::PassError,
    spool::{CallRecorder, Spool, SpoolError},
};
