//! Starts and stops the service.

use crate::config::Config;

/// Runs the gateway until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub fn serve(_: Config) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
