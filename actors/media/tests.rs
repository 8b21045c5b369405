//! The media actor with a real folder and a real database.

use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use diesel::RunQueryDsl as _;
use futures_util::TryStreamExt as _;
use tempfile::TempDir;
use troupe_simulator::S3;

use super::{
    config::MediaConfig,
    files::Files,
    formats::{
        Plan,
        testing::{SECRET, file, plain_png, png as png_with_metadata},
    },
    place::Place,
    *,
};
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
    world_with(limit, |_, _| ()).await
}

/// A world with that room, without a time in which files must stay.
async fn world_with(
    limit: u64,
    change: impl FnOnce(&mut StorageConfig, &mut MediaConfig),
) -> World {
    let (test_database, folder) = (TestDatabase::sqlite(), tempfile::tempdir().unwrap());
    let mut config = StorageConfig {
        media_url: format!("file://{}/media", folder.path().display()),
        media_max_bytes: limit,
        media_min_retention_seconds: 0,
        ..test_database.config()
    };
    let mut media = MediaConfig {
        spool_dir: format!("{}/spool", folder.path().display()),
        ..MediaConfig::default()
    };
    change(&mut config, &mut media);
    let supervision = SupervisionConfig {
        backoff_min_ms: 1,
        ..SupervisionConfig::default()
    };
    let (clock, hands) = Clock::manual(NOW);
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
    let place = Place::parse(&config.media_url, |_| None).unwrap();
    let files = match &place {
        Place::Folder(folder) => Files::at(folder),
        Place::Bucket(_) => Files::at(media.spool_dir.as_ref()),
    };
    let setup = Setup::new(&place, &config, &media, Links::unsigned()).unwrap();
    let media = Media::start(&tree, setup, &clock, &database);
    World {
        media: media.await.unwrap(),
        tree,
        clock: hands,
        database,
        files,
        _kept: (test_database, folder),
    }
}

/// A world whose files lie in a bucket.
async fn bucket_world(s3: &S3) -> World {
    let url = s3.media_url("pictures/of/ours");
    world_with(1 << 30, |storage, _| storage.media_url = url).await
}

/// Ten days after 1970 began, in milliseconds.
const NOW: u64 = 10 * 86_400_000;

/// A picture that no other call gives, of so many bytes.
fn png(size: usize) -> Bytes {
    thread_local!(static COUNT: Cell<u32> = const { Cell::new(0) });
    let count = COUNT.with(|count| count.replace(count.get() + 1));
    let mut bytes = plain_png(8, 8, 0);
    let end = bytes.split_off(bytes.len() - 12);
    let data = [b"IDAT".as_slice(), &count.to_be_bytes()].concat();
    let length = size - bytes.len() - end.len() - 12;
    bytes.extend((length as u32).to_be_bytes());
    bytes.extend(&data);
    bytes.resize(size - end.len(), 7);
    bytes.extend(end);
    bytes.into()
}

fn owner(app: &str, call: &str) -> Owner {
    Owner {
        app_id: app.to_owned(),
        call_id: call.to_owned(),
    }
}

async fn read(stored: Stored) -> Vec<u8> {
    let all = 0..stored.bytes;
    let pieces: Vec<Bytes> = stored.pieces(all).try_collect().await.unwrap();
    pieces.concat()
}

impl World {
    async fn store(&self, bytes: impl Into<Bytes>) -> Result<Kept, MediaError> {
        self.media.store(bytes.into(), owner("a", "c")).await
    }

