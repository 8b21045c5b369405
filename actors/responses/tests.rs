//! The store and its sweeper on real databases.

use std::time::Duration;

use super::{config::ResponsesConfig, *};
use crate::{
    accounts::testing::{World, until},
    storage::{
        queries::responses::{self, ResponseRow},
        testing::TestDatabase,
    },
    supervision::Disturbance,
};

const HOUR: Duration = Duration::from_secs(3_600);
const BEGIN_MS: u64 = 1_000;

fn config() -> ResponsesConfig {
    ResponsesConfig {
        retention_hours: 2,
        max_chain: 3,
        max_bytes: 100,
        max_chain_bytes: 200,
        // an hour: no sweep but the first
        sweep_ms: 3_600_000,
    }
}

fn new(id: &str, previous: Option<&str>) -> NewResponse {
    NewResponse {
        id: id.to_owned(),
        app_id: "app".to_owned(),
        previous_id: previous.map(str::to_owned),
        model: "acme/gpt-4o".to_owned(),
        input: format!("[\"{id}\"]"),
        output: "{}".to_owned(),
    }
}

struct Shelf {
    world: World,
    store: ResponseStore,
}

impl Shelf {
    async fn start(file: TestDatabase, config: &ResponsesConfig) -> Self {
        let world = World::start(file, BEGIN_MS).await;
        let store = ResponseStore::start(&world.tree, config, &world.clock, &world.database);
        let store = store.await.unwrap();
        Self { world, store }
    }

    /// Stores turns, each of which goes on from the one before.
    async fn converse(&self, ids: &[&str]) {
        let before = std::iter::once(None).chain(ids.iter().copied().map(Some));
        for (id, previous) in ids.iter().zip(before) {
            self.store.save(new(id, previous)).await.unwrap();
        }
    }

    async fn chain(&self, id: &str) -> Result<Option<Vec<String>>, ResponseError> {
        let turns = self.store.chain("app", id).await?;
        Ok(turns.map(|turns| turns.into_iter().map(|turn| turn.id).collect()))
    }

    /// Whether there is a row of that id in the table, expired or not.
    async fn has_row(&self, id: &str) -> bool {
        let id = id.to_owned();
        let get = move |conn: &mut _| responses::get(conn, &id, "app", 0);
        self.world.database.read(get).await.unwrap().is_some()
    }
}

async fn on_both(test: impl AsyncFn(TestDatabase)) {
    test(TestDatabase::sqlite()).await;
    test(TestDatabase::postgres()).await;
}

#[actix_rt::test]
async fn a_response_is_kept_for_its_app_and_its_time() {
    on_both(async |file| {
        let shelf = Shelf::start(file, &config()).await;
        shelf.converse(&["a"]).await;
        let stored = shelf.store.get("app", "a").await.unwrap().unwrap();
        let expected = ResponseRow {
            id: "a".to_owned(),
            app_id: "app".to_owned(),
            previous_id: None,
            model: "acme/gpt-4o".to_owned(),
            created_at: 1_000,
            expires_at: 1_000 + 2 * 3_600_000,
            input: "[\"a\"]".to_owned(),
            output: "{}".to_owned(),
        };
        assert_eq!(stored, expected);
        assert_eq!(shelf.store.get("other", "a").await, Ok(None));
        assert_eq!(shelf.store.chain("other", "a").await, Ok(None));
        assert_eq!(shelf.store.delete("other", "a").await, Ok(false));

        shelf.world.hand.advance(2 * HOUR);
        assert_eq!(shelf.store.get("app", "a").await, Ok(None));
        assert_eq!(shelf.chain("a").await, Ok(None));
        assert_eq!(shelf.store.delete("app", "a").await, Ok(false));
        assert!(shelf.has_row("a").await);
        shelf.world.tree.stop().await;
    })
    .await;
}

