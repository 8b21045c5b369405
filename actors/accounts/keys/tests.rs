//! The keys actor on a real database.

use super::*;
use crate::{
    accounts::{
        config::{KeysConfig, LimitsConfig},
        testing::{World, until},
    },
    secrets::{KeyedHash, Secret},
    storage::testing::TestDatabase,
    supervision::Handle,
};

const OWN: &str = "an-operators-own-key";

fn config() -> KeysConfig {
    KeysConfig {
        refresh_ms: 5,
        ..KeysConfig::default()
    }
}

fn hash() -> KeyedHash {
    KeyedHash::new(&[1; 32], "api-key")
}

fn check() -> KeyCheck {
    KeyCheck::new(hash())
}

async fn start(world: &World, check: &KeyCheck, config: &KeysConfig) -> Handle<Keys> {
    let limits = LimitsConfig::default();
    let spec = Keys::spec(config, &limits, &world.database, check);
    world.tree.start(spec).await.unwrap()
}

/// Makes a key of the app "default", as `troupe keys` does; false where there are enough.
async fn store(world: &World, key: &NewKey, max_keys: usize) -> bool {
    let stored = key.clone();
    let write = world
        .database
        .write(move |conn| stored.store_within(conn, max_keys));
    write.await.unwrap()
}

fn own_key() -> NewKey {
    let given = Some(Secret::from(OWN.to_owned()));
    NewKey::make(&hash(), "default", "ci", given, 1).unwrap()
}

#[actix_rt::test]
async fn a_start_without_keys_is_ready_and_later_keys_are_read() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres()] {
        let world = World::start(database, 7_000).await;
        let check = check();
        assert!(!check.is_ready());
        let _keys = start(&world, &check, &config()).await;
        assert!(check.is_ready());
        let made = NewKey::make(&hash(), "default", "laptop", None, 1).unwrap();
        assert!(store(&world, &made, 2).await);
        assert!(store(&world, &own_key(), 2).await);
        let third = NewKey::make(&hash(), "default", "third", None, 1).unwrap();
        assert!(!store(&world, &third, 2).await, "as many as there may be");
        let other = until(async || check.check(OWN).ok()).await;
        let made = made.created();
        let caller = check.check(made.secret.expose()).unwrap();
        assert_eq!(
            (caller.app_name(), caller.key_name()),
            ("default", "laptop")
        );
        assert_eq!(caller.key_id(), made.id);
        assert_eq!(other.app_id(), caller.app_id(), "an app is made once");
        world.tree.stop().await;
    }
}

#[actix_rt::test]
async fn what_another_process_changes_takes_effect() {
    let world = World::start(TestDatabase::sqlite(), 7_000).await;
    let check = check();
    let _keys = start(&world, &check, &config()).await;
    let key = NewKey::make(&hash(), "app", "cli", None, 1).unwrap();
    let stored = key.clone();
    world
        .database
        .write(move |conn| stored.store(conn))
        .await
        .unwrap();
    let key = key.created();
    until(async || check.check(key.secret.expose()).ok()).await;
    let revoke = move |conn: &mut _| crate::storage::queries::keys::revoke(conn, &key.id, 2);
    assert_eq!(world.database.write(revoke).await, Ok(true));
    until(async || check.check(key.secret.expose()).err()).await;
    world.tree.stop().await;
}

#[test]
fn what_cannot_be_a_key_or_a_name_is_refused() {
    let refused = |name: &str, given: Option<&str>| {
        let given = given.map(|key| Secret::from(key.to_owned()));
        NewKey::make(&hash(), "default", name, given, 1).unwrap_err()
    };
    assert_eq!(
        refused("a", Some("short")),
        KeysError::Text(KeyTextError::TooShort)
    );
    assert_eq!(refused(" ", None), KeysError::Name);
}

#[actix_rt::test]
async fn a_fallen_actor_and_a_lost_database_leave_the_keys_in_force() {
    let world = World::start(TestDatabase::sqlite(), 7_000).await;
    let check = check();
    let keys = start(&world, &check, &config()).await;
    assert!(store(&world, &own_key(), 1).await);
    let caller = until(async || check.check(OWN).ok()).await;
    let _inside = caller.gate().try_enter().unwrap();
    world.panic("accounts/keys", &keys).await;
    assert_eq!(check.check(OWN).unwrap().gate().inside(), 1);
    world.lose_storage().await;
    world.panic("accounts/keys", &keys).await;
    assert_eq!(check.check(OWN).unwrap().gate().inside(), 1);
    world.tree.stop().await;
}
