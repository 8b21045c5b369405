//! API keys and the apps that own them.
//!
//! | | |
//! |---|---|
//! | owns | the table of active keys that [`KeyCheck`] reads |
//! | durable | `apps` and `api_keys`: keyed hashes, never a key |
//! | derivable | the table, read again at every start and every few seconds |
//! | ephemeral | the gates of the apps; they live in the table and outlast restarts |
//! | mailbox | [`CreateKey`], [`RevokeKey`], [`ListKeys`] of operators; nothing of the hot path |
//! | restart | alone; the table last put in force stays so |
//!
//! The hot path asks [`KeyCheck`], which needs neither the actor nor the database. What another process changes
//! (`troupe keys revoke`) is in force after the next reading.

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
    actor::{CreateKey, KeyInfo, Keys, ListKeys, RevokeKey},
    check::{KeyCheck, KeyError},
    dedupe::{Dedupe, UnknownDedupe},
    new::{CreatedKey, KeysError, NewKey},
    principal::Principal,
    text::KeyTextError,
};
