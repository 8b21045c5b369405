//! Housekeeping: what is past its time or belongs to nothing goes, some rows and files at a time.
//!
//! It decides what goes for its age, and what is an orphan. The removal itself is done by the owner of each: files
//! and their rows by the [media store](crate::media), which also makes room by itself when a file comes and there is
//! none, and rows of jobs in the table that the [manager](super::Jobs) owns, where finished ones never change.
//!
//! | | |
//! |---|---|
//! | owns | when it is done, and what came of the last time |
//! | durable | nothing |
//! | derivable | all that is to be done: from the tables and the folder or bucket |
//! | ephemeral | the last report |
//! | mailbox | wishes of admins, one of which is served at a time |
//! | restart | a round that was under way ends where it was; the next one finds the rest |
//!
//! | room | what it is for |
//! |---|---|
//! | [`config`] | how often, and what it spares |
//! | [`report`] | what a round has removed, or would |
//! | `round` | one round: its chores in their order |
//! | `actor`, `handle` | the timer, and the way to it |

mod actor;
pub mod config;
mod handle;
pub mod report;
mod round;
#[cfg(test)]
mod tests;

pub use actor::Housekeeping;
pub use config::HousekeepingConfig;
pub use handle::{HousekeepingError, HousekeepingHandle, Setup};
pub use report::Report;
