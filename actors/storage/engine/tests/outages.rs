//! A database that is locked, dies, comes back, or was never there.

use std::time::Instant;

use super::*;
use crate::storage::testing::PostgresServer;

#[test]
fn a_database_locked_by_another_program_is_unavailable_and_then_used_again() {
    let database = TestDatabase::sqlite();
    let engine = Engine::start(&StorageConfig {
        busy_timeout_ms: 10,
        ..database.config()
    })
    .unwrap();
    let mut other = database.connect();
    other.begin().unwrap();
    let locked = block_on(async { engine.write(|conn| settings::put(conn, "a", "b")).await });
    assert!(
        matches!(&locked, Err(StorageError::Unavailable(text)) if text.contains("locked")),
        "{locked:?}"
    );
    other.rollback().unwrap();
    assert_eq!(
        block_on(async { engine.write(|conn| settings::put(conn, "a", "b")).await }),
        Ok(())
    );
    assert!(engine.stop(PATIENCE));
}

#[test]
fn a_server_that_dies_is_unavailable_until_it_is_back() {
    let postgres = PostgresServer::start();
    let config = StorageConfig {
        database_url: postgres.create_database(),
        ..StorageConfig::default()
    };
    let engine = Engine::start(&config).unwrap();
    let write = || {
        block_on(async {
            engine
                .write(|conn| calls::insert(conn, &[call("a", 1)]))
                .await
        })
    };
    let read = || {
        block_on(async {
            engine
                .read(|conn| calls::list(conn, &Default::default(), None, 5))
                .await
        })
    };
    assert_eq!(write(), Ok(1));
    assert_eq!(read().unwrap().count, 1);

    postgres.server().stop();
    for _ in 0..3 {
        let (written, found) = (write(), read());
        assert!(
            matches!(written, Err(StorageError::Unavailable(_))),
            "{written:?}"
        );
        assert!(
            matches!(found, Err(StorageError::Unavailable(_))),
            "{found:?}"
        );
    }

    postgres.server().restart();
    assert_eq!(
        until_available(write),
        Ok(0),
        "the same call is not stored twice"
    );
    assert_eq!(until_available(read).unwrap().count, 1);
    assert!(engine.stop(PATIENCE));
}

#[test]
fn a_connection_that_died_while_idle_costs_no_write() {
    let postgres = PostgresServer::start();
    let config = StorageConfig {
        database_url: postgres.create_database(),
        ..StorageConfig::default()
    };
    let engine = Engine::start(&config).unwrap();
    postgres.server().stop();
    postgres.server().restart();
    assert_eq!(
        block_on(async { engine.write(|conn| settings::put(conn, "a", "b")).await }),
        Ok(())
    );
    assert!(engine.stop(PATIENCE));
}

/// Repeats `job` as long as it is refused for the moment: the engine connects anew only after a pause.
fn until_available<T>(job: impl Fn() -> Result<T, StorageError>) -> Result<T, StorageError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match job() {
            Err(StorageError::Unavailable(_)) if Instant::now() < deadline => {
                std::thread::yield_now()
            }
            outcome => return outcome,
        }
    }
}

#[test]
fn an_engine_may_be_launched_before_its_server() {
    let postgres = PostgresServer::start();
    let config = StorageConfig {
        database_url: postgres.create_database(),
        ..StorageConfig::default()
    };
    postgres.server().stop();
    let failed = Engine::start(&config).err();
    assert!(
        matches!(failed, Some(StorageError::Unavailable(_))),
        "{failed:?}"
    );

    let engine = Engine::launch(&config).unwrap();
    let read = || block_on(async { engine.read(|conn| settings::get(conn, "a")).await });
    let write = || block_on(async { engine.write(|conn| settings::put(conn, "a", "b")).await });
    assert!(matches!(read(), Err(StorageError::Unavailable(_))));
    postgres.server().restart();
    assert_eq!(until_available(write), Ok(()));
    assert_eq!(until_available(read), Ok(Some("b".to_owned())));
    assert!(engine.stop(PATIENCE));
}
