//! Rounds over real databases, with files in a real folder or a bucket.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tempfile::TempDir;
use troupe_simulator::S3;

use super::{
    HousekeepingConfig, HousekeepingHandle, Report, Setup,
    handle::{Busy, HousekeepingError},
};
use crate::{
    accounts::testing::{World, until},
    jobs::{JobsConfig, fresh_id, tests::hand::row},
    media::{
        self, Format, Links, Media, MediaName, Owner, Reason, Tally, config::MediaConfig,
        place::Place,
    },
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
async fn orphans_are_found_both_ways_once_they_are_old_enough() {
    on_both(async |file| {
        let house = House::open(file, |config, _, _| config.batch = 2).await;
        let job = house.job(true, "{}").await;
        let (kept, _) = house.picture(&job, false).await;
        let (lost, small) = house.picture(&job, false).await;
        fs::remove_file(house.path(&lost)).unwrap();
        let stray = MediaName::fresh(Format::Png).unwrap();
        fs::write(house.path(&stray), b"nobody's").unwrap();
        // one that nobody speaks of, one of a job that there is not, an input, and one that is being drawn
        let forgotten = house.file(&job).await;
        let refused = house.file(&fresh_id()).await;
        let given = house.file("call").await;
        let asks = house
            .job(true, &format!("{{\"inputs\":[\"{given}\"]}}"))
            .await;
        let name = given.to_string();
        house
            .write(move |conn| {
                let row = files::find(conn, &name)?.unwrap();
                files::delete(conn, &[name])?;
                files::insert(
                    conn,
                    &MediaRow {
                        call_id: asks,
                        ..row
                    },
                )
            })
            .await;
        let open = house.job(false, "{}").await;
        let drawn = house.file(&open).await;
        fs::write(house.folder.path().join("media/notes.txt"), b"mine").unwrap();
        assert!(house.round().await.is_empty());

        house.wait(2).await;
        let report = house.round().await;
        let wanted = [
            (Reason::AbandonedFiles, 2),
            (Reason::FilesWithoutRow, 1),
            // with its thumbnail
            (Reason::RowsWithoutFile, 2),
        ];
        let found = items(&report);
        assert_eq!(found, wanted, "{report}");
        for name in [&stray, &lost, &small, &forgotten, &refused] {
            assert!(!house.has_file(name).await, "{name}");
            assert!(!house.path(name).exists());
        }
        for name in [&kept, &given, &drawn] {
            assert!(house.has_file(name).await, "{name}");
        }
        assert_eq!(house.pictures(&job).await, 1);
        assert!(house.folder.path().join("media/notes.txt").exists());
        house.world.tree.stop().await;
    })
    .await;
}

#[actix_rt::test]
async fn pictures_that_the_store_does_not_know_go_and_what_hangs_on_them() {
    on_both(async |file| {
        let house = House::open(file, |_, _, _| ()).await;
        let job = house.job(true, "{}").await;
        let (kept, _) = house.picture(&job, false).await;
        let row = ImageRow {
            id: "img_lost".to_owned(),
            job_id: job.clone(),
            app_id: "app".to_owned(),
            position: 1,
            name: "gone.png".to_owned(),
            mime: "image/png".to_owned(),
            bytes: 9,
            width: None,
            height: None,
            pinned: true,
            created_at: house.now(),
        };
        house
            .write(move |conn| {
                images::insert(conn, &[row])?;
                tags::set(conn, "img_lost", &["fox".to_owned()], 1)?;
                tags::set(conn, "img_never", &["fox".to_owned()], 1)
            })
            .await;
        house.wait(2).await;
        assert_eq!(
            items(&house.round().await),
            [(Reason::PicturesWithoutFile, 2)]
        );
        assert!(house.has_file(&kept).await && house.pictures(&job).await == 1);
        house.world.tree.stop().await;
    })
    .await;
}

#[actix_rt::test]
async fn where_nothing_fits_together_nothing_is_removed() {
    let house = House::open(TestDatabase::sqlite(), |_, _, _| ()).await;
    let mut names = Vec::new();
    for _ in 0..6 {
        names.push(house.file("call").await);
    }
    // the disk is not there
    let (media, away) = (
        house.folder.path().join("media"),
        house.folder.path().join("away"),
    );
    fs::rename(&media, &away).unwrap();
    fs::create_dir(&media).unwrap();
    house.wait(2).await;
    let report = house.keeper.run(false).await.unwrap();
    assert!(
        report.is_empty() && report.problems.len() == 1,
        "{report:?}"
    );
    assert!(
        report.problems[0].contains("is its disk there"),
        "{report:?}"
    );
    fs::remove_dir(&media).unwrap();
    fs::rename(&away, &media).unwrap();
    assert!(house.round().await.problems.is_empty());
    // another database
    let all: Vec<_> = names.iter().map(ToString::to_string).collect();
    house.write(move |conn| files::delete(conn, &all)).await;
    let report = house.keeper.run(false).await.unwrap();
    assert!(
        report.is_empty() && report.problems.len() == 1,
        "{report:?}"
    );
    assert!(
        report.problems[0].contains("is it the right one"),
        "{report:?}"
    );
    assert!(names.iter().all(|name| house.path(name).exists()));
    house.world.tree.stop().await;
}

#[actix_rt::test]
async fn a_bucket_is_compared_as_well() {
    let s3 = S3::start();
    let url = s3.media_url("pictures/of/ours");
    let house = House::open(TestDatabase::sqlite(), |_, _, storage| {
        storage.media_url = url
    });
    let house = house.await;
    let (kept, lost) = (house.file("call").await, house.file("call").await);
    let key = |name: &MediaName| format!("/pictures/of/ours/{name}");
    s3.lose(&key(&lost));
    let stray = MediaName::fresh(Format::Webp).unwrap();
    s3.place(&key(&stray), b"nobody's".as_slice());
    s3.place("/pictures/of/others/x.png", b"theirs".as_slice());
    house.wait(2).await;
    let wanted = [(Reason::FilesWithoutRow, 1), (Reason::RowsWithoutFile, 1)];
    let report = house.round().await;
    assert_eq!(items(&report), wanted, "{report:?}");
    let strays = Tally { items: 1, bytes: 8 };
    assert_eq!(report.removed[&Reason::FilesWithoutRow], strays);
    let left: Vec<_> = s3.objects().into_iter().map(|(key, _)| key).collect();
    assert_eq!(left, ["/pictures/of/others/x.png".to_owned(), key(&kept)]);
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
