//! Parses the command line, nothing more.

use std::process::ExitCode;

use clap::Parser as _;
use troupe::cli::{self, Cli};

fn main() -> ExitCode {
    // fails only where one is installed already, and this is the first line
    let _ = rustls::crypto::ring::default_provider().install_default();
    // settings and their names are plain text: a variable that is not can be none of ours
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    cli::run(Cli::parse(), environment).into()
}
