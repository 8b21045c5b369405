//! The media actor with a real folder and a real database.

use std::{
    fs::File,
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use diesel::RunQueryDsl as _;
use futures_util::TryStreamExt as _;
use tempfile::TempDir;

use super::{files::Files, *};
use crate::{
    storage::{
        Connection, Database, Storage, config::StorageConfig, queries::media as rows,
        testing::TestDatabase,
    },
    supervision::{
        ChildSpec, Clock, Disturbance, RestartMetrics, SupervisionConfig, Tree, clock::ManualClock,
    },
};

struct World {
    tree: Tree,
    clock: Arc<ManualClock>,
    database: Database,
    files: Files,
    media: Media,
    _kept: (TestDatabase, TempDir),
}

async fn world(limit: u64) -> World {
    let (test_database, folder) = (TestDatabase::sqlite(), tempfile::tempdir().unwrap());
    let config = StorageConfig {
        media_url: format!("file://{}/media", folder.path().display()),
        ..test_database.config()
    };
    let supervision = SupervisionConfig {
        backoff_min_ms: 1,
        ..SupervisionConfig::default()
    };
    let (clock, hands) = Clock::manual(1_000);
    let tree = Tree::plant(
        supervision,
        Clock::system(),
        RestartMetrics::default(),
        || (),
    );
    let for_each_start = config.clone();
    let storage = ChildSpec::new("storage/database", "storage", move || {
        Ok(Storage::new(for_each_start.clone()))
    });
    let database = Database::new(tree.start(storage).await.unwrap(), &config);
    let files = Files::at(&config.media_url).unwrap();
    let media = Media::start(&tree, files.clone(), limit, &clock, &database);
    World {
        media: media.await.unwrap(),
        tree,
        clock: hands,
        database,
        files,
        _kept: (test_database, folder),
    }
}

fn png(size: usize) -> Bytes {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.resize(size, 7);
    bytes.into()
}

fn owner(app: &str, call: &str) -> Owner {
    Owner {
        app_id: app.to_owned(),
        call_id: call.to_owned(),
    }
}

fn file(bytes: &[u8]) -> File {
    let file = tempfile::tempfile().unwrap();
    (&file).write_all(bytes).unwrap();
    file
}

async fn read(stored: Stored) -> Vec<u8> {
    let all = 0..stored.bytes;
    let pieces: Vec<Bytes> = stored.pieces(all).try_collect().await.unwrap();
    pieces.concat()
}

impl World {
    async fn stored_bytes(&self) -> i64 {
        self.database.read(rows::total_bytes).await.unwrap()
    }

    async fn has_row(&self, name: &MediaName) -> bool {
        let key = name.as_str().to_owned();
        let found = self.database.read(move |conn| rows::find(conn, &key)).await;
        found.unwrap().is_some()
    }
}

/// Asks again until `true`; fails after twenty seconds.
async fn eventually(mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "it never came true"
        );
        actix_rt::task::yield_now().await;
    }
}

#[actix_rt::test]
async fn a_stored_picture_can_be_opened_and_has_its_row() {
    let world = world(1 << 20).await;
    let name = world
        .media
        .store(png(900), owner("app-1", "call-1"))
        .await
        .unwrap()
        .name;
    let stored = world.media.open(name.as_str()).await.unwrap();
    assert_eq!((stored.mime, stored.bytes), ("image/png", 900));
    assert_eq!(read(stored).await, png(900));
    let key = name.as_str().to_owned();
    let row = world
        .database
        .read(move |conn| rows::find(conn, &key))
        .await;
    let row = row.unwrap().unwrap();
    assert_eq!((row.bytes, row.created_at), (900, 1_000));
    assert_eq!(
        (row.app_id.as_str(), row.call_id.as_str()),
        ("app-1", "call-1")
    );

    let other = MediaName::fresh(Format::Png).unwrap();
    assert!(world.media.open(other.as_str()).await.is_none());
    assert!(world.media.open("../troupe.db").await.is_none());
    world.tree.stop().await;
}

#[actix_rt::test]
async fn what_may_not_be_stored_is_refused() {
    let world = world(1_000).await;
    let refused = world
        .media
        .store(Bytes::from_static(b"<svg>"), owner("a", "c"))
        .await;
    assert!(matches!(refused, Err(MediaError::Format)));
    let refused = world.media.store(png(1_001), owner("a", "c")).await;
    assert!(matches!(
        refused,
        Err(MediaError::TooLarge {
            bytes: 1_001,
            limit: 1_000
        })
    ));
    assert_eq!(world.stored_bytes().await, 0);
    world.tree.stop().await;
}

#[actix_rt::test]
async fn the_oldest_make_room() {
    let world = world(10_000).await;
    let mut names = Vec::new();
    for _ in 0..14 {
        world.clock.advance(Duration::from_secs(1));
        names.push(
            world
                .media
                .store(png(1_000), owner("a", "c"))
                .await
                .unwrap()
                .name,
        );
        eventually(async || world.stored_bytes().await <= 10_000).await;
    }
    let newest = names.last().unwrap();
    assert!(world.media.open(newest.as_str()).await.is_some());
    assert!(world.media.open(names[0].as_str()).await.is_none());
    for name in &names {
        let there = world.media.open(name.as_str()).await.is_some();
        assert_eq!(there, world.has_row(name).await);
    }
    world.tree.stop().await;
}

#[actix_rt::test]
async fn a_start_finishes_what_has_a_row_and_removes_what_has_none() {
    let world = world(1 << 20).await;
    // once it stores, the first start is done with the folder and will not clear away what follows
    eventually(async || world.media.store(png(100), owner("a", "c")).await.is_ok()).await;
    let (with_row, without) = (
        MediaName::fresh(Format::Png).unwrap(),
        MediaName::fresh(Format::Gif).unwrap(),
    );
    for name in [&with_row, &without] {
        world
            .files
            .write_part(name, &file(b"left by a crash"))
            .unwrap();
    }
    let row = rows::MediaRow {
        name: with_row.as_str().to_owned(),
        mime: "image/png".to_owned(),
        bytes: 15,
        created_at: 1,
        app_id: String::new(),
        call_id: String::new(),
    };
    let inserted = world.database.write(move |conn| rows::insert(conn, &row));
    inserted.await.unwrap();

    let restart = world.tree.disturb("storage/media", Disturbance::Panic);
    restart.await.unwrap();
    eventually(async || world.files.unfinished().unwrap().is_empty()).await;
    assert!(world.media.open(with_row.as_str()).await.is_some());
    assert!(world.media.open(without.as_str()).await.is_none());
    // and it stores again
    eventually(async || world.media.store(png(100), owner("a", "c")).await.is_ok()).await;
    world.tree.stop().await;
}

#[actix_rt::test]
async fn without_a_row_there_is_no_file() {
    let world = world(1 << 20).await;
    let dropped = world.database.write(|conn| {
        let drop = diesel::sql_query("DROP TABLE media");
        match conn {
            Connection::Sqlite(conn) => drop.execute(conn),
            Connection::Postgres(conn) => drop.execute(conn),
        }
    });
    dropped.await.unwrap();
    let refused = world.media.store(png(100), owner("a", "c")).await;
    assert!(
        matches!(refused, Err(MediaError::Database(_))),
        "{refused:?}"
    );
    assert_eq!(world.files.unfinished().unwrap(), []);
    world.tree.stop().await;
}
