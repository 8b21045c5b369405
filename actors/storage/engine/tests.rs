use std::sync::mpsc::channel;

use diesel::{RunQueryDsl as _, sql_query};

use super::*;
use crate::storage::{
    connection::on_each,
    queries::{calls, settings},
    testing::{TestDatabase, call, for_each_database},
};

mod outages;

const PATIENCE: Duration = Duration::from_secs(20);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    actix_rt::Runtime::new().unwrap().block_on(future)
}

fn execute(conn: &mut Connection, statement: &str) -> QueryResult<usize> {
    on_each!(conn, c => sql_query(statement).execute(c))
}

/// A write that begins, says so, and lasts until it is let go.
fn hold(
    engine: &Engine,
) -> (
    impl FnOnce() + use<>,
    oneshot::Receiver<Result<(), StorageError>>,
) {
    let (begun, has_begun) = channel();
    let (release, released) = channel::<()>();
    let (job, outcome) = Job::with_reply(move |_| {
        begun.send(()).unwrap();
        // an error is the end of the test, which lets go too
        let _ = released.recv();
        Ok(())
    });
    put(&engine.writes, job).unwrap();
    has_begun.recv().unwrap();
    (move || drop(release), outcome)
}

#[test]
fn what_was_written_can_be_read_and_readers_cannot_write() {
    for_each_database(|database| {
        let engine = Engine::start(&database.config()).unwrap();
        block_on(async {
            assert_eq!(
                engine
                    .write(|conn| calls::insert(conn, &[call("a", 1)]))
                    .await,
                Ok(1)
            );
            let page = engine
                .read(|conn| calls::list(conn, &Default::default(), None, 5))
                .await
                .unwrap();
            assert_eq!(page.list, [call("a", 1)]);
            let refused = engine.read(|conn| settings::put(conn, "a", "b")).await;
            assert!(
                matches!(
                    refused,
                    // a file that became read-only may be mended, which SQLite does not tell apart
                    Err(StorageError::Query(_) | StorageError::Unavailable(_))
                ),
                "{refused:?}"
            );
        });
        assert!(engine.stop(PATIENCE));
    });
}

#[test]
fn eight_callers_lose_no_update() {
    for_each_database(|database| {
        let engine = Engine::start(&database.config()).unwrap();
        block_on(async { engine.write(|conn| settings::put(conn, "n", "0")).await }).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    block_on(async {
                        for _ in 0..50 {
                            engine.write(add_one).await.unwrap();
                        }
                    });
                });
            }
        });
        let sum = block_on(async { engine.read(|conn| settings::get(conn, "n")).await });
        assert_eq!(sum, Ok(Some("400".to_owned())));
        assert!(engine.stop(PATIENCE));
    });
}

fn add_one(conn: &mut Connection) -> QueryResult<()> {
    let n: u32 = settings::get(conn, "n")?.unwrap().parse().unwrap();
    settings::put(conn, "n", &(n + 1).to_string())
}

/// As when `troupe keys create` runs beside the service. On PostgreSQL such a job would have to lock its row.
#[test]
fn two_programs_on_one_file_lose_no_update() {
    let database = TestDatabase::sqlite();
    let engines = [(); 2].map(|()| Engine::start(&database.config()).unwrap());
    block_on(async { engines[0].write(|conn| settings::put(conn, "n", "0")).await }).unwrap();
    std::thread::scope(|scope| {
        for engine in &engines {
            scope.spawn(|| {
                block_on(async {
                    for _ in 0..100 {
                        engine.write(add_one).await.unwrap();
                    }
                });
            });
        }
    });
    assert_eq!(
        settings::get(&mut database.connect(), "n"),
        Ok(Some("200".to_owned()))
    );
    for engine in engines {
        assert!(engine.stop(PATIENCE));
    }
}

#[test]
fn jobs_that_pile_up_share_one_commit() {
    for_each_database(|database| {
        let engine = Engine::start(&database.config()).unwrap();
        let (release, _held) = hold(&engine);
        let earlier: Vec<_> = (0..10)
            .map(|n| {
                write_soon(&engine, move |conn| {
                    settings::put(conn, &n.to_string(), "x")
                })
            })
            .collect();
        let mut onlooker = database.connect();
        let last = write_soon(&engine, move |_| settings::get(&mut onlooker, "0"));
        release();
        assert_eq!(
            last.blocking_recv().unwrap(),
            Ok(None),
            "the first job was committed before the last ran"
        );
        for outcome in earlier {
            assert_eq!(outcome.blocking_recv().unwrap(), Ok(()));
        }
        assert!(engine.stop(PATIENCE));
    });
}

