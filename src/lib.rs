//! The service: command line, start-up and HTTP. No business state lives here.

pub mod app;
pub mod cli;
pub mod config;
pub mod disk;
pub mod first_start;
pub mod http;
pub mod logging;
pub mod open_files;
pub mod pages;
pub mod passwords;
pub mod secret_key;
