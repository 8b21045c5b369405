//! `troupe admin`: what only the operator of the machine may do.

use std::io::{self, Write};

use clap::Subcommand;
use troupe_actors::storage::queries::settings;

use super::{Context, Exit, database::with_database};
use crate::passwords;

/// The variable that holds a password of the operator's choice.
const VARIABLE: &str = "TROUPE_ADMIN_PASSWORD";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set the administrator's password to that of TROUPE_ADMIN_PASSWORD, or make one and print it once
    ResetPassword,
}

pub fn run(command: &Command, context: &Context, out: &mut dyn Write) -> io::Result<Exit> {
    match command {
        Command::ResetPassword => reset_password(context, out),
    }
}

fn reset_password(context: &Context, out: &mut dyn Write) -> io::Result<Exit> {
    let given = context.variable(VARIABLE).filter(|text| !text.is_empty());
    let password = match given {
        Some(given) => given.to_owned(),
        None => passwords::random_text("").map_err(io::Error::other)?,
    };
    let hash = passwords::hash(&password).map_err(io::Error::other)?;
    let config = &context.loaded.config;
    with_database(&config.storage, async |engine| {
        let store = move |conn: &mut _| settings::put(conn, passwords::ADMIN_SETTING, &hash);
        engine.write(store).await
    })?;
    let user = &config.auth.admin_user;
    match given {
        Some(_) => writeln!(out, "the password of {user} is now that of {VARIABLE}")?,
        None => writeln!(
            out,
            "the new password of {user}, shown this once:\n{password}"
        )?,
    }
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use troupe_actors::storage::{config::StorageConfig, queries::settings};

    use super::*;
    use crate::cli::tests::{Installation, troupe};

    fn stored(storage: &StorageConfig) -> String {
        let read = |conn: &mut _| settings::get(conn, passwords::ADMIN_SETTING);
        let found = with_database(storage, async |engine| engine.read(read).await);
        found.unwrap().unwrap()
    }

    #[test]
    fn a_password_is_made_and_shown_once() {
        let installation = Installation::new();
        let (exit, out) = troupe(&["admin", "reset-password"], &installation.environment());
        assert_eq!(exit, Exit::Ok);
        let password = out.lines().last().unwrap();
        assert_eq!(password.len(), 43);
        assert!(passwords::verify(
            password,
            &stored(&installation.storage())
        ));
    }

    #[test]
    fn a_given_password_is_taken_and_not_shown() {
        let installation = Installation::new();
        troupe(&["admin", "reset-password"], &installation.environment());
        let mut environment = installation.environment();
        environment.push((VARIABLE, "hunter2"));
        let (exit, out) = troupe(&["admin", "reset-password"], &environment);
        assert_eq!(exit, Exit::Ok);
        assert!(!out.contains("hunter2"), "{out}");
        assert!(passwords::verify(
            "hunter2",
            &stored(&installation.storage())
        ));
    }
}
