//! Many jobs at a time, through the program.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::timeout;

use crate::support::App;

const JOBS: usize = 1_000;
/// Even a slow machine is done with them then.
const LONG: Duration = Duration::from_secs(300);
/// What may be held more after two thousand jobs than after one thousand.
const SLACK: u64 = 16 << 20;

/// Has a thousand jobs queued, ten drawn at a time, and waits for the last.
async fn thousand(app: &App) {
    let mut body = super::fox();
    body["async"] = true.into();
    // as many connections at a time as a client would open
    for _ in 0..JOBS / 50 {
        let answers = join_all((0..50).map(|_| app.post("/v1/images/generations", &body))).await;
        assert!(answers.iter().all(|answer| answer.status == 202));
    }
    let all_done = async {
        for status in ["pending", "processing", "retrying"] {
            while left(app, status).await > 0 {}
        }
    };
    timeout(LONG, all_done).await.expect("an end of all jobs");
}

/// How many jobs in that state a page of the list has.
async fn left(app: &App, status: &str) -> usize {
    let list = app.get(&format!("/v1/jobs?limit=1&status={status}")).await;
    list.json().await["data"].as_array().unwrap().len()
}

#[actix_rt::test]
async fn a_thousand_more_jobs_take_no_more_memory() {
    let app = App::builder().set("jobs.max_running", "10").start().await;
    thousand(&app).await;
    let first = app.peak_memory();
    thousand(&app).await;
    let second = app.peak_memory();
    println!("{} KiB, then {} KiB", first >> 10, second >> 10);
    assert!(
        second < first + SLACK,
        "{} MiB became {}",
        first >> 20,
        second >> 20
    );
    let failed = app.get("/v1/jobs?status=failed").await.json().await;
    assert_eq!(failed["data"], json!([]));
}

#[actix_rt::test]
async fn an_admin_has_the_house_kept() {
    let app = App::builder().start().await;
    assert_eq!(app.get("/api/admin/housekeeping").await.status, 401);
    assert!(
        app.admin_get("/api/admin/housekeeping")
            .await
            .json()
            .await
            .is_null()
    );
    let path = "/api/admin/housekeeping?dry_run=true";
    let dry = app.admin_post(path, &json!({})).await.json().await;
    assert_eq!(
        (&dry["dry_run"], &dry["compared"]),
        (&json!(true), &json!(true))
    );
    // a file that nobody knows, of long ago
    let name = format!("{}.png", "ab".repeat(20));
    let path = app.path("data/media").join(&name);
    std::fs::write(&path, b"nobody's").unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    let report = app.admin_post("/api/admin/housekeeping", &json!({})).await;
    let report = report.json().await;
    let strays = &report["removed"]["files_without_row"];
    assert_eq!(strays, &json!({"items": 1, "bytes": 8}), "{report}");
    assert!(!path.exists());
    assert_eq!(
        app.admin_get("/api/admin/housekeeping").await.json().await,
        report
    );
    let metrics = app.get("/metrics").await.text().await;
    assert!(
        metrics.contains("troupe_removed_total{reason=\"files_without_row\"} 1"),
        "{metrics}"
    );
}
