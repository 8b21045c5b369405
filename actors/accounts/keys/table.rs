//! The active keys, as a snapshot that every thread reads without asking anybody.

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwapOption;
use derive_more::{Display, Error};

use super::text;
use crate::{
    accounts::limits::Gate,
    secrets::KeyedHash,
    storage::queries::{apps::AppRow, keys::KeyRow},
};

/// Who calls: an app, through one of its keys.
#[derive(Debug, Clone)]
pub struct Principal {
    app: Arc<App>,
    key_id: Box<str>,
    key_name: Box<str>,
}

/// An app, shared by the principals of its keys.
#[derive(Debug)]
struct App {
    id: Box<str>,
    name: Box<str>,
    gate: Gate,
}

impl Principal {
    /// The app's id.
    #[must_use]
    pub fn app_id(&self) -> &str {
        &self.app.id
    }

    /// The app's name.
    #[must_use]
    pub fn app_name(&self) -> &str {
        &self.app.name
    }

    /// The key's id, which is no secret.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// What the operator calls the key.
    #[must_use]
    pub fn key_name(&self) -> &str {
        &self.key_name
    }

    /// Where the app's requests wait for their turn. All keys of an app share it, over all reloads.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.app.gate
    }

    /// A caller for tests: the app `id` with its own limit.
    #[cfg(test)]
    pub(crate) fn sample(id: &str, max_in_flight: usize) -> Self {
        let app = App {
            id: id.into(),
            name: id.into(),
            gate: Gate::new(max_in_flight),
        };
        Self {
            app: Arc::new(app),
            key_id: "key".into(),
            key_name: "key".into(),
        }
    }
}

/// Why a key opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
pub enum KeyError {
    /// Not a key of this gateway, or revoked.
    #[display("the API key is unknown or was revoked: make one with `troupe keys create`")]
    Unknown,
    /// The keys have not been read from the database since the start.
    #[display("the API keys are not loaded yet: try again in a moment")]
    NotReady,
}

/// The active keys at one moment.
#[derive(Debug, Default)]
pub(super) struct KeyTable {
    principals: HashMap<[u8; 32], Arc<Principal>>,
    apps: HashMap<Box<str>, Arc<App>>,
}

impl KeyTable {
    /// The table of `rows`. Apps keep the gate that they have in `before`, unless their limit has changed:
    /// then a new one counts from here on, and what is under way under the old one is let be.
    pub fn build(rows: Vec<(KeyRow, AppRow)>, before: &Self, default_limit: usize) -> Self {
        let mut table = Self::default();
        for (key, app) in rows {
            let Some(hash) = from_hex(&key.hash) else {
                log::error!(
                    "the stored hash of API key {} is damaged: revoke the key",
                    key.id
                );
                continue;
            };
            let app = table.app(app, before, default_limit);
            let principal = Principal {
                app,
                key_id: key.id.into(),
                key_name: key.name.into(),
            };
            table.principals.insert(hash, Arc::new(principal));
        }
        // an app whose last key is gone keeps its gate as long as anything is under way there
        for (id, app) in &before.apps {
            if app.gate.inside() > 0 {
                table.apps.entry(id.clone()).or_insert_with(|| app.clone());
            }
        }
        table
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.principals.len()
    }

    fn app(&mut self, row: AppRow, before: &Self, default_limit: usize) -> Arc<App> {
        let known = self.apps.get(&*row.id);
        if let Some(app) = known {
            return app.clone();
        }
        let limit = row
            .max_in_flight
            .and_then(|limit| usize::try_from(limit).ok());
        let fresh = Gate::new(limit.unwrap_or(default_limit));
        let earlier = before.apps.get(&*row.id).map(|app| app.gate.clone());
        let gate = earlier.filter(|gate| gate.limit() == fresh.limit());
        let app = Arc::new(App {
            id: row.id.clone().into(),
            name: row.name.into(),
            gate: gate.unwrap_or(fresh),
        });
        self.apps.insert(row.id.into(), app.clone());
        app
    }
}

/// Tells who presents a key. Cheap to clone, and cheap to ask: one HMAC and one look into a table in memory.
#[derive(Clone, Debug)]
pub struct KeyCheck {
    hash: KeyedHash,
    table: Arc<ArcSwapOption<KeyTable>>,
}

impl KeyCheck {
    /// A check that knows no key yet; the keys actor fills it.
    #[must_use]
    pub fn new(hash: KeyedHash) -> Self {
        Self {
            hash,
            table: Arc::default(),
        }
    }

