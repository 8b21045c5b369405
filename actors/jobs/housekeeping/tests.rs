//! Rounds over real databases, with files in a real folder or a bucket.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tempfile::TempDir;

use super::{
    HousekeepingConfig, HousekeepingHandle, Report, Setup,
    handle::{Busy, HousekeepingError},
};
use crate::{
    accounts::testing::{World, until},
    jobs::{JobsConfig, fresh_id, tests::hand::row},
    media::{self, Links, Media, MediaName, Owner, Reason, config::MediaConfig, place::Place},
    storage::{
        Connection,
        config::StorageConfig,
        queries::{
            images::{self, ImageRow},
            jobs::{self, JobRow},
            media::{self as files, MediaRow},
            tags,
        },
        testing::TestDatabase,
    },
};

mod differences;

struct House {
    world: World,
    media: Media,
    keeper: HousekeepingHandle,
    folder: TempDir,
}

const HOUR: Duration = Duration::from_secs(3_600);

fn rules() -> (HousekeepingConfig, JobsConfig, StorageConfig) {
    let jobs = JobsConfig {
        retention_hours: 48,
        ..JobsConfig::default()
    };
    (
        HousekeepingConfig::default(),
        jobs,
        StorageConfig::default(),
    )
}

impl House {
    /// On that database, with rules that `change` has changed. Its clock begins at the real time, as files have it.
    async fn open(
        file: TestDatabase,
        change: impl FnOnce(&mut HousekeepingConfig, &mut JobsConfig, &mut StorageConfig),
    ) -> Self {
        let (mut config, mut jobs, mut storage) = rules();
        let folder = tempfile::tempdir().unwrap();
        storage.media_url = format!("file://{}/media", folder.path().display());
        change(&mut config, &mut jobs, &mut storage);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let world = World::start(file, now.as_millis() as u64).await;
        let place = Place::parse(&storage.media_url, |_| None).unwrap();
        let spool = MediaConfig {
            spool_dir: format!("{}/spool", folder.path().display()),
            ..MediaConfig::default()
        };
        let setup = media::Setup::new(&place, &storage, &spool, Links::unsigned()).unwrap();
        let media = Media::start(&world.tree, setup, &world.clock, &world.database);
        let media = media.await.unwrap();
        let setup = Setup::new(
            (&config, &jobs, &storage),
            &world.clock,
            &world.database,
            &media,
        );
        let keeper = HousekeepingHandle::start(&world.tree, setup).await.unwrap();
        Self {
            world,
            media,
            keeper,
            folder,
        }
    }

    fn now(&self) -> i64 {
        self.world.clock.wall_ms() as i64
    }

