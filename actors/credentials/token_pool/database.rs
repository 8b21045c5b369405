//! Keeps the state of pools in the database's table `credential_states`.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::stored::{StateStore, StateWrite, StoredState};
use crate::storage::{
    Database,
    queries::credential_states::{self, CredentialStateRow},
};

impl StateStore for Database {
    fn load(&self, provider: &Arc<str>) -> BoxFuture<'static, Result<Vec<StoredState>, String>> {
        let (database, provider) = (self.clone(), Arc::clone(provider));
        Box::pin(async move {
            let load = database.read(move |conn| credential_states::load(conn, &provider));
            let rows = load.await.map_err(|error| error.to_string())?;
            Ok(rows.into_iter().map(StoredState::from).collect())
        })
    }

    fn save(
        &self,
        provider: &Arc<str>,
        write: StateWrite,
    ) -> BoxFuture<'static, Result<(), String>> {
        let (database, provider) = (self.clone(), Arc::clone(provider));
        Box::pin(async move {
            let save = database.write(move |conn| {
                let StateWrite { put, delete, at_ms } = write;
                let rows: Vec<_> = put
                    .into_iter()
                    .map(|state| row(&provider, state, at_ms))
                    .collect();
                credential_states::upsert(conn, &rows)?;
                for (token_hash, model) in &delete {
                    credential_states::delete(conn, &provider, token_hash, Some(model))?;
                }
                Ok(())
            });
            save.await.map_err(|error| error.to_string())
        })
    }
}

fn row(provider: &str, state: StoredState, at_ms: u64) -> CredentialStateRow {
    CredentialStateRow {
        provider: provider.to_owned(),
        token_hash: state.token_hash,
        model: state.model,
        cold_until: state.cold_until_ms.map(signed),
        disabled_at: state.disabled_at_ms.map(signed),
        reason: state.reason,
        failures: i32::try_from(state.failures).unwrap_or(i32::MAX),
        updated_at: signed(at_ms),
    }
}

impl From<CredentialStateRow> for StoredState {
    fn from(row: CredentialStateRow) -> Self {
        Self {
            token_hash: row.token_hash,
            model: row.model,
            cold_until_ms: row.cold_until.map(i64::unsigned_abs),
            disabled_at_ms: row.disabled_at.map(i64::unsigned_abs),
            reason: row.reason,
            failures: row.failures.unsigned_abs(),
        }
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use troupe_protocol::failure::FailureKind;

    use super::*;
    use crate::{
        credentials::{
            config::PoolConfig,
            lease::{LeaseError, Outcome, Terms},
            token_pool::{Pool, PoolSetup},
        },
        secrets::{KeyedHash, Secret},
        storage::{Storage, testing::TestDatabase},
        supervision::{ChildSpec, Clock, RestartMetrics, SupervisionConfig, Tree},
    };

    /// A process with a storage actor and a pool on it.
    async fn process(database: &TestDatabase) -> (Tree, Pool) {
        let clock = Clock::system();
        let metrics = RestartMetrics::default();
        let tree = Tree::plant(SupervisionConfig::default(), clock.clone(), metrics, || {});
        let config = database.config();
        let for_each_start = config.clone();
        let storage = ChildSpec::new("storage/database", "storage", move || {
            Ok(Storage::new(for_each_start.clone()))
        });
        let storage = Database::new(tree.start(storage).await.unwrap(), &config);
        // the first start also makes the tables, which may take longer than a pool waits
        let rows = storage
            .write(|conn| credential_states::upsert(conn, &[]))
            .await;
        assert_eq!(rows, Ok(()));
        let setup = PoolSetup {
            provider: "acme".into(),
            tokens: vec![Secret::from("sk-test-00000001".to_owned())],
            config: PoolConfig::default(),
            hasher: KeyedHash::new(&[3; 32], "token"),
            clock,
            store: Arc::new(storage),
        };
        let pool = Pool::start(&tree, setup).await.unwrap();
        (tree, pool)
    }

    #[actix_rt::test]
    async fn a_rest_outlives_the_process_on_every_database() {
        for database in [TestDatabase::sqlite(), TestDatabase::postgres()] {
            let model: Arc<str> = "m".into();
            let (tree, pool) = process(&database).await;
            let retry_after = Some(Duration::from_secs(3_000));
            let limited = Outcome::Failure(FailureKind::RateLimited { retry_after });
            pool.lease(&model, &[], Terms::default())
                .await
                .unwrap()
                .report(limited);
            tree.stop().await;

            let (tree, pool) = process(&database).await;
            let refused = pool.lease(&model, &[], Terms::default()).await.unwrap_err();
            assert!(matches!(refused, LeaseError::AllCold { .. }), "{refused}");
            assert!(refused.retry_after().unwrap() > Duration::from_secs(2_900));
            assert_eq!(pool.reset(None).await, Ok(true));
            tree.stop().await;

            let (tree, pool) = process(&database).await;
            assert!(pool.lease(&model, &[], Terms::default()).await.is_ok());
            tree.stop().await;
        }
    }
}
