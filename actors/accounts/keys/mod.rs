//! API keys and the apps that own them.
//!
//! | | |
//! |---|---|
//! | owns | the table of active keys that [`KeyCheck`] reads |
//! | durable | `apps` and `api_keys`: keyed hashes, never a key |
//! | derivable | the table, read again at every start and every few seconds |
//! | ephemeral | the gates of the apps; they live in the table and outlast restarts |
//! | mailbox | its own timer; nobody asks it anything |
//! | restart | alone; the table last put in force stays so |
//!
//! The hot path asks [`KeyCheck`], which needs neither the actor nor the database. `troupe keys` makes and
//! revokes keys in the database; what it changes is in force after the next reading.

mod actor;
mod check;
mod dedupe;
mod new;
mod principal;
mod table;
#[cfg(test)]
mod tests;
mod text;

pub use self::{
    actor::Keys,
    check::{KeyCheck, KeyError},
    dedupe::{Dedupe, UnknownDedupe},
    new::{CreatedKey, KeysError, NewKey},
    principal::Principal,
    text::KeyTextError,
};