    async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut Connection) -> diesel::QueryResult<T> + Send + 'static,
    ) -> T {
        self.world.database.write(write).await.unwrap()
    }

    /// A job that is finished now, or not yet.
    async fn job(&self, is_finished: bool, draft: &str) -> String {
        let id = fresh_id();
        let row = JobRow {
            id: id.clone(),
            state: if is_finished {
                "completed"
            } else {
                "processing"
            }
            .to_owned(),
            draft: draft.to_owned(),
            finished_at: is_finished.then(|| self.now()),
            ..row()
        };
        self.write(move |conn| jobs::insert(conn, &row)).await;
        id
    }

    /// A file of that job.
    async fn file(&self, job: &str) -> MediaName {
        let owner = Owner {
            app_id: "app".to_owned(),
            call_id: job.to_owned(),
        };
        self.media.store(png().into(), owner).await.unwrap().name
    }

    /// A picture of that job, tagged, with a thumbnail.
    async fn picture(&self, job: &str, pinned: bool) -> (MediaName, MediaName) {
        let (name, small) = (self.file(job).await, self.file(job).await);
        let row = ImageRow {
            id: format!("img_{}", uuid::Uuid::now_v7().simple()),
            job_id: job.to_owned(),
            app_id: "app".to_owned(),
            position: 0,
            name: name.to_string(),
            mime: "image/png".to_owned(),
            bytes: 9,
            width: None,
            height: None,
            pinned,
            created_at: self.now(),
        };
        let thumbnail = small.to_string();
        self.write(move |conn| {
            images::insert(conn, std::slice::from_ref(&row))?;
            tags::set(conn, &row.id, &["fox".to_owned()], 1)?;
            images::put_thumbnail(conn, &row.id, "image/webp", &thumbnail)
        })
        .await;
        (name, small)
    }

    async fn has_file(&self, name: &MediaName) -> bool {
        let key = name.to_string();
        let row = self.write(move |conn| files::find(conn, &key)).await;
        let opened = self.media.open(name.as_str()).await;
        assert_eq!(row.is_some(), opened.is_some(), "{name}");
        opened.is_some()
    }

    async fn has_job(&self, id: &str) -> bool {
        let id = id.to_owned();
        self.write(move |conn| jobs::get(conn, &id)).await.is_some()
    }

    async fn pictures(&self, job: &str) -> usize {
        let ids = [job.to_owned()];
        self.write(move |conn| images::of_jobs(conn, &ids))
            .await
            .len()
    }

    async fn wait(&self, hours: u32) {
        self.world.hand.advance(HOUR * hours);
    }

    /// What would go, which then really goes.
    async fn round(&self) -> Report {
        let dry = self.keeper.run(true).await.unwrap();
        let report = self.keeper.run(false).await.unwrap();
        assert_eq!((dry.dry_run, report.dry_run), (true, false));
        let reasons = |report: &Report| {
            items(report)
                .into_iter()
                .map(|(reason, _)| reason)
                .collect::<Vec<_>>()
        };
        assert_eq!(reasons(&dry), reasons(&report));
        assert_eq!(self.keeper.last().await, Ok(Some(report.clone())));
        let again = self.keeper.run(false).await.unwrap();
        assert!(again.is_empty(), "{again}");
        report
    }

    fn path(&self, name: &MediaName) -> PathBuf {
        self.folder.path().join("media").join(name.as_str())
    }
}

/// A picture that no other call gives.
fn png() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = png::Encoder::new(&mut bytes, 4, 1).write_header().unwrap();
    let random = *uuid::Uuid::now_v7().as_bytes();
    writer.write_image_data(&random[12..]).unwrap();
    drop(writer);
    bytes
}

fn items(report: &Report) -> Vec<(Reason, u64)> {
    let some = report.removed.iter().filter(|(_, tally)| tally.items > 0);
    some.map(|(reason, tally)| (*reason, tally.items)).collect()
}

async fn on_both(test: impl AsyncFn(TestDatabase)) {
    test(TestDatabase::sqlite()).await;
    test(TestDatabase::postgres()).await;
}

#[actix_rt::test]
async fn old_jobs_go_with_their_files_unless_a_picture_is_pinned() {
    on_both(async |file| {
        let house = House::open(file, |config, _, _| config.batch = 2).await;
        let mut old = Vec::new();
        for _ in 0..3 {
            let job = house.job(true, "{}").await;
            let (picture, small) = house.picture(&job, false).await;
            old.push((job, picture, small));
        }
        let pinned = house.job(true, "{}").await;
        let (dear, _) = house.picture(&pinned, true).await;
        let open = house.job(false, "{}").await;
        house.wait(47).await;
        let young = house.job(true, "{}").await;
        assert_eq!(items(&house.round().await), []);
        house.wait(2).await;
        let report = house.round().await;
        assert_eq!(
            items(&report),
            [(Reason::OldJobs, 3), (Reason::FilesOfOldJobs, 6)]
        );
        assert!(report.removed[&Reason::FilesOfOldJobs].bytes > 0);
        assert_eq!(house.media.removals().items(Reason::OldJobs), 3);
        assert_eq!(house.media.removals().items(Reason::FilesOfOldJobs), 6);
        for (job, picture, small) in &old {
            assert!(!house.has_job(job).await && house.pictures(job).await == 0);
            assert!(!house.has_file(picture).await && !house.has_file(small).await);
        }
        for job in [&pinned, &open, &young] {
            assert!(house.has_job(job).await);
        }
        assert!(house.has_file(&dear).await && house.pictures(&pinned).await == 1);
        house.world.tree.stop().await;
    })
    .await;
}

