//! The question of the hot path: who presents this key?

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use arc_swap::ArcSwapOption;
use derive_more::{Display, Error};

use super::{principal::Principal, table::KeyTable, text};
use crate::{
    secrets::KeyedHash,
    storage::queries::{apps::AppRow, keys::KeyRow},
};

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

/// Tells who presents a key. Cheap to clone, and cheap to ask: one HMAC and one look into a table in memory.
#[derive(Clone, Debug)]
pub struct KeyCheck {
    hash: KeyedHash,
    table: Arc<ArcSwapOption<KeyTable>>,
    turns: Arc<AtomicU64>,
}

impl KeyCheck {
    /// A check that knows no key yet; the keys actor fills it.
    #[must_use]
    pub fn new(hash: KeyedHash) -> Self {
        Self {
            hash,
            table: Arc::default(),
            turns: Arc::default(),
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
        let found = table.find(&self.hash.of(key));
        found.cloned().ok_or(KeyError::Unknown)
    }

    /// Whose key has the id `key_id`, for who has shown the key before: an id opens nothing by itself.
    ///
    /// # Errors
    /// See [`KeyError`]; a revoked key is unknown.
    pub fn holder(&self, key_id: &str) -> Result<Arc<Principal>, KeyError> {
        let table = self.table.load();
        let table = table.as_ref().ok_or(KeyError::NotReady)?;
        table.holder(key_id).cloned().ok_or(KeyError::Unknown)
    }

    /// Whether any key in force treats repeated requests in a way of its own, which is then worth a look.
    #[must_use]
    pub fn any_dedupes(&self) -> bool {
        let table = self.table.load();
        table.as_ref().is_some_and(|table| table.dedupes)
    }

    /// Whether the keys have been read since the start.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.table.load().is_some()
    }

    /// A number to be taken before the keys are read from the database.
    pub(super) fn next_turn(&self) -> u64 {
        self.turns.fetch_add(1, Relaxed) + 1
    }

    /// Puts the keys of `rows` in force, unless the reading of a later `turn` is so already. One caller at a time.
    pub(super) fn publish(&self, turn: u64, rows: Vec<(KeyRow, AppRow)>, default_limit: usize) {
        let before = self.table.load_full().unwrap_or_default();
        if turn > before.turn {
            let table = KeyTable::build(turn, rows, &before, default_limit);
            self.table.store(Some(Arc::new(table)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::keys::Dedupe;

    fn check() -> KeyCheck {
        KeyCheck::new(KeyedHash::new(&[1; 32], "api-key"))
    }

    fn publish(check: &KeyCheck, rows: Vec<(KeyRow, AppRow)>, default_limit: usize) {
        check.publish(check.next_turn(), rows, default_limit);
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
            dedupe: Dedupe::Off.to_string(),
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
        publish(
            &check,
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
        publish(&check, vec![one.clone(), two.clone()], 2);
        let _inside = check.check("k1").unwrap().gate().try_enter().unwrap();
        assert_eq!(
            check.check("k2").unwrap().gate().inside(),
            1,
            "keys of an app share its gate"
        );
        publish(&check, vec![two.clone()], 2);
        assert_eq!(check.check("k1").unwrap_err(), KeyError::Unknown);
        assert_eq!(check.check("k2").unwrap().gate().inside(), 1);
        publish(&check, vec![], 2);
        publish(&check, vec![two], 2);
        assert_eq!(
            check.check("k2").unwrap().gate().inside(),
            1,
            "even without a key meanwhile"
        );
    }

    #[test]
    fn a_holder_is_known_by_the_keys_id_until_it_is_revoked() {
        let check = check();
        assert_eq!(check.holder("id-k1").unwrap_err(), KeyError::NotReady);
        publish(&check, vec![row(&check, "a", "k1", None)], 2);
        assert_eq!(check.holder("id-k1").unwrap().app_id(), "a");
        for unknown in ["k1", "id-k2", ""] {
            assert_eq!(check.holder(unknown).unwrap_err(), KeyError::Unknown);
        }
        publish(&check, vec![], 2);
        assert_eq!(check.holder("id-k1").unwrap_err(), KeyError::Unknown);
    }

    #[test]
    fn a_new_limit_is_in_force_after_the_reload() {
        let check = check();
        publish(&check, vec![row(&check, "a", "k1", Some(1))], 2);
        let _inside = check.check("k1").unwrap().gate().try_enter().unwrap();
        publish(&check, vec![row(&check, "a", "k1", Some(5))], 2);
        assert_eq!(check.check("k1").unwrap().gate().limit(), 5);
    }

    #[test]
    fn a_slow_reading_does_not_undo_a_later_one() {
        let check = check();
        let (slow, quick) = (check.next_turn(), check.next_turn());
        check.publish(quick, vec![], 1);
        check.publish(slow, vec![row(&check, "a", "k1", None)], 1);
        assert_eq!(check.check("k1").unwrap_err(), KeyError::Unknown);
    }

    #[test]
    fn a_key_says_what_becomes_of_its_repeats() {
        let check = check();
        assert!(!check.any_dedupes());
        let (plain, mut own) = (row(&check, "a", "k1", None), row(&check, "a", "k2", None));
        publish(&check, vec![plain.clone()], 1);
        assert!(!check.any_dedupes());
        for (word, meant) in [
            ("attach", Dedupe::Attach),
            ("refuse", Dedupe::Refuse),
            ("off", Dedupe::Off),
            ("a word of a later release", Dedupe::Off),
        ] {
            own.0.dedupe = word.to_owned();
            publish(&check, vec![plain.clone(), own.clone()], 1);
            assert_eq!(check.check("k2").unwrap().dedupe(), meant, "{word}");
            assert_eq!(check.check("k1").unwrap().dedupe(), Dedupe::Off);
            assert_eq!(check.any_dedupes(), meant != Dedupe::Off, "{word}");
        }
    }

    #[test]
    fn a_damaged_hash_opens_nothing() {
        let check = check();
        for hash in ["", "zz", &"g".repeat(64), &"é".repeat(32)] {
            let (mut key, app) = row(&check, "a", "k1", None);
            key.hash = hash.to_owned();
            publish(&check, vec![(key, app)], 1);
            assert!(check.check("k1").is_err());
        }
    }
}