    /// Who presents `key`. Looked up by its keyed hash, so that the time it takes says nothing about other keys.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn check(&self, key: &str) -> Result<Arc<Principal>, KeyError> {
        if key.len() > text::LONGEST {
            return Err(KeyError::Unknown);
        }
        let table = self.table.load();
        let table = table.as_ref().ok_or(KeyError::NotReady)?;
        let found = table.principals.get(&self.hash.of(key));
        found.cloned().ok_or(KeyError::Unknown)
    }

    /// Whether the keys have been read since the start.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.table.load().is_some()
    }

    /// The hash under which a key is stored.
    pub(super) fn hash(&self) -> &KeyedHash {
        &self.hash
    }

    /// Puts the keys of `rows` in force.
    pub(super) fn publish(&self, rows: Vec<(KeyRow, AppRow)>, default_limit: usize) -> usize {
        let before = self.table.load_full().unwrap_or_default();
        let table = KeyTable::build(rows, &before, default_limit);
        let count = table.len();
        self.table.store(Some(Arc::new(table)));
        count
    }
}

fn from_hex(hex: &str) -> Option<[u8; 32]> {
    let digits = hex.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check() -> KeyCheck {
        KeyCheck::new(KeyedHash::new(&[1; 32], "api-key"))
    }

    fn row(check: &KeyCheck, app: &str, key: &str, limit: Option<i32>) -> (KeyRow, AppRow) {
        let key = KeyRow {
            id: format!("id-{key}"),
            app_id: app.to_owned(),
            name: format!("name-{key}"),
            hash: check.hash.hex_of(key),
            hint: "…".to_owned(),
            created_at: 1,
            revoked_at: None,
        };
        let app = AppRow {
            id: app.to_owned(),
            name: format!("name-{app}"),
            max_in_flight: limit,
            created_at: 1,
        };
        (key, app)
    }

    #[test]
    fn a_key_says_whose_it_is() {
        let check = check();
        assert_eq!(check.check("k1").unwrap_err(), KeyError::NotReady);
        check.publish(
            vec![
                row(&check, "a", "k1", None),
                row(&check, "b", "k2", Some(3)),
            ],
            7,
        );
        let first = check.check("k1").unwrap();
        assert_eq!((first.app_id(), first.app_name()), ("a", "name-a"));
        assert_eq!((first.key_id(), first.key_name()), ("id-k1", "name-k1"));
        assert_eq!(first.gate().limit(), 7);
        assert_eq!(check.check("k2").unwrap().gate().limit(), 3);
        for unknown in ["k3", "", &check.hash.hex_of("k1"), &"x".repeat(1 << 20)] {
            assert_eq!(check.check(unknown).unwrap_err(), KeyError::Unknown);
        }
    }

    #[test]
    fn a_reload_revokes_and_keeps_what_is_under_way() {
        let check = check();
        let (one, two) = (row(&check, "a", "k1", None), row(&check, "a", "k2", None));
        check.publish(vec![one.clone(), two.clone()], 2);
        let _inside = check.check("k1").unwrap().gate().try_enter().unwrap();
        assert_eq!(
            check.check("k2").unwrap().gate().inside(),
            1,
            "keys of an app share its gate"
        );
        check.publish(vec![two.clone()], 2);
        assert_eq!(check.check("k1").unwrap_err(), KeyError::Unknown);
        assert_eq!(check.check("k2").unwrap().gate().inside(), 1);
        check.publish(vec![], 2);
        check.publish(vec![two], 2);
        assert_eq!(
            check.check("k2").unwrap().gate().inside(),
            1,
            "even without a key meanwhile"
        );
    }

    #[test]
    fn a_new_limit_is_in_force_after_the_reload() {
        let check = check();
        check.publish(vec![row(&check, "a", "k1", Some(1))], 2);
        let _inside = check.check("k1").unwrap().gate().try_enter().unwrap();
        check.publish(vec![row(&check, "a", "k1", Some(5))], 2);
        assert_eq!(check.check("k1").unwrap().gate().limit(), 5);
    }

    #[test]
    fn a_damaged_hash_opens_nothing() {
        let check = check();
        for hash in ["", "zz", &"g".repeat(64), &"é".repeat(32)] {
            let (mut key, app) = row(&check, "a", "k1", None);
            key.hash = hash.to_owned();
            assert_eq!(check.publish(vec![(key, app)], 1), 0);
        }
    }
}
