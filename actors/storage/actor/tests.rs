use std::time::Instant;

use crate::{
    storage::{
        Database,
        queries::{calls, settings},
        testing::{TestDatabase, call},
    },
    supervision::{ChildSpec, Clock, Disturbance, RestartMetrics, SupervisionConfig, Tree},
};

use super::*;

const PATH: &str = "storage/database";

fn tree() -> Tree {
    let config = SupervisionConfig {
        backoff_min_ms: 1,
        ..SupervisionConfig::default()
    };
    Tree::plant(config, Clock::system(), RestartMetrics::default(), || {})
}

async fn start(tree: &Tree, config: StorageConfig) -> Database {
    let for_each_start = config.clone();
    let spec = ChildSpec::new(PATH, "storage", move || {
        Ok(Storage::new(for_each_start.clone()))
    });
    Database::new(tree.start(spec).await.unwrap(), &config)
}

#[actix_rt::test]
async fn jobs_run_through_the_actor_and_are_counted() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres()] {
        let tree = tree();
        let store = start(&tree, database.config()).await;
        assert_eq!(
            store
                .write(|conn| calls::insert(conn, &[call("a", 1)]))
                .await,
            Ok(1)
        );
        let page = store
            .read(|conn| calls::list(conn, &Default::default(), None, 5))
            .await
            .unwrap();
        assert_eq!(page.list, [call("a", 1)]);
        let panicked = store
            .write(|_| -> QueryResult<()> { panic!("a test panics on purpose") })
            .await;
        assert_eq!(panicked, Err(StorageError::Panicked));
        let nodes = tree.snapshot().await.unwrap().nodes;
        let handled = nodes
            .iter()
            .find(|node| &*node.path == PATH)
            .map(|node| node.handled);
        assert_eq!(handled, Some(3));
        tree.stop().await;
    }
}

#[actix_rt::test]
async fn after_a_panic_of_the_actor_the_same_handle_works_again() {
    let (tree, database) = (tree(), TestDatabase::sqlite());
    let store = start(&tree, database.config()).await;
    store
        .write(|conn| settings::put(conn, "a", "before"))
        .await
        .unwrap();
    for disturbance in [Disturbance::Panic, Disturbance::Stop, Disturbance::Restart] {
        tree.disturb(PATH, disturbance).await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match store.read(|conn| settings::get(conn, "a")).await {
                Err(error) if error.is_temporary() && Instant::now() < deadline => {}
                found => break assert_eq!(found, Ok(Some("before".to_owned()))),
            }
        }
    }
    tree.stop().await;
}

#[actix_rt::test]
async fn an_ordered_stop_commits_what_was_accepted() {
    let (tree, database) = (tree(), TestDatabase::sqlite());
    let store = start(&tree, database.config()).await;
    let writes = (0..50).map(|n| {
        let store = store.clone();
        actix_rt::spawn(async move {
            store
                .write(move |conn| settings::put(conn, &n.to_string(), "x"))
                .await
        })
    });
    let writes: Vec<_> = writes.collect();
    // lets the tasks send what they have to send
    actix_rt::task::yield_now().await;
    tree.stop().await;
    let mut conn = database.connect();
    for (n, write) in writes.into_iter().enumerate() {
        let kept = settings::get(&mut conn, &n.to_string()).unwrap().is_some();
        assert_eq!(write.await.unwrap().is_ok(), kept);
    }
    let refused = store.write(|conn| settings::put(conn, "late", "x")).await;
    assert!(
        matches!(refused, Err(StorageError::Unavailable(_))),
        "{refused:?}"
    );
}
