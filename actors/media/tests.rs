//! The store on a real folder and database.

use super::{files::Files, name::MediaName, *};
use crate::{
    storage::{
        Database, Storage,
        config::StorageConfig,
        queries::media::{self as rows, MediaRow},
    },
    supervision::{ChildSpec, Clock, Disturbance, RestartMetrics, SupervisionConfig, Tree},
};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and the rest";

struct Desk {
    dir: tempfile::TempDir,
    tree: Tree,
    database: Database,
    clock: Clock,
}

impl Desk {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let config = StorageConfig {
            database_url: format!("sqlite://{}/t.db", dir.path().display()),
            ..StorageConfig::default()
        };
        let metrics = RestartMetrics::default();
        let tree = Tree::plant(SupervisionConfig::default(), clock.clone(), metrics, || ());
        let for_actor = config.clone();
        let spec = ChildSpec::new("storage/database", "storage", move || {
            Ok(Storage::new(for_actor.clone()))
        });
        let database = Database::new(tree.start(spec).await.unwrap(), &config);
        Self {
            dir,
            tree,
            database,
            clock,
        }
    }

    fn files(&self) -> Files {
        Files::at(&format!("file://{}/media", self.dir.path().display())).unwrap()
    }

    async fn media(&self, limit: u64) -> Media {
        Media::start(&self.tree, self.files(), limit, &self.clock, &self.database)
            .await
            .unwrap()
    }

    async fn total(&self) -> i64 {
        self.database.read(rows::total_bytes).await.unwrap()
    }
}

#[actix_rt::test]
async fn what_is_stored_is_there_and_has_its_row() {
    let desk = Desk::new().await;
    let media = desk.media(1 << 20).await;
    let name = media.store(PNG.into(), "app", "call").await.unwrap();
    let stored = media.open(name.as_str()).await.unwrap();
    assert_eq!(std::fs::read(stored.path).unwrap(), PNG);
    assert_eq!(stored.mime, "image/png");
    assert_eq!(desk.total().await, PNG.len() as i64);
    assert!(media.open("../t.db").await.is_none());
    desk.tree.stop().await;
}

#[actix_rt::test]
async fn other_bytes_than_pictures_are_refused() {
    let desk = Desk::new().await;
    let media = desk.media(1 << 20).await;
    let refused = media.store((&b"<script>"[..]).into(), "app", "call").await;
    assert!(
        matches!(refused, Err(MediaError::NotAPicture)),
        "{refused:?}"
    );
    assert_eq!(desk.total().await, 0);
    desk.tree.stop().await;
}

#[actix_rt::test]
async fn the_oldest_make_room_and_leave_no_row_or_file() {
    let desk = Desk::new().await;
    let media = desk.media(3 * PNG.len() as u64).await;
    let mut names = Vec::new();
    for _ in 0..8 {
        names.push(media.store(PNG.into(), "app", "call").await.unwrap());
    }
    let limit = 4 * PNG.len() as i64;
    let settled = async { while desk.total().await > limit {} };
    actix_rt::time::timeout(std::time::Duration::from_secs(5), settled)
        .await
        .expect("eviction follows");
    assert!(media.open(names[0].as_str()).await.is_none());
    assert!(media.open(names[7].as_str()).await.is_some());
    desk.tree.stop().await;
}

#[actix_rt::test]
async fn a_restart_settles_what_was_half_done() {
    let desk = Desk::new().await;
    let media = desk.media(1 << 20).await;
    let format = super::name::Format::sniff(PNG).unwrap();
    let names = [(); 2].map(|()| MediaName::fresh(format).unwrap());
    for name in &names {
        desk.files().write_part(name, PNG).unwrap();
    }
    let row = MediaRow {
        name: names[0].as_str().to_owned(),
        mime: "image/png".to_owned(),
        bytes: PNG.len() as i64,
        created_at: 1,
        app_id: "app".to_owned(),
        call_id: "call".to_owned(),
    };
    desk.database
        .write(move |conn| rows::insert(conn, &row))
        .await
        .unwrap();
    desk.tree
        .disturb("storage/media", Disturbance::Panic)
        .await
        .unwrap();
    let settled = async {
        while !desk.files().unfinished().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    actix_rt::time::timeout(std::time::Duration::from_secs(5), settled)
        .await
        .unwrap();
    assert!(
        media.open(names[0].as_str()).await.is_some(),
        "its row was there"
    );
    assert!(
        media.open(names[1].as_str()).await.is_none(),
        "it had no row"
    );
    desk.tree.stop().await;
}
