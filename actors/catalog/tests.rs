//! How names resolve.

use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    accounts::limits::Gate,
    credentials::{
        Pool, PoolSetup,
        config::PoolConfig,
        token_pool::stored::{StateStore, StateWrite, StoredState},
    },
    providers::{config::Timeouts, openai::OpenAi, provider::Provider},
    secrets::KeyedHash,
    supervision::{Clock, RestartMetrics, SupervisionConfig},
};
use futures_util::future::BoxFuture;

struct Forgetful;

impl StateStore for Forgetful {
    fn load(&self, _: &Arc<str>) -> BoxFuture<'static, Result<Vec<StoredState>, String>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn save(&self, _: &Arc<str>, _: StateWrite) -> BoxFuture<'static, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

async fn provider(tree: &Tree, name: &str, rank: usize, is_default: bool) -> Arc<Provider> {
    let setup = PoolSetup {
        provider: name.into(),
        tokens: Vec::new(),
        config: PoolConfig::default(),
        hasher: KeyedHash::new(&[0; 32], "token"),
        clock: Clock::system(),
        store: Arc::new(Forgetful),
    };
    Arc::new(Provider {
        name: name.into(),
        rank,
        is_default,
        upstream: Box::new(OpenAi::new("http://127.0.0.1:1/v1").unwrap()),
        pool: Pool::start(tree, setup).await.unwrap(),
        gate: Gate::new(0),
        gate_wait: Duration::ZERO,
        timeouts: Timeouts::default(),
        max_attempts: 1,
        ask_stream_usage: true,
    })
}

fn tree() -> Tree {
    let config = SupervisionConfig::default();
    Tree::plant(config, Clock::system(), RestartMetrics::default(), || ())
}

fn models(names: &[&str]) -> Option<Arc<[Model]>> {
    Some(names.iter().map(|name| Model::named(name)).collect())
}

fn resolved(directory: &Directory, name: &str) -> Option<(String, String)> {
    let target = directory.resolve(name)?;
    Some((target.id.to_string(), target.upstream.to_string()))
}

fn to(id: &str, upstream: &str) -> Option<(String, String)> {
    Some((id.to_owned(), upstream.to_owned()))
}

#[actix_rt::test]
async fn full_ids_bare_names_and_the_default() {
    let tree = tree();
    let (one, two) = (
        provider(&tree, "one", 0, false).await,
        provider(&tree, "two", 1, true).await,
    );
    // offered in the wrong order, listed in the configuration's
    let directory = Directory::default()
        .with(two, models(&["shared", "vendor/deep"]))
        .with(one, models(&["shared", "alone"]));
    assert_eq!(
        resolved(&directory, "one/shared"),
        to("one/shared", "shared")
    );
    assert_eq!(
        resolved(&directory, "shared"),
        to("two/shared", "shared"),
        "the default's"
    );
    assert_eq!(resolved(&directory, "alone"), to("one/alone", "alone"));
    assert_eq!(
        resolved(&directory, "vendor/deep"),
        to("two/vendor/deep", "vendor/deep")
    );
    for unknown in ["one/deep", "nobody/shared", "other", ""] {
        assert_eq!(resolved(&directory, unknown), None, "{unknown}");
    }
    let listed: Vec<String> = directory.list().map(|model| model.id.to_string()).collect();
    assert_eq!(
        listed,
        ["one/shared", "one/alone", "two/shared", "two/vendor/deep"]
    );
    tree.stop().await;
}

#[actix_rt::test]
async fn a_provider_with_unknown_models_takes_any_name() {
    let tree = tree();
    let (one, two) = (
        provider(&tree, "one", 0, false).await,
        provider(&tree, "two", 1, false).await,
    );
    let alone = Directory::default().with(one.clone(), None);
    assert_eq!(
        resolved(&alone, "anything"),
        to("one/anything", "anything"),
        "the only one"
    );
    assert_eq!(resolved(&alone, "one/a/b"), to("one/a/b", "a/b"));
    let both = alone.with(two, models(&["x"]));
    assert_eq!(
        resolved(&both, "one/anything"),
        to("one/anything", "anything")
    );
    assert_eq!(resolved(&both, "anything"), None, "whose would it be");
    let known = both.with(one, models(&["y"]));
    assert_eq!(
        resolved(&known, "one/anything"),
        None,
        "its models are known now"
    );
    tree.stop().await;
}

#[actix_rt::test]
async fn a_restart_keeps_what_was_published() {
    let tree = tree();
    let (handle, reader) = start(&tree).await.unwrap();
    let provider = provider(&tree, "one", 0, false).await;
    let offer = Offer {
        provider: provider.clone(),
        models: models(&["x"]),
    };
    handle.ask(offer).await.unwrap();
    tree.disturb("catalog", crate::supervision::Disturbance::Panic)
        .await
        .unwrap();
    let more = Offer {
        provider: self::provider(&tree, "two", 1, false).await,
        models: models(&["y"]),
    };
    handle.ask(more).await.unwrap();
    assert_eq!(reader.directory().list().count(), 2);
    tree.stop().await;
}
