//! What files, rows and pictures do not agree on.

use std::fs;

use troupe_simulator::S3;

use super::*;
use crate::media::{Format, Tally};

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