#[actix_rt::test]
async fn a_conversation_is_given_whole_or_not_at_all() {
    on_both(async |file| {
        let shelf = Shelf::start(file, &config()).await;
        shelf.converse(&["a", "b", "c", "d"]).await;
        let whole = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(shelf.chain("c").await, Ok(Some(whole)));
        let too_long = ResponseError::ChainTooLong { limit: 3 };
        assert_eq!(shelf.chain("d").await, Err(too_long));

        assert_eq!(shelf.store.delete("app", "a").await, Ok(true));
        assert_eq!(shelf.store.delete("app", "a").await, Ok(false));
        assert_eq!(shelf.chain("c").await, Ok(None));
        assert!(shelf.store.get("app", "c").await.unwrap().is_some());
        shelf.world.tree.stop().await;
    })
    .await;
}

#[actix_rt::test]
async fn what_is_too_large_is_refused() {
    let shelf = Shelf::start(TestDatabase::sqlite(), &config()).await;
    let sized = |id: &str, previous, bytes| NewResponse {
        output: "x".repeat(bytes),
        input: String::new(),
        ..new(id, previous)
    };
    let refused = shelf.store.save(sized("a", None, 101)).await;
    let (bytes, limit) = (101, 100);
    assert_eq!(refused, Err(ResponseError::TooLarge { bytes, limit }));
    assert!(!shelf.has_row("a").await);
    for (id, previous, bytes) in [("a", None, 100), ("b", Some("a"), 100), ("c", Some("b"), 1)] {
        shelf.store.save(sized(id, previous, bytes)).await.unwrap();
    }
    assert_eq!(shelf.chain("b").await.unwrap().unwrap(), ["a", "b"]);
    let too_large = ResponseError::ChainTooLarge { limit: 200 };
    assert_eq!(shelf.chain("c").await, Err(too_large));
    shelf.world.tree.stop().await;
}

#[actix_rt::test]
async fn expired_responses_are_swept_and_a_fallen_sweeper_sweeps_again() {
    on_both(async |file| {
        let config = ResponsesConfig {
            sweep_ms: 5,
            ..config()
        };
        let shelf = Shelf::start(file, &config).await;
        // more than one batch; the last of them in the order of a sweep
        let last = "old-99";
        let old: Vec<ResponseRow> = (0..250).map(|n| row(&format!("old-{n}"))).collect();
        let database = &shelf.world.database;
        let insert =
            move |conn: &mut _| old.iter().try_for_each(|row| responses::insert(conn, row));
        database.write(insert).await.unwrap();
        shelf.world.hand.advance(HOUR);
        shelf.converse(&["kept"]).await;
        shelf.world.hand.advance(HOUR);
        until(async || (!shelf.has_row(last).await).then_some(())).await;

        let tree = &shelf.world.tree;
        tree.disturb("responses", Disturbance::Panic).await.unwrap();
        until(async || tree.events_after(0, 1).await.unwrap().pop()).await;
        assert!(shelf.store.get("app", "kept").await.unwrap().is_some());
        shelf.world.hand.advance(HOUR);
        until(async || (!shelf.has_row("kept").await).then_some(())).await;
        shelf.world.tree.stop().await;
    })
    .await;
}

/// Expires two hours after the beginning.
fn row(id: &str) -> ResponseRow {
    ResponseRow {
        id: id.to_owned(),
        app_id: "app".to_owned(),
        previous_id: None,
        model: String::new(),
        created_at: 1_000,
        expires_at: 1_000 + 2 * 3_600_000,
        input: "[]".to_owned(),
        output: "{}".to_owned(),
    }
}

#[actix_rt::test]
async fn without_a_database_there_is_an_error_and_not_nothing() {
    let shelf = Shelf::start(TestDatabase::sqlite(), &config()).await;
    shelf.world.lose_storage().await;
    let refused = shelf.store.get("app", "a").await;
    assert!(matches!(refused, Err(ResponseError::Database(error)) if error.is_temporary()));
    let refused = shelf.store.save(new("a", None)).await;
    assert!(matches!(refused, Err(ResponseError::Database(_))));
    shelf.world.tree.stop().await;
}

#[test]
fn ids_are_new_each_time() {
    let (one, two) = (fresh_id(), fresh_id());
    assert_ne!(one, two);
    assert_eq!((&one[..5], one.len()), ("resp_", 37));
}
