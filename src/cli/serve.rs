//! `troupe serve`: runs the gateway.

use std::io;

use super::{Context, Exit};
use crate::{app, logging};

/// Starts logging, tells the warnings of the configuration, and serves until told to stop.
pub fn run(context: Context) -> io::Result<Exit> {
    logging::init(&context.loaded.config.log, context.variable("RUST_LOG"));
    for problem in &context.loaded.problems {
        log::warn!("configuration: {problem}");
    }
    app::serve(context.loaded.config, context.environment)?;
    Ok(Exit::Ok)
}