    async fn open(&self, kept: &Kept) -> Option<Stored> {
        self.media.open(kept.name.as_str()).await
    }

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
    let picture = png(900);
    let stored = world.media.store(picture.clone(), owner("app-1", "call-1"));
    let kept = stored.await.unwrap();
    assert_eq!((kept.width, kept.height), (Some(8), Some(8)));
    let name = kept.name;
    let stored = world.media.open(name.as_str()).await.unwrap();
    assert_eq!((stored.mime, stored.bytes), ("image/png", 900));
    let middle: Vec<Bytes> = stored.clone().pieces(10..20).try_collect().await.unwrap();
    assert_eq!(middle.concat(), picture[10..20]);
    assert_eq!(read(stored).await, picture);
    let key = name.as_str().to_owned();
    let row = world
        .database
        .read(move |conn| rows::find(conn, &key))
        .await;
    let row = row.unwrap().unwrap();
    assert_eq!((row.bytes, row.created_at), (900, NOW as i64));
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
    let refused = world.store(Bytes::from_static(b"<svg>")).await;
    assert!(matches!(refused, Err(MediaError::Format)));
    let refused = world.store(png(1_001)).await;
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
async fn pictures_too_large_to_be_shown_are_refused() {
    let world = world_with(1 << 20, |_, media| media.max_pixels = 100).await;
    assert!(world.store(plain_png(10, 10, 1)).await.is_ok());
    let refused = world.store(plain_png(10, 11, 1)).await;
    assert!(
        matches!(
            refused,
            Err(MediaError::TooManyPixels {
                pixels: 110,
                limit: 100
            })
        ),
        "{refused:?}"
    );
    let cut = plain_png(10, 10, 2);
    let refused = world.store(cut[..cut.len() - 20].to_vec()).await;
    assert!(
        matches!(refused, Err(MediaError::Damaged(_))),
        "{refused:?}"
    );
    assert_eq!(world.files.unfinished().unwrap(), []);
    world.tree.stop().await;
}

#[actix_rt::test]
async fn a_spool_is_bounded_and_leaves_nothing() {
    let world = world(1 << 20).await;
    let mut spool = world.media.spool(1_000).await.unwrap();
    for _ in 0..10 {
        spool.write(Bytes::from_static(&[7; 100])).await.unwrap();
    }
    let refused = spool.write(Bytes::from_static(b"1")).await;
    assert!(matches!(
        refused,
        Err(MediaError::TooLarge {
            bytes: 1_001,
            limit: 1_000
        })
    ));
    let spooled = spool.finish().await.unwrap();
    assert_eq!(
        (spooled.bytes(), spooled.format(), spooled.pixels()),
        (1_000, None, None)
    );
    let pieces: Vec<Bytes> = spooled.pieces().try_collect().await.unwrap();
    assert_eq!(pieces.concat(), [7; 1_000]);
    let left = std::fs::read_dir(world.files.folder()).unwrap();
    assert_eq!(left.count(), 0);
    world.tree.stop().await;
}

#[actix_rt::test]
async fn the_same_bytes_are_stored_once_until_the_last_name_goes() {
    let s3 = S3::start();
    for world in [world(1 << 20).await, bucket_world(&s3).await] {
        let clean = plain_png(5, 3, 7);
        let mut kept = Vec::new();
        // what differs in its metadata alone is the same
        for picture in [png_with_metadata(), clean.clone(), clean.clone()] {
            world.clock.advance(Duration::from_secs(1));
            kept.push(world.store(picture).await.unwrap());
        }
        assert_eq!(world.stored_bytes().await, clean.len() as i64);
        for (index, one) in kept.iter().enumerate() {
            assert_eq!(one.bytes, clean.len() as u64);
            let read = read(world.open(one).await.unwrap()).await;
            assert!(read == clean && !read.windows(SECRET.len()).any(|window| window == SECRET));
            let at = (NOW + (index as u64 + 1) * 1_000) as i64;
            assert_eq!(world.media.remove_between(at, at + 1).await.unwrap(), 1);
            assert!(world.open(one).await.is_none());
        }
        assert_eq!(world.stored_bytes().await, 0);
        assert_eq!(world.files.unfinished().unwrap(), []);
        world.tree.stop().await;
    }
    assert_eq!(s3.objects(), []);
}

#[actix_rt::test]
async fn a_bucket_holds_files_large_and_small() {
    let s3 = S3::start();
    let world = bucket_world(&s3).await;
    for size in [900, 8 << 20, (20 << 20) + 3] {
        let picture = png(size);
        let kept = world.store(picture.clone()).await.unwrap();
        let key = format!("/pictures/of/ours/{}", kept.name);
        assert!(
            s3.objects().contains(&(key.clone(), size)),
            "{:?}",
            s3.objects()
        );
        assert_eq!(s3.mime(&key).as_deref(), Some("image/png"));
        let stored = world.open(&kept).await.unwrap();
        let end = size as u64;
        let last: Vec<Bytes> = stored
            .clone()
            .pieces(end - 9..end)
            .try_collect()
            .await
            .unwrap();
        assert_eq!(last.concat(), picture[size - 9..]);
        assert!(
            stored
                .clone()
                .pieces(5..5)
                .try_collect::<Vec<_>>()
                .await
                .unwrap()
                .is_empty()
        );
        assert!(read(stored).await == picture);
    }
    let parts = s3
        .requests()
        .iter()
        .filter(|line| line.contains("partNumber="))
        .count();
    assert_eq!(parts, 3);
    assert_eq!(world.files.unfinished().unwrap(), []);
    world.tree.stop().await;
}

#[actix_rt::test]
async fn a_bucket_that_refuses_leaves_neither_row_nor_file() {
    let s3 = S3::start();
    let world = bucket_world(&s3).await;
    s3.refuse(true);
    let refused = world.store(png(900)).await;
    assert!(matches!(refused, Err(MediaError::Disk(_))), "{refused:?}");
    assert!(!format!("{refused:?}").contains("sim-secret"));
    assert_eq!(world.stored_bytes().await, 0);
    s3.refuse(false);
    // what could not be removed then is removed by the next start
    let restart = world.tree.disturb("storage/media", Disturbance::Panic);
    restart.await.unwrap();
    eventually(async || world.files.unfinished().unwrap().is_empty()).await;
    assert_eq!(s3.objects(), []);
    world.tree.stop().await;
}

#[actix_rt::test]
async fn young_files_stay_though_there_is_no_room() {
    let world = world_with(10_000, |storage, _| {
        storage.media_min_retention_seconds = 60
    })
    .await;
    let mut kept = Vec::new();
    for _ in 0..10 {
        kept.push(world.store(png(1_000)).await.unwrap());
    }
    world.clock.advance(Duration::from_secs(60));
    let refused = world.store(png(1_000)).await;
    assert!(matches!(refused, Err(MediaError::Full)), "{refused:?}");
    for one in &kept {
        assert!(world.open(one).await.is_some());
    }
    world.clock.advance(Duration::from_millis(1));
    assert!(world.store(png(1_000)).await.is_ok());
    assert!(world.stored_bytes().await <= 10_000);
    world.tree.stop().await;
}

#[actix_rt::test]
async fn the_oldest_make_room() {
    let world = world(10_000).await;
    let mut names = Vec::new();
    for _ in 0..14 {
        world.clock.advance(Duration::from_secs(1));
        names.push(world.store(png(1_000)).await.unwrap().name);
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
    eventually(async || world.store(png(100)).await.is_ok()).await;
    let (with_row, without) = (
        MediaName::fresh(Format::Png).unwrap(),
        MediaName::fresh(Format::Gif).unwrap(),
    );
    for name in [&with_row, &without] {
        let mut plan = Plan::default();
        plan.copy(0..15);
        let from = file(b"left by a crash");
        world.files.write_part(name, &plan, &from).unwrap();
    }
    let row = rows::MediaRow {
        name: with_row.as_str().to_owned(),
        mime: "image/png".to_owned(),
        bytes: 15,
        created_at: 1,
        app_id: String::new(),
        call_id: String::new(),
        object: String::new(),
        sha256: String::new(),
    };
    let inserted = world.database.write(move |conn| rows::insert(conn, &row));
    inserted.await.unwrap();

    let restart = world.tree.disturb("storage/media", Disturbance::Panic);
    restart.await.unwrap();
    eventually(async || world.files.unfinished().unwrap().is_empty()).await;
    assert!(world.media.open(with_row.as_str()).await.is_some());
    assert!(world.media.open(without.as_str()).await.is_none());
    // and it stores again
    eventually(async || world.store(png(100)).await.is_ok()).await;
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
    let refused = world.store(png(100)).await;
    assert!(
        matches!(refused, Err(MediaError::Database(_))),
        "{refused:?}"
    );
    assert_eq!(world.files.unfinished().unwrap(), []);
    world.tree.stop().await;
}