fn write_soon<T: Send + 'static>(
    engine: &Engine,
    body: impl FnOnce(&mut Connection) -> QueryResult<T> + Send + 'static,
) -> oneshot::Receiver<Result<T, StorageError>> {
    let (job, outcome) = Job::with_reply(body);
    put(&engine.writes, job).unwrap();
    outcome
}

#[test]
fn a_job_that_fails_or_panics_takes_no_other_with_it() {
    for_each_database(|database| {
        let engine = Engine::start(&database.config()).unwrap();
        let (release, _held) = hold(&engine);
        let before = write_soon(&engine, |conn| settings::put(conn, "before", "x"));
        let failing = write_soon(&engine, |conn| {
            settings::put(conn, "failing", "x")?;
            execute(conn, "INSERT INTO nowhere VALUES (1)")
        });
        let panicking = write_soon(&engine, |conn| -> QueryResult<()> {
            conn.transaction(|conn| {
                settings::put(conn, "panicking", "x")?;
                panic!("a test panics on purpose")
            })
        });
        let after = write_soon(&engine, |conn| settings::put(conn, "after", "x"));
        release();
        assert_eq!(before.blocking_recv().unwrap(), Ok(()));
        assert!(matches!(
            failing.blocking_recv().unwrap(),
            Err(StorageError::Query(_))
        ));
        assert_eq!(
            panicking.blocking_recv().unwrap(),
            Err(StorageError::Panicked)
        );
        assert_eq!(after.blocking_recv().unwrap(), Ok(()));
        let left = ["before", "failing", "panicking", "after"].map(|key| {
            settings::get(&mut database.connect(), key)
                .unwrap()
                .is_some()
        });
        assert_eq!(left, [true, false, false, true]);
        assert!(engine.stop(PATIENCE));
    });
}

#[test]
fn a_reader_survives_a_panic() {
    for_each_database(|database| {
        let engine = Engine::start(&StorageConfig {
            readers: 1,
            ..database.config()
        })
        .unwrap();
        block_on(async {
            let panicked = engine
                .read(|_| -> QueryResult<()> { panic!("a test panics on purpose") })
                .await;
            assert_eq!(panicked, Err(StorageError::Panicked));
            assert_eq!(engine.read(|conn| settings::get(conn, "a")).await, Ok(None));
        });
        assert!(engine.stop(PATIENCE));
    });
}

#[test]
fn a_caller_waits_no_longer_than_configured_and_its_queued_job_does_not_run() {
    let database = TestDatabase::sqlite();
    let engine = Engine::start(&StorageConfig {
        query_timeout_ms: 20,
        ..database.config()
    })
    .unwrap();
    let (release, held) = hold(&engine);
    let late = block_on(async { engine.write(|conn| settings::put(conn, "late", "x")).await });
    assert_eq!(late, Err(StorageError::Timeout));
    release();
    assert_eq!(held.blocking_recv().unwrap(), Ok(()));
    let late = write_soon(&engine, |conn| settings::get(conn, "late"))
        .blocking_recv()
        .unwrap();
    assert_eq!(late, Ok(None));
    assert!(engine.stop(PATIENCE));
}

#[test]
fn a_full_queue_refuses_at_once() {
    let database = TestDatabase::sqlite();
    let engine = Engine::start(&database.config()).unwrap();
    let (release, _held) = hold(&engine);
    let waiting: Vec<_> = (0..WRITE_QUEUE)
        .map(|_| write_soon(&engine, |_| Ok(())))
        .collect();
    let one_too_many = block_on(async { engine.write(|_| Ok(())).await });
    assert_eq!(one_too_many, Err(StorageError::Busy));
    release();
    for outcome in waiting {
        assert_eq!(outcome.blocking_recv().unwrap(), Ok(()));
    }
    assert!(engine.stop(PATIENCE));
}

#[test]
fn stopping_finishes_what_is_queued_and_waits_no_longer_than_told() {
    let database = TestDatabase::sqlite();
    let engine = Engine::start(&database.config()).unwrap();
    let (release, held) = hold(&engine);
    let queued = write_soon(&engine, |conn| settings::put(conn, "queued", "x"));
    assert!(
        !engine.stop(Duration::from_millis(1)),
        "the held job still runs"
    );
    release();
    assert_eq!(held.blocking_recv().unwrap(), Ok(()));
    assert_eq!(queued.blocking_recv().unwrap(), Ok(()));
    assert_eq!(
        settings::get(&mut database.connect(), "queued"),
        Ok(Some("x".to_owned()))
    );
}
