//! `troupe keys`: makes, lists and revokes API keys. Works beside a running server, which re-reads its keys.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Subcommand;
use troupe_actors::{
    accounts::keys::{Dedupe, KeysError, NewKey},
    secrets::KeyedHash,
    storage::queries::keys,
};

use super::{Context, Exit, database::with_database};
use crate::secret_key;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key for an app (made where it does not exist) and print it once
    Create {
        /// The app that the key belongs to
        #[arg(long, default_value = "default")]
        app: String,
        /// What you call the key
        #[arg(long, default_value = "cli")]
        name: String,
        /// What becomes of a request that repeats one of this key at once: off = served as any other,
        /// attach = gets the other one's answer, refuse = gets 409
        #[arg(long, default_value_t)]
        dedupe: Dedupe,
    },
    /// List all keys by id, with their last characters
    List,
    /// Make a key useless for good; a running server notices within seconds
    Revoke {
        /// As `troupe keys list` shows it
        id: String,
    },
}

pub fn run(command: Command, context: &Context, out: &mut dyn Write) -> io::Result<Exit> {
    match command {
        Command::Create { app, name, dedupe } => create(context, (&app, &name), dedupe, out),
        Command::List => list(context, out),
        Command::Revoke { id } => revoke(context, id, out),
    }
}

fn now() -> i64 {
    Utc::now().timestamp_millis()
}

fn create(
    context: &Context,
    (app, name): (&str, &str),
    dedupe: Dedupe,
    out: &mut dyn Write,
) -> io::Result<Exit> {
    let config = &context.loaded.config;
    let hash = KeyedHash::new(&context.secret_key()?, secret_key::API_KEYS);
    let now = u64::try_from(now()).unwrap_or_default();
    let key = NewKey::make(&hash, app, name, None, now).map_err(io::Error::other)?;
    let key = key.with_dedupe(dedupe);
    let (stored, max_keys) = (key.clone(), config.keys.max_keys);
    let has_room = with_database(&config.storage, async |engine| {
        engine
            .write(move |conn| stored.store_within(conn, max_keys))
            .await
    })?;
    if !has_room {
        return Err(io::Error::other(KeysError::TooMany));
    }
    let key = key.created();
    let text = key.secret.expose();
    writeln!(out, "key {} of app {app}, shown this once:\n{text}", key.id)?;
    Ok(Exit::Ok)
}

fn list(context: &Context, out: &mut dyn Write) -> io::Result<Exit> {
    let rows = with_database(&context.loaded.config.storage, async |engine| {
        engine.read(keys::list).await
    })?;
    let heads = ["ID", "APP", "NAME", "KEY", "DEDUPE", "CREATED", "REVOKED"].map(str::to_owned);
    let lines = rows.into_iter().map(|(key, app)| {
        let revoked = key.revoked_at.map_or("-".to_owned(), day_and_time);
        [
            key.id,
            app.name,
            key.name,
            key.hint,
            key.dedupe,
            day_and_time(key.created_at),
            revoked,
        ]
    });
    let lines: Vec<[String; 7]> = std::iter::once(heads).chain(lines).collect();
    let width = |column: usize| {
        let widths = lines.iter().map(|line| line[column].chars().count());
        widths.max().unwrap_or_default()
    };
    let widths: [usize; 7] = std::array::from_fn(width);
    for line in &lines {
        let cells = line
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        let text = cells.collect::<Vec<_>>().join("  ");
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(Exit::Ok)
}

fn day_and_time(milliseconds: i64) -> String {
    DateTime::from_timestamp_millis(milliseconds)
        .map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
        .unwrap_or_default()
}

fn revoke(context: &Context, id: String, out: &mut dyn Write) -> io::Result<Exit> {
    let wanted = id.clone();
    let revoked = with_database(&context.loaded.config.storage, async |engine| {
        engine
            .write(move |conn| keys::revoke(conn, &wanted, now()))
            .await
    })?;
    if revoked {
        writeln!(out, "key {id} is revoked")?;
        return Ok(Exit::Ok);
    }
    writeln!(out, "no valid key has the id {id}: see `troupe keys list`")?;
    Ok(Exit::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tests::{Installation, tried, troupe};

    #[test]
    fn a_key_is_made_listed_and_revoked() {
        let installation = Installation::new();
        let environment = installation.environment();
        let keys = |arguments: &[&str]| troupe(&[&["keys"], arguments].concat(), &environment);

        let (exit, out) = keys(&["create", "--app", "shop", "--name", "laptop"]);
        assert_eq!(exit, Exit::Ok);
        let key = out.lines().last().unwrap();
        assert!(key.starts_with("tp-") && key.len() == 46, "{out}");
        keys(&["create", "--name", "phone", "--dedupe", "attach"]);

        let (_, out) = keys(&["list"]);
        let line = out.lines().find(|line| line.contains("laptop")).unwrap();
        assert_eq!(out.lines().count(), 3, "{out}");
        assert!(line.contains("shop") && line.contains(&key[42..]) && !line.contains(key));
        assert!(line.contains(" off "), "{out}");
        let phone = out.lines().find(|line| line.contains("phone")).unwrap();
        assert!(phone.contains(" attach "), "{out}");
        let id = line.split_whitespace().next().unwrap();

        assert_eq!(keys(&["revoke", id]).0, Exit::Ok);
        assert_eq!(keys(&["revoke", id]).0, Exit::Failed);
        let (_, out) = keys(&["list"]);
        let revoked = out.lines().filter(|line| line.ends_with('Z')).count();
        assert_eq!(revoked, 1, "{out}");
    }

    #[test]
    fn no_more_keys_are_made_than_may_be_active() {
        let installation = Installation::new();
        let mut environment = installation.environment();
        environment.push(("TROUPE__KEYS__MAX_KEYS", "1"));
        let (_, out) = troupe(&["keys", "create"], &environment);
        let id = out.split_whitespace().nth(1).unwrap();
        let refused = tried(&["keys", "create"], &environment).unwrap_err();
        assert!(refused.to_string().contains("keys.max_keys"), "{refused}");
        troupe(&["keys", "revoke", id], &environment);
        assert_eq!(troupe(&["keys", "create"], &environment).0, Exit::Ok);
    }

    #[test]
    fn what_is_stored_is_the_hash_that_the_server_looks_up() {
        let installation = Installation::new();
        let (_, out) = troupe(&["keys", "create"], &installation.environment());
        let text = out.lines().last().unwrap();
        let rows = with_database(&installation.storage(), async |engine| {
            engine.read(keys::load_active).await
        });
        let (key, app) = rows.unwrap().remove(0);
        let installation_key = secret_key::load(None, &installation.secret_key()).unwrap();
        let hash = KeyedHash::new(&installation_key.unwrap(), secret_key::API_KEYS);
        assert_eq!(key.hash, hash.hex_of(text));
        assert_eq!(app.name, "default");
    }

    #[test]
    fn a_key_needs_names_that_a_list_can_show() {
        let installation = Installation::new();
        let environment = installation.environment();
        assert!(tried(&["keys", "create", "--name", ""], &environment).is_err());
    }
}
