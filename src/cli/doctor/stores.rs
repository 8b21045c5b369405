//! Checks of the database and the key-value store.

use std::time::Duration;

use troupe_actors::{
    storage::{
        DatabaseUrl,
        config::StorageConfig,
        engine::Engine,
        kv::{self, BreakerPolicy, KvUrl},
        queries::{calls, settings},
    },
    supervision::clock::Clock,
};

use super::finding::Finding;

/// The longest wait for the key-value store, connecting included.
const PATIENCE: Duration = Duration::from_secs(3);
/// What the check writes; nobody reads it.
const MARK: &str = "doctor_ran_at";

/// Opens the database, which brings its schema up to date.
pub fn open(config: &StorageConfig) -> Result<Engine, Finding> {
    Engine::start(config).map_err(|error| {
        let next = match DatabaseUrl::parse(&config.database_url) {
            Ok(DatabaseUrl::Postgres(_)) => "check storage.database_url, and that the server runs",
            _ => "check storage.database_url, and that its folder can be written",
        };
        Finding::fail("database", error.to_string(), next)
    })
}

/// Writes and reads. Also tells the time of the newest call record, milliseconds since 1970.
pub async fn database(engine: &Engine, config: &StorageConfig, now: i64) -> (Finding, Option<i64>) {
    let write = move |conn: &mut _| settings::put(conn, MARK, &now.to_string());
    let filter = calls::CallFilter::default();
    let read = move |conn: &mut _| calls::list(conn, &filter, None, 1);
    let outcome = match engine.write(write).await {
        Ok(()) => engine.read(read).await,
        Err(error) => Err(error),
    };
    let place = DatabaseUrl::parse(&config.database_url).map(|url| url.to_string());
    match outcome {
        Ok(page) => {
            let place = place.unwrap_or_default();
            let seen = format!(
                "{place} reads and writes, schema up to date, {} calls",
                page.count
            );
            (
                Finding::ok("database", seen),
                page.list.first().map(|call| call.at),
            )
        }
        Err(error) => {
            let next = "see that the disk has room and nobody else locks the database";
            (Finding::fail("database", error.to_string(), next), None)
        }
    }
}

/// Asks the key-value store for a sign of life. Needs a running actix system.
pub async fn key_value(config: &StorageConfig) -> Finding {
    let subject = "key-value store";
    let next = "check storage.kv_url, and that the server runs";
    let url = match KvUrl::parse(&config.kv_url) {
        Ok(url @ KvUrl::Memory { .. }) => return Finding::ok(subject, url.to_string()),
        Ok(url) => url,
        Err(error) => return Finding::fail(subject, error.to_string(), next),
    };
    let store = match kv::open(&url, PATIENCE, BreakerPolicy::default(), Clock::system()) {
        Ok(store) => store,
        Err(error) => return Finding::fail(subject, error.to_string(), next),
    };
    match tokio::time::timeout(PATIENCE, store.ping()).await {
        Ok(Ok(())) => Finding::ok(subject, format!("{url} answers")),
        Ok(Err(error)) => Finding::fail(subject, format!("{url}: {error}"), next),
        Err(_) => Finding::fail(subject, format!("{url}: no answer within 3 s"), next),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::State, *};
    use crate::cli::tests::Installation;

    #[test]
    fn a_database_that_works_is_written_and_read() {
        let installation = Installation::new();
        let config = installation.storage();
        let engine = open(&config).unwrap();
        let (finding, newest) = actix_rt::System::new().block_on(database(&engine, &config, 1));
        engine.stop(PATIENCE);
        assert_eq!(finding.state, State::Ok, "{finding}");
        assert!(finding.seen.contains("troupe.db"), "{finding}");
        assert_eq!(newest, None);
    }

    #[test]
    fn a_database_that_cannot_be_opened_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let config = StorageConfig {
            database_url: format!("sqlite://{}/x.db", file.display()),
            ..StorageConfig::default()
        };
        let finding = open(&config).err().unwrap();
        assert_eq!(finding.state, State::Fail);
        assert!(finding.next.contains("storage.database_url"), "{finding}");
    }

    #[actix_web::test]
    async fn a_key_value_store_that_is_down_is_told() {
        let mut config = StorageConfig::default();
        assert_eq!(key_value(&config).await.state, State::Ok);
        // another test may have installed it already
        let _ = rustls::crypto::ring::default_provider().install_default();
        for (url, shown) in [
            ("redis://:hunter2@127.0.0.1:1", "redis at 127.0.0.1:1: "),
            ("upstash://hunter2@127.0.0.1:1", "upstash at 127.0.0.1:1: "),
            (
                "cloudflare://a/n?token=hunter2&base_url=http://127.0.0.1:1",
                "cloudflare kv, namespace n at 127.0.0.1:1: ",
            ),
        ] {
            config.kv_url = url.to_owned();
            let finding = key_value(&config).await;
            assert_eq!(finding.state, State::Fail);
            assert!(finding.seen.starts_with(shown), "{finding}");
            assert!(!finding.to_string().contains("hunter2"), "{finding}");
        }
    }
}
