//! Making a key: what is stored, and what is shown once.

use derive_more::{Display, Error};
use diesel::QueryResult;
use uuid::Uuid;

use super::{
    dedupe::Dedupe,
    text::{self, KeyTextError},
};
use crate::{
    secrets::{KeyedHash, Secret},
    storage::{
        Connection,
        queries::{
            apps::{self, AppRow},
            keys::{self, KeyRow},
        },
    },
};

/// A key that is about to be stored. The first start and the command line both make keys with it.
#[derive(Debug, Clone)]
pub struct NewKey {
    app: String,
    row: KeyRow,
    secret: Secret,
}

/// A key that was stored. This is the only time its text can be seen.
#[derive(Debug, Clone)]
pub struct CreatedKey {
    /// By which it is listed and revoked.
    pub id: String,
    /// What clients send.
    pub secret: Secret,
}

/// Why a key was not made.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
pub enum KeysError {
    /// The operator's own key cannot be one.
    #[display("{_0}")]
    Text(KeyTextError),
    /// A name is empty or too long.
    #[display("the name of an app or a key has 1 to {MAX_NAME} characters")]
    Name,
    /// There are as many keys as there may be.
    #[display("there are too many API keys: revoke some first, or raise keys.max_keys")]
    TooMany,
    /// The system gave no randomness.
    #[display("the system gives no random numbers")]
    Random,
}

/// The longest name, in characters.
const MAX_NAME: usize = 100;

impl NewKey {
    /// A key `name` of the app `app`: the one `given`, or a random one. `now_ms` is the wall-clock time.
    ///
    /// # Errors
    /// [`KeysError::Text`], [`KeysError::Name`] and [`KeysError::Random`].
    pub fn make(
        hash: &KeyedHash,
        app: &str,
        name: &str,
        given: Option<Secret>,
        now_ms: u64,
    ) -> Result<Self, KeysError> {
        let well_named = |name: &str| (1..=MAX_NAME).contains(&name.trim().chars().count());
        if !well_named(app) || !well_named(name) {
            return Err(KeysError::Name);
        }
        let secret = match given {
            Some(secret) => {
                text::check(secret.expose())?;
                secret
            }
            None => text::make().map_err(|_| KeysError::Random)?,
        };
        let row = KeyRow {
            id: Uuid::now_v7().to_string(),
            // known when it is stored
            app_id: String::new(),
            name: name.trim().to_owned(),
            hash: hash.hex_of(secret.expose()),
            hint: secret.hint(),
            created_at: i64::try_from(now_ms).unwrap_or(i64::MAX),
            revoked_at: None,
            dedupe: Dedupe::Off.to_string(),
        };
        Ok(Self {
            app: app.trim().to_owned(),
            row,
            secret,
        })
    }

    /// The same key with another way to treat repeated requests than none.
    #[must_use]
    pub fn with_dedupe(mut self, dedupe: Dedupe) -> Self {
        self.row.dedupe = dedupe.to_string();
        self
    }

    /// As [`Self::store`], but only while fewer than `max_keys` are active; false where there are as many.
    ///
    /// # Errors
    /// As [`Self::store`].
    pub fn store_within(&self, conn: &mut Connection, max_keys: usize) -> QueryResult<bool> {
        let active = usize::try_from(keys::count_active(conn)?).unwrap_or(usize::MAX);
        if active >= max_keys {
            return Ok(false);
        }
        self.store(conn)?;
        Ok(true)
    }

    /// Stores it, and its app if that is new. Belongs into one transaction.
    ///
    /// # Errors
    /// A unique violation if the key exists already.
    pub fn store(&self, conn: &mut Connection) -> QueryResult<()> {
        let app = match apps::find_by_name(conn, &self.app)? {
            Some(app) => app,
            None => self.new_app(conn)?,
        };
        let row = KeyRow {
            app_id: app.id,
            ..self.row.clone()
        };
        keys::create(conn, &row)
    }

    /// What to show, after it was stored.
    #[must_use]
    pub fn created(self) -> CreatedKey {
        CreatedKey {
            id: self.row.id,
            secret: self.secret,
        }
    }

    fn new_app(&self, conn: &mut Connection) -> QueryResult<AppRow> {
        let app = AppRow {
            id: Uuid::now_v7().to_string(),
            name: self.app.clone(),
            max_in_flight: None,
            created_at: self.row.created_at,
        };
        apps::create(conn, &app)?;
        Ok(app)
    }
}

impl From<KeyTextError> for KeysError {
    fn from(error: KeyTextError) -> Self {
        Self::Text(error)
    }
}
