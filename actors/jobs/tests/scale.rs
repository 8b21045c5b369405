//! A thousand jobs of five apps, ten at a time.

use std::collections::HashMap;

use futures_util::future::join_all;

use super::hand::{Shop, new};
use crate::{accounts::testing::until, jobs::JobsConfig, storage::testing::TestDatabase};

const APPS: [&str; 5] = ["a", "b", "c", "d", "e"];
const AT_ONCE: usize = 10;
const JOBS: usize = 1_000;

#[actix_rt::test]
async fn a_thousand_jobs_of_five_apps_are_drawn_fairly() {
    let config = JobsConfig {
        max_running: AT_ONCE,
        ..JobsConfig::default()
    };
    let shop = Shop::open(TestDatabase::sqlite(), &config).await;
    // so that all are there before the first one begins, those of the first app long before those of the last
    let first = join_all((0..AT_ONCE).map(|_| shop.submit("hang"))).await;
    until(async || (shop.jobs.counts().await.unwrap().running == AT_ONCE).then_some(())).await;
    for app in APPS {
        let jobs = (0..JOBS / APPS.len()).map(|_| shop.jobs.submit(new(app, "line")));
        assert!(join_all(jobs).await.iter().all(Result::is_ok));
    }
    assert_eq!(shop.jobs.counts().await.unwrap().queued, JOBS);
    for id in &first {
        shop.jobs.cancel("app", id).await.unwrap();
    }
    until(async || {
        let counts = shop.jobs.counts().await.unwrap();
        (counts.queued + counts.running == 0).then_some(())
    })
    .await;
    let line = shop.hand.0.line.lock().unwrap().clone();
    assert_eq!(line.len(), JOBS);
    let mut drawn: HashMap<String, usize> = HashMap::new();
    for app in line {
        *drawn.entry(app).or_default() += 1;
        let counts = APPS.map(|app| drawn.get(app).copied().unwrap_or_default());
        let (most, least) = (counts.iter().max().unwrap(), counts.iter().min().unwrap());
        assert!(most - least <= 2, "{drawn:?}");
    }
    shop.world.tree.stop().await;
}
