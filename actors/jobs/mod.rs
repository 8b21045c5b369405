//! jobs
pub mod config;
pub mod policy;
