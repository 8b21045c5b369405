//! Who calls, what they may have under way, and the record of every call.

pub mod calls;
pub mod config;
pub mod keys;
pub mod limits;
