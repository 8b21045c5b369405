//! The first start: credentials are made once, kept as hashes, and printed once.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use troupe_actors::{
    accounts::keys::NewKey,
    secrets::{KeyedHash, Secret},
    storage::{Connection, Database, StorageError, queries::settings},
};

use super::{Environment, Ground};
use crate::{
    config::Config,
    first_start::{Credential, FirstStart},
    http::{admin::gate::TOKEN_SETTING, services::Services},
    passwords, secret_key,
};

const ADMIN_PASSWORD: &str = "TROUPE_ADMIN_PASSWORD";
const ADMIN_TOKEN: &str = "TROUPE_ADMIN_TOKEN";
const API_KEY: &str = "TROUPE_API_KEY";

/// How long a start waits for a database that is not there yet.
const DATABASE_WAIT: Duration = Duration::from_secs(30);
const DATABASE_RETRY: Duration = Duration::from_secs(1);

/// What the first start made.
pub struct Made {
    password: Credential,
    token: Credential,
    api_key: Credential,
}

/// Makes and stores the credentials of a new installation. None where it is not new.
///
/// # Errors
/// When the database stays away, or a given credential cannot be used.
pub async fn prepare(
    config: &Config,
    environment: &Environment,
    ground: &Ground,
) -> io::Result<Option<Made>> {
    let (key, database) = (&ground.key, &ground.database);
    wait_for(database, config).await?;
    let known = database.read(|conn| settings::get(conn, passwords::ADMIN_SETTING));
    if known.await.map_err(io::Error::other)?.is_some() {
        return Ok(None);
    }
    let password = Chosen::new(environment, ADMIN_PASSWORD, "")?;
    let token = Chosen::new(environment, ADMIN_TOKEN, "ta-")?;
    let api_key = environment.get(API_KEY);
    let given = api_key.map(|key| Secret::from(key.to_owned()));
    let hasher = KeyedHash::new(key, secret_key::API_KEYS);
    let new_key = NewKey::make(&hasher, "default", "first", given, ground.clock.wall_ms())
        .map_err(|error| io::Error::other(format!("{API_KEY}: {error}")))?;
    let hash = passwords::hash(&password.value).map_err(io::Error::other)?;
    let token_hash = KeyedHash::new(key, secret_key::ADMINS).hex_of(&token.value);
    let stored = new_key.clone();
    let is_first = database
        .write(move |conn| store(conn, &hash, &token_hash, &stored))
        .await
        .map_err(io::Error::other)?;
    let api_key = match api_key {
        Some(_) => Credential::Variable(API_KEY),
        None => Credential::Made(new_key.created().secret.expose().to_owned()),
    };
    Ok(is_first.then_some(Made {
        password: password.shown(ADMIN_PASSWORD),
        token: token.shown(ADMIN_TOKEN),
        api_key,
    }))
}

/// All or nothing; false where another node was faster.
fn store(
    conn: &mut Connection,
    password_hash: &str,
    token_hash: &str,
    key: &NewKey,
) -> diesel::QueryResult<bool> {
    if !settings::put_if_absent(conn, passwords::ADMIN_SETTING, password_hash)? {
        return Ok(false);
    }
    settings::put(conn, TOKEN_SETTING, token_hash)?;
    key.store(conn)?;
    Ok(true)
}

async fn wait_for(database: &Database, config: &Config) -> io::Result<()> {
    let begun = actix_rt::time::Instant::now();
    loop {
        let read = database.read(|conn| settings::get(conn, passwords::ADMIN_SETTING));
        match read.await {
            Ok(_) => return Ok(()),
            Err(error) if may_come(&error) && begun.elapsed() < DATABASE_WAIT => {
                log::warn!("waiting for the database: {error}");
                actix_rt::time::sleep(DATABASE_RETRY).await;
            }
            Err(error) => {
                let url = troupe_actors::storage::DatabaseUrl::parse(&config.storage.database_url);
                let shown = url.map_or_else(|_| String::new(), |url| url.to_string());
                return Err(io::Error::other(format!(
                    "the database {shown} cannot be used: {error}; `troupe doctor` tells more"
                )));
            }
        }
    }
}

fn may_come(error: &StorageError) -> bool {
    error.is_temporary()
}

/// A credential from the environment, or a random one.
struct Chosen {
    value: String,
    given: bool,
}

impl Chosen {
    fn new(environment: &Environment, variable: &str, prefix: &str) -> io::Result<Self> {
        let given = environment.get(variable);
        Ok(Self {
            given: given.is_some(),
            value: match given {
                Some(given) => given.to_owned(),
                None => passwords::random_text(prefix).map_err(io::Error::other)?,
            },
        })
    }

    fn shown(self, variable: &'static str) -> Credential {
        if self.given {
            Credential::Variable(variable)
        } else {
            Credential::Made(self.value)
        }
    }
}

/// Prints what the first start made, once, and nothing at later starts. Without `services` the gateway did not come
/// up, and those who start it next are not told again.
///
/// # Errors
/// When it cannot be printed: nobody would ever learn the credentials.
pub fn announce(
    config: &Config,
    url: String,
    made: Option<Made>,
    services: Option<&Services>,
) -> io::Result<()> {
    let Some(made) = made else { return Ok(()) };
    let first = FirstStart {
        url,
        admin_user: config.auth.admin_user.clone(),
        admin_password: made.password,
        admin_token: made.token,
        api_key: made.api_key,
        model: services.map(a_chat_model),
    };
    let mut out = io::stdout().lock();
    writeln!(out, "{first}")?;
    out.flush()
}

fn a_chat_model(services: &Services) -> String {
    let directory = services.catalog.directory();
    let chat = directory
        .list()
        .find(|model| model.kind.as_deref().is_none_or(|kind| kind == "chat"));
    chat.map_or_else(|| "provider/model".to_owned(), |model| model.id.to_string())
}
