//! Guards that lists stay fast however long the tables grow: SQLite says how it would run each query.

use std::sync::{Arc, Mutex};

use diesel::{
    Connection as _, QueryableByName, RunQueryDsl as _, connection::InstrumentationEvent,
    sql_query, sql_types::Text,
};

use super::{
    history::{self, From, HistoryFilter},
    images,
    jobs::{self, JobFilter},
    media, tags,
};
use crate::storage::{Connection, testing::TestDatabase};

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// The steps of everything that `ask` asks.
fn plan(ask: impl FnOnce(&mut Connection)) -> Vec<String> {
    let database = TestDatabase::sqlite();
    let mut conn = database.migrated();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = heard.clone();
    if let Connection::Sqlite(c) = &mut conn {
        c.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                ear.lock().unwrap().push(query.to_string());
            }
        });
    }
    ask(&mut conn);
    let asked = std::mem::take(&mut *heard.lock().unwrap());
    let Connection::Sqlite(c) = &mut conn else {
        panic!("not sqlite");
    };
    let mut steps = Vec::new();
    for query in asked {
        let explained = sql_query(format!("EXPLAIN QUERY PLAN {query}"));
        let found: Vec<Step> = explained.load(c).unwrap();
        steps.extend(found.into_iter().map(|step| step.detail));
    }
    assert!(!steps.is_empty());
    steps
}

/// That every table is searched by an index, and nothing is sorted; and that these indexes are among them.
fn is_direct(steps: &[String], indexes: &[&str]) {
    for step in steps {
        assert!(!step.starts_with("SCAN"), "{steps:#?}");
        assert!(!step.contains("FOR ORDER BY"), "{steps:#?}");
    }
    for index in indexes {
        let used = |step: &String| step.contains(&format!("INDEX {index} "));
        assert!(steps.iter().any(used), "{index} is not used: {steps:#?}");
    }
}

#[test]
fn lists_of_jobs_use_an_index_whatever_is_asked_for() {
    let text = |text: &str| Some(text.to_owned());
    for (state, model, index) in [
        (None, None, "jobs_by_app"),
        (text("completed"), None, "jobs_by_app_state"),
        (None, text("m"), "jobs_by_app_model"),
    ] {
        let app_id = text("app");
        let filter = JobFilter {
            app_id,
            state,
            model,
            ..JobFilter::default()
        };
        for before in [None, Some("job_x")] {
            let steps = plan(|conn| assert!(jobs::list(conn, &filter, before, 21).is_ok()));
            is_direct(&steps, &[index]);
        }
    }
}

#[test]
fn the_history_is_read_in_its_order() {
    let plain = HistoryFilter {
        app_id: "app".to_owned(),
        ..HistoryFilter::default()
    };
    let searched = HistoryFilter {
        words: Some("fox".to_owned()),
        model: Some("m".to_owned()),
        ..plain.clone()
    };
    let tagged = HistoryFilter {
        tag: Some("best".to_owned()),
        ..plain.clone()
    };
    for filter in [plain, searched, tagged] {
        for from in [From::Skip(0), From::After("job_x".to_owned())] {
            let ask = |conn: &mut Connection| {
                jobs::insert(conn, &jobs::tests::job("a", "app")).unwrap();
                images::insert(conn, &[images::tests::image("i", "a", 0)]).unwrap();
                tags::set(conn, "i", &["best".to_owned()], 1).unwrap();
            };
            let steps = plan(|conn| {
                ask(conn);
                let page = history::page(conn, &filter, &from, 21).unwrap();
                assert_eq!(page.jobs.len(), 1);
            });
            let steps: Vec<_> = steps
                .into_iter()
                .filter(|step| !step.contains("CONSTANT"))
                .collect();
            is_direct(&steps, &["images_by_app"]);
            let steps = plan(|conn| assert!(history::total(conn, &filter).is_ok()));
            is_direct(&steps, &["images_by_app"]);
        }
    }
}

#[test]
fn what_belongs_to_a_page_is_found_directly() {
    let ids = ["a", "b"].map(str::to_owned);
    let steps = plan(|conn| {
        images::of_jobs(conn, &ids).unwrap();
        images::thumbnails_of(conn, &ids).unwrap();
        tags::of(conn, &ids).unwrap();
        media::list_named(conn, &ids).unwrap();
    });
    is_direct(&steps, &["images_by_job"]);
}
