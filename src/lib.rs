//! The service.

pub mod app;
pub mod cli;
pub mod config;
pub mod first_start;
pub mod logging;
pub mod passwords;
pub mod secret_key;
