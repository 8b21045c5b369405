//! Answers that may be given again: to a retry with the same `Idempotency-Key`, or to a twin of a request.
//!
//! | | |
//! |---|---|
//! | owns | the table of requests under way whose answers others may share, the rows of `idempotent_answers` |
//! | durable | the rows: complete answers by app, key and route, for `retention_hours` |
//! | derivable | nothing |
//! | ephemeral | the table and the recordings in it; what is under way is known only by the requests themselves, so the table outlasts restarts of the actor |
//! | mailbox | its own timer only |
//! | restart | alone; nobody notices, for requests need the table and the database, not the actor |
//!
//! A request asks [`Answers::begin`] whether it is the first of its kind. The first one gets a [`Ticket`]: it makes the
//! answer, and records it piece by piece. Others get a [`Reader`] of the same [`recording`], from its start. An answer that is
//! worth it is stored before the last piece is out ([`Answers::keep`]), and is found again by [`Answers::recall`]. The actor
//! [`Keeper`] forgets what is over, and stores what the database did not take at first.

pub mod config;
mod fingerprint;
mod handle;
mod keeper;
pub mod policy;
pub mod recording;
mod stored;
mod table;
#[cfg(test)]
mod tests;
mod ticket;

pub use self::{
    config::AnswersConfig,
    fingerprint::{Fingerprint, FormPrint},
    handle::{Answers, Recalled},
    keeper::Keeper,
    policy::Made,
    recording::{End, Head, Reader, Refusal, Step},
    table::{Ask, Begun},
    ticket::Ticket,
};