#[actix_rt::test]
async fn a_link_holds_for_its_retention_whatever_else_is_set() {
    let house = House::open(TestDatabase::sqlite(), |_, jobs, storage| {
        jobs.retention_hours = 1;
        storage.media_max_age_days = 1;
        storage.media_min_retention_seconds = 72 * 3_600;
    });
    let house = house.await;
    let job = house.job(true, "{}").await;
    let (picture, _) = house.picture(&job, false).await;
    let other = house.file("call").await;
    house.wait(71).await;
    assert!(house.round().await.is_empty());
    house.wait(2).await;
    let wanted = [
        (Reason::OldJobs, 1),
        (Reason::FilesOfOldJobs, 2),
        (Reason::OldFiles, 1),
    ];
    assert_eq!(items(&house.round().await), wanted);
    assert!(!house.has_file(&picture).await && !house.has_file(&other).await);
    house.world.tree.stop().await;
}

#[actix_rt::test]
async fn what_a_waiting_job_was_given_stays_until_it_is_done() {
    on_both(async |file| {
        let house = House::open(file, |_, _, storage| {
            storage.media_max_age_days = 1;
            storage.media_min_retention_seconds = 3_600;
        });
        let house = house.await;
        let waits = house.job(false, "{}").await;
        let input = house.file(&waits).await;
        house.wait(30).await;
        assert!(house.round().await.is_empty());
        assert!(house.has_file(&input).await);
        let (id, now) = (waits.clone(), house.now());
        house
            .write(move |conn| {
                let row = jobs::get(conn, &id)?.unwrap();
                let done = JobRow {
                    finished_at: Some(now),
                    state: "cancelled".to_owned(),
                    ..row
                };
                jobs::delete(conn, &[id])?;
                jobs::insert(conn, &done)
            })
            .await;
        assert_eq!(items(&house.round().await), [(Reason::OldFiles, 1)]);
        assert!(!house.has_file(&input).await);
        house.world.tree.stop().await;
    })
    .await;
}

#[actix_rt::test]
async fn the_oldest_loose_files_go_when_all_are_too_large() {
    let house = House::open(TestDatabase::sqlite(), |_, _, storage| {
        storage.media_max_bytes = 10_000;
        storage.media_min_retention_seconds = 3_600;
    });
    let house = house.await;
    let job = house.job(true, "{}").await;
    let (dear, _) = house.picture(&job, true).await;
    house.wait(1).await;
    let (first, small) = house.picture(&job, false).await;
    house.wait(1).await;
    let second = house.file("call").await;
    house.wait(2).await;
    assert!(house.round().await.is_empty());
    // larger than it was when it came
    let name = second.to_string();
    house
        .write(move |conn| {
            let row = files::find(conn, &name)?.unwrap();
            files::delete(conn, std::slice::from_ref(&name))?;
            files::insert(
                conn,
                &MediaRow {
                    bytes: 9_900,
                    ..row
                },
            )
        })
        .await;
    let report = house.keeper.run(false).await.unwrap();
    assert!(report.removed[&Reason::FilesOverLimit].items >= 3);
    assert!(house.has_file(&dear).await);
    for name in [&first, &small, &second] {
        assert!(!house.has_file(name).await, "{name}");
    }
    assert_eq!(house.pictures(&job).await, 1);
    house.world.tree.stop().await;
}

#[actix_rt::test]
async fn it_is_done_by_itself_and_once_at_a_time() {
    let house = House::open(TestDatabase::sqlite(), |config, _, _| {
        config.every_seconds = 1
    });
    let house = house.await;
    assert_eq!(house.keeper.last().await, Ok(None));
    let (one, other) = futures_util::join!(house.keeper.run(true), house.keeper.run(true));
    assert!(one.is_ok());
    assert_eq!(other, Err(HousekeepingError::Busy(Busy)));
    let last = until(async || {
        let last = house.keeper.last().await.unwrap();
        last.filter(|report| !report.dry_run)
    });
    assert!(last.await.compared);
    house.world.lose_storage().await;
    let report = house.keeper.run(false).await.unwrap();
    assert!(!report.problems.is_empty());
    house.world.tree.stop().await;
}
