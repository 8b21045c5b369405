//! A tree with a database for tests of actors.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    storage::{Database, Storage, config::StorageConfig, testing::TestDatabase},
    supervision::{
        Behaviour, ChildSpec, Clock, Disturbance, Handle, RestartMetrics, SupervisionConfig, Tree,
        clock::ManualClock,
    },
};

pub(crate) struct World {
    pub tree: Tree,
    pub database: Database,
    /// What the tables are in; gone with this.
    pub file: TestDatabase,
    /// Time that the actors under test see.
    pub clock: Clock,
    pub hand: Arc<ManualClock>,
}

const STORAGE: &str = "storage/database";

impl World {
    /// On the empty database `file`, at the wall-clock time `wall_ms`.
    pub async fn start(file: TestDatabase, wall_ms: u64) -> Self {
        let config = SupervisionConfig {
            backoff_min_ms: 1,
            ..SupervisionConfig::default()
        };
        let tree = Tree::plant(config, Clock::system(), RestartMetrics::default(), || {});
        let config = StorageConfig {
            busy_timeout_ms: 50,
            ..file.config()
        };
        let storage = config.clone();
        let spec = ChildSpec::new(STORAGE, "storage", move || {
            Ok(Storage::new(storage.clone()))
        });
        let database = Database::new(tree.start(spec).await.unwrap(), &config);
        // the schema stands once a first job is through
        database.write(|_| Ok(())).await.unwrap();
        let (clock, hand) = Clock::manual(wall_ms);
        Self {
            tree,
            database,
            file,
            clock,
            hand,
        }
    }

    /// Makes the actor at `path` panic, and returns when it has fallen and is back.
    pub async fn panic<A: Behaviour>(&self, path: &str, actor: &Handle<A>) {
        let before = actor.vitals().restarts();
        self.tree.disturb(path, Disturbance::Panic).await.unwrap();
        until(async || (actor.vitals().restarts() > before).then_some(())).await;
    }

    /// Takes the storage away for the rest of the test.
    pub async fn lose_storage(&self) {
        self.tree.dismiss(STORAGE).await;
    }
}

/// Asks again and again until there is an answer.
pub(crate) async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "this never came");
        tokio::task::yield_now().await;
    }
}
