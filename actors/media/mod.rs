//! Stored media.

pub mod files;
pub mod name;
pub mod policy;
