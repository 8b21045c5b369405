//! Stored media: pictures under unguessable names, bounded in size, the oldest leaving first.
//!
//! | | |
//! |---|---|
//! | owns | the folder of files, and how much they take together |
//! | durable | the files, and their rows in `media` |
//! | derivable | the total, from the rows |
//! | ephemeral | whether an eviction is under way |
//! | mailbox | files to keep (bounded by the permits of the requests that bring them) |
//! | restart | reads the total again, and settles what a crash left half done |
//!
//! A file is written in part, then its row, then it is published; whichever step a crash hits, the
//! next start either publishes the part (its row is there) or discards it. Readers go to the folder
//! directly: a name is either whole or not there.

mod actor;
pub mod files;
pub mod name;
pub mod policy;
#[cfg(test)]
mod tests;

pub use actor::{Media, MediaError, MediaStore};
