//! Who calls, what they may have under way, and the record of every call.
//!
//! A request meets these rooms in turn: [`keys`] tells whose it is, [`rate`] counts it, [`limits`] gives it a place, [`calls`] keeps its
//! record. None of that waits for an actor or the database; [`rate`] may wait for a moment, once a minute and key.

pub mod calls;
pub mod config;
pub mod keys;
pub mod limits;
pub mod rate;
#[cfg(test)]
pub(crate) mod testing;
