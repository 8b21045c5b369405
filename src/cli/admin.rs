//! `troupe admin`: what only the operator of the machine may do.

use std::io::{self, Write};

use clap::Subcommand;
use troupe_actors::{secrets::KeyedHash, storage::queries::settings};

use super::{Context, Exit, database::with_database};
use crate::{http::admin::gate::TOKEN_SETTING, passwords, secret_key};

/// The variable that holds a password of the operator's choice.
const PASSWORD: &str = "TROUPE_ADMIN_PASSWORD";
/// The variable that holds a token of the operator's choice.
const TOKEN: &str = "TROUPE_ADMIN_TOKEN";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set the administrator's password to that of TROUPE_ADMIN_PASSWORD, or make one and print it once
    ResetPassword,
    /// Set the admin token to that of TROUPE_ADMIN_TOKEN, or make one and print it once; the old one ends at once
    ResetToken,
}

pub fn run(command: &Command, context: &Context, out: &mut dyn Write) -> io::Result<Exit> {
    match command {
        Command::ResetPassword => reset_password(context, out),
        Command::ResetToken => reset_token(context, out),
    }
}

fn reset_password(context: &Context, out: &mut dyn Write) -> io::Result<Exit> {
    let (password, given) = chosen(context, PASSWORD, "")?;
    let hash = passwords::hash(&password).map_err(io::Error::other)?;
    store(context, passwords::ADMIN_SETTING, hash)?;
    let user = &context.loaded.config.auth.admin_user;
    match given {
        true => writeln!(out, "the password of {user} is now that of {PASSWORD}")?,
        false => writeln!(
            out,
            "the new password of {user}, shown this once:\n{password}"
        )?,
    }
    Ok(Exit::Ok)
}

fn reset_token(context: &Context, out: &mut dyn Write) -> io::Result<Exit> {
    let (token, given) = chosen(context, TOKEN, "ta-")?;
    let key = context.secret_key()?;
    let hash = KeyedHash::new(&key, secret_key::ADMINS).hex_of(&token);
    store(context, TOKEN_SETTING, hash)?;
    match given {
        true => writeln!(out, "the admin token is now that of {TOKEN}")?,
        false => writeln!(out, "the new admin token, shown this once:\n{token}")?,
    }
    Ok(Exit::Ok)
}

/// The value of `variable`, or a random one; and whether it was given.
fn chosen(context: &Context, variable: &str, prefix: &str) -> io::Result<(String, bool)> {
    let given = context.variable(variable).filter(|text| !text.is_empty());
    match given {
        Some(given) => Ok((given.to_owned(), true)),
        None => passwords::random_text(prefix)
            .map(|made| (made, false))
            .map_err(io::Error::other),
    }
}

fn store(context: &Context, name: &'static str, value: String) -> io::Result<()> {
    with_database(&context.loaded.config.storage, async |engine| {
        let put = move |conn: &mut _| settings::put(conn, name, &value);
        engine.write(put).await
    })
}

#[cfg(test)]
mod tests {
    use troupe_actors::storage::{config::StorageConfig, queries::settings};

    use super::*;
    use crate::cli::tests::{Installation, troupe};

    fn stored(storage: &StorageConfig, name: &'static str) -> String {
        let read = move |conn: &mut _| settings::get(conn, name);
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
        let stored = stored(&installation.storage(), passwords::ADMIN_SETTING);
        assert!(passwords::verify(password, &stored));
    }

    #[test]
    fn a_token_is_made_and_shown_once_and_a_given_one_is_not() {
        let installation = Installation::new();
        let fits = |token: &str| {
            let key = secret_key::load(None, &installation.secret_key()).unwrap();
            let hasher = KeyedHash::new(&key.unwrap(), secret_key::ADMINS);
            stored(&installation.storage(), TOKEN_SETTING) == hasher.hex_of(token)
        };
        let (exit, out) = troupe(&["admin", "reset-token"], &installation.environment());
        assert_eq!(exit, Exit::Ok);
        let made = out.lines().last().unwrap();
        assert!(made.starts_with("ta-") && fits(made), "{out}");
        let mut environment = installation.environment();
        environment.push((TOKEN, "open sesame"));
        let (_, out) = troupe(&["admin", "reset-token"], &environment);
        assert!(!out.contains("sesame"), "{out}");
        assert!(fits("open sesame") && !fits(made));
    }

    #[test]
    fn a_given_password_is_taken_and_not_shown() {
        let installation = Installation::new();
        troupe(&["admin", "reset-password"], &installation.environment());
        let mut environment = installation.environment();
        environment.push((PASSWORD, "hunter2"));
        let (exit, out) = troupe(&["admin", "reset-password"], &environment);
        assert_eq!(exit, Exit::Ok);
        assert!(!out.contains("hunter2"), "{out}");
        let stored = stored(&installation.storage(), passwords::ADMIN_SETTING);
        assert!(passwords::verify("hunter2", &stored));
    }
}
