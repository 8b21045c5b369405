//! The active keys, as a snapshot that every thread reads without asking anybody.

use std::{collections::HashMap, sync::Arc};

use super::{
    dedupe::Dedupe,
    principal::{App, Principal},
};
use crate::{
    accounts::limits::Gate,
    storage::queries::{apps::AppRow, keys::KeyRow},
};

/// The active keys at one moment.
#[derive(Debug, Default)]
pub(super) struct KeyTable {
    /// Which reading of the database this is.
    pub turn: u64,
    /// Whether any key treats repeated requests in a way of its own.
    pub dedupes: bool,
    principals: HashMap<[u8; 32], Arc<Principal>>,
    /// The same by the key's id, for sessions that stand for a key.
    holders: HashMap<Box<str>, Arc<Principal>>,
    apps: HashMap<Box<str>, Arc<App>>,
}

impl KeyTable {
    /// The table of `rows`. Apps keep the gate that they have in `before`, unless their limit has changed:
    /// then a new one counts from here on, and what is under way under the old one is let be.
    pub fn build(
        turn: u64,
        rows: Vec<(KeyRow, AppRow)>,
        before: &Self,
        default_limit: usize,
    ) -> Self {
        let mut table = Self {
            turn,
            ..Self::default()
        };
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
                dedupe: dedupe(&key.id, &key.dedupe),
                key_id: key.id.into(),
                key_name: key.name.into(),
            };
            table.dedupes |= principal.dedupe != Dedupe::Off;
            let principal = Arc::new(principal);
            let id = principal.key_id.clone();
            table.holders.insert(id, principal.clone());
            table.principals.insert(hash, principal);
        }
        // an app whose last key is gone keeps its gate as long as anything is under way there
        for (id, app) in &before.apps {
            if app.gate.inside() > 0 {
                table.apps.entry(id.clone()).or_insert_with(|| app.clone());
            }
        }
        table
    }

    /// Whose key has this hash.
    pub fn find(&self, hash: &[u8; 32]) -> Option<&Arc<Principal>> {
        self.principals.get(hash)
    }

    /// Whose key has this id.
    pub fn holder(&self, key_id: &str) -> Option<&Arc<Principal>> {
        self.holders.get(key_id)
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

/// A word of a later release means nothing here yet, and then nothing is done.
fn dedupe(key_id: &str, word: &str) -> Dedupe {
    word.parse().unwrap_or_else(|error| {
        log::error!("API key {key_id}: {error}; its repeated requests are served as any other");
        Dedupe::Off
    })
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
