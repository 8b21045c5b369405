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
        max_keys: 3,
    }
}

fn check() -> KeyCheck {
    KeyCheck::new(KeyedHash::new(&[1; 32], "api-key"))
}

async fn start(world: &World, check: &KeyCheck, config: &KeysConfig) -> Handle<Keys> {
    let limits = LimitsConfig::default();
    let spec = Keys::spec(config, &limits, &world.clock, &world.database, check);
    world.tree.start(spec).await.unwrap()
}

fn create(name: &str, given: Option<&str>) -> CreateKey {
    CreateKey {
        app: "default".to_owned(),
        name: name.to_owned(),
        given: given.map(|key| Secret::from(key.to_owned())),
    }
}

#[actix_rt::test]
async fn keys_are_made_used_listed_and_revoked() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres()] {
        let world = World::start(database, 7_000).await;
        let check = check();
        assert!(!check.is_ready());
        // so slow that only the actor itself can put a change in force
        let slow = KeysConfig {
            refresh_ms: 3_600_000,
            ..config()
        };
        let keys = start(&world, &check, &slow).await;
        assert!(check.is_ready(), "a start without keys is ready, too");
        let made = keys.ask(create("laptop", None)).await.unwrap().unwrap();
        let own = keys.ask(create("ci", Some(OWN))).await.unwrap().unwrap();
        let caller = check.check(made.secret.expose()).unwrap();
        assert_eq!(
            (caller.app_name(), caller.key_name()),
            ("default", "laptop")
        );
        assert_eq!(caller.key_id(), made.id);
        let other = check.check(OWN).unwrap();
        assert_eq!(other.app_id(), caller.app_id(), "an app is made once");

        assert_eq!(
            keys.ask(RevokeKey {
                id: made.id.clone()
            })
            .await,
            Ok(Ok(true))
        );
        assert_eq!(
            check.check(made.secret.expose()).unwrap_err(),
            KeyError::Unknown
        );
        assert_eq!(keys.ask(RevokeKey { id: made.id }).await, Ok(Ok(false)));
        let listed = keys.ask(ListKeys).await.unwrap().unwrap();
        let shown: Vec<_> = listed
            .iter()
            .map(|key| (&*key.name, key.revoked_at))
            .collect();
        assert_eq!(shown, [("laptop", Some(7_000)), ("ci", None)]);
        assert_eq!((&*listed[1].hint, &*listed[1].app), ("…-key", "default"));
        assert_eq!(listed[1].id, own.id);
        let again = keys.ask(create("twice", Some(OWN))).await.unwrap();
        assert_eq!(again.unwrap_err(), KeysError::Taken);
        world.tree.stop().await;
    }
}

#[actix_rt::test]
async fn what_another_process_changes_takes_effect() {
    let world = World::start(TestDatabase::sqlite(), 7_000).await;
    let check = check();
    let _keys = start(&world, &check, &config()).await;
    let key = NewKey::make(check.hash(), "app", "cli", None, 1).unwrap();
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

#[actix_rt::test]
async fn what_cannot_be_a_key_or_a_name_is_refused() {
    let world = World::start(TestDatabase::sqlite(), 7_000).await;
    let check = check();
    let keys = start(&world, &check, &config()).await;
    let refused = async |message: CreateKey| keys.ask(message).await.unwrap().unwrap_err();
    assert_eq!(
        refused(create("a", Some("short"))).await,
        KeysError::Text(KeyTextError::TooShort)
    );
    assert_eq!(refused(create(" ", None)).await, KeysError::Name);
    for name in ["a", "b", "c"] {
        keys.ask(create(name, None)).await.unwrap().unwrap();
    }
    assert_eq!(refused(create("d", None)).await, KeysError::TooMany);
    world.tree.stop().await;
}

#[actix_rt::test]
async fn a_fallen_actor_and_a_lost_database_leave_the_keys_in_force() {
    let world = World::start(TestDatabase::sqlite(), 7_000).await;
    let check = check();
    let keys = start(&world, &check, &config()).await;
    keys.ask(create("ci", Some(OWN))).await.unwrap().unwrap();
    let _inside = check.check(OWN).unwrap().gate().try_enter().unwrap();
    world.panic("accounts/keys", &keys).await;
    assert_eq!(check.check(OWN).unwrap().gate().inside(), 1);
    world.lose_storage().await;
    world.panic("accounts/keys", &keys).await;
    let failed = until(async || keys.ask(create("x", None)).await.ok()).await;
    assert!(matches!(failed, Err(KeysError::Storage(_))), "{failed:?}");
    assert_eq!(check.check(OWN).unwrap().gate().inside(), 1);
    world.tree.stop().await;
}
