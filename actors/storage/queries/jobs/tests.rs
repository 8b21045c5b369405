use super::*;
use crate::storage::testing::for_each_database;

pub fn job(id: &str, app: &str) -> JobRow {
    JobRow {
        id: id.to_owned(),
        app_id: app.to_owned(),
        call_id: "call".to_owned(),
        model: "m".to_owned(),
        provider: "acme".to_owned(),
        target: "m".to_owned(),
        upstream_model: "vendor/m".to_owned(),
        action: "generate".to_owned(),
        priority: 0,
        state: "pending".to_owned(),
        revision: 0,
        attempts: 0,
        interruptions: 0,
        draft: "{}".to_owned(),
        tickets: None,
        results: None,
        error: None,
        created_at: 1,
        started_at: None,
        wake_at: None,
        finished_at: None,
        price: 0,
        made: None,
        others: None,
        owner: None,
        leased_until: None,
        prompt: "a red fox".to_owned(),
        tags: None,
        submission: None,
        fingerprint: None,
    }
}

fn to(state: &str, started_at: Option<i64>, finished_at: Option<i64>) -> JobChange {
    JobChange {
        provider: "acme".to_owned(),
        target: "m".to_owned(),
        upstream_model: "vendor/m".to_owned(),
        draft: "{}".to_owned(),
        state: state.to_owned(),
        attempts: 1,
        interruptions: 0,
        tickets: None,
        results: None,
        error: None,
        started_at,
        wake_at: None,
        finished_at,
        price: 0,
        made: None,
        others: None,
        owner: Some("node".to_owned()),
        leased_until: None,
    }
}

fn ids(rows: &[JobRow]) -> Vec<&str> {
    rows.iter().map(|row| row.id.as_str()).collect()
}

#[test]
fn a_finished_job_never_changes() {
    for_each_database(|database| {
        let conn = &mut database.migrated();
        insert(conn, &job("a", "app")).unwrap();
        assert!(insert(conn, &job("a", "app")).is_err());
        let begun = change(conn, "a", 0, &to("processing", Some(5), None))
            .unwrap()
            .unwrap();
        assert_eq!((begun.revision, begun.started_at), (1, Some(5)));
        assert_eq!(hold(conn, "a", "other", Some("{}")), Ok(false));
        assert_eq!(hold(conn, "a", "node", Some("{}")), Ok(true));
        // somebody was quicker
        assert_eq!(change(conn, "a", 0, &to("failed", None, Some(7))), Ok(None));
        let ended = change(conn, "a", 1, &to("completed", Some(5), Some(9)))
            .unwrap()
            .unwrap();
        assert_eq!((ended.state.as_str(), ended.revision), ("completed", 2));
        assert_eq!(
            change(conn, "a", 2, &to("failed", None, Some(10))),
            Ok(None)
        );
        assert_eq!(hold(conn, "a", "node", None), Ok(false));
        assert_eq!(get(conn, "a"), Ok(Some(ended)));
        assert_eq!(
            change(conn, "b", 0, &to("failed", None, Some(10))),
            Ok(None)
        );
    });
}

#[test]
fn a_node_lives_on_for_all_its_jobs_at_once() {
    for_each_database(|database| {
        let conn = &mut database.migrated();
        for id in ["a", "b", "c", "d"] {
            insert(conn, &job(id, "app")).unwrap();
        }
        for id in ["a", "b"] {
            change(conn, id, 0, &to("processing", None, None)).unwrap();
        }
        change(conn, "c", 0, &to("failed", None, Some(3))).unwrap();
        let mut own = renew(conn, "node", 50).unwrap();
        own.sort();
        assert_eq!(own, ["a", "b"]);
        let lease = |conn: &mut _, id| get(conn, id).unwrap().unwrap().leased_until;
        assert_eq!((lease(conn, "a"), lease(conn, "d")), (Some(50), None));
        release(conn, "other").unwrap();
        assert_eq!(lease(conn, "a"), Some(50));
        release(conn, "node").unwrap();
        assert_eq!((lease(conn, "a"), lease(conn, "b")), (None, None));
    });
}

#[test]
fn lists_are_paged_by_id_and_filtered() {
    for_each_database(|database| {
        let conn = &mut database.migrated();
        for (id, app) in [("a", "x"), ("b", "y"), ("c", "x"), ("d", "x")] {
            insert(conn, &job(id, app)).unwrap();
        }
        change(conn, "c", 0, &to("failed", None, Some(3))).unwrap();
        let of = |app: &str, state: Option<&str>| JobFilter {
            app_id: Some(app.to_owned()),
            state: state.map(str::to_owned),
            model: Some("m".to_owned()),
            ..JobFilter::default()
        };
        let listed = list(conn, &of("x", None), None, 2).unwrap();
        assert_eq!(ids(&listed), ["d", "c"]);
        let listed = list(conn, &of("x", None), Some("c"), 2).unwrap();
        assert_eq!(ids(&listed), ["a"]);
        let listed = list(conn, &of("x", Some("failed")), None, 9).unwrap();
        assert_eq!(ids(&listed), ["c"]);
        let open: Vec<_> = unfinished(conn)
            .unwrap()
            .into_iter()
            .map(|job| job.id)
            .collect();
        assert_eq!(open, ["a", "b", "d"]);
    });
}

#[test]
fn jobs_go_and_durations_are_learnt_of_completed_ones() {
    for_each_database(|database| {
        let conn = &mut database.migrated();
        for (id, state, ended) in [
            ("a", "completed", 30),
            ("b", "failed", 20),
            ("c", "completed", 40),
        ] {
            insert(conn, &job(id, "x")).unwrap();
            change(conn, id, 0, &to(state, Some(10), Some(ended))).unwrap();
        }
        insert(conn, &job("d", "x")).unwrap();
        let took = [("m".to_owned(), 20), ("m".to_owned(), 30)];
        assert_eq!(durations(conn, 9).unwrap(), took);
        assert_eq!(delete(conn, &["a", "b", "x"].map(str::to_owned)), Ok(2));
        assert_eq!(get(conn, "b"), Ok(None));
        assert!(get(conn, "c").unwrap().is_some() && get(conn, "d").unwrap().is_some());
    });
}
