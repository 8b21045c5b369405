//! Stored responses: what `/v1/responses` keeps when it is asked to, so that a later request can go on from it, and
//! clients can fetch and delete it.
//!
//! [`ResponseStore`] reads and writes the table; the actor [`Sweeper`] deletes what is past its time. What has expired
//! is gone for every reader even before the sweep.
//!
//! | | |
//! |---|---|
//! | owns | the removal of expired rows |
//! | durable | the table `responses`; a turn whose [`save`](ResponseStore::save) has returned is committed |
//! | derivable | what has expired: read from the rows at each sweep |
//! | ephemeral | whether a sweep is under way |
//! | mailbox | its own wake-ups |
//! | restart | sweeps at once; readers and writers do not notice |

pub mod config;
mod error;
mod store;
mod sweeper;
#[cfg(test)]
mod tests;

pub use error::ResponseError;
pub use store::{NewResponse, ResponseStore, fresh_id};
pub use sweeper::Sweeper;
