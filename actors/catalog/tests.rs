//! How names resolve, and what routes make of them.

use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    accounts::limits::Gate,
    credentials::{
        Outcome, Pool, PoolSetup, Terms,
        config::PoolConfig,
        token_pool::stored::{StateStore, StateWrite, StoredState},
    },
    providers::{
        config::Timeouts,
        openai::{Mode, OpenAi},
        provider::Provider,
    },
    secrets::{KeyedHash, Secret},
    supervision::{Clock, RestartMetrics, SupervisionConfig},
};
use futures_util::future::BoxFuture;
use troupe_protocol::failure::FailureKind;

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
    provider_with(tree, name, rank, is_default, 1).await
}

async fn provider_with(
    tree: &Tree,
    name: &str,
    rank: usize,
    is_default: bool,
    tokens: usize,
) -> Arc<Provider> {
    let tokens = (0..tokens).map(|number| Secret::from(format!("sk-test-{number:08}")));
    let setup = PoolSetup {
        provider: name.into(),
        tokens: tokens.collect(),
        config: PoolConfig::default(),
        hasher: KeyedHash::new(&[0; 32], "token"),
        clock: Clock::system(),
        store: Arc::new(Forgetful),
    };
    Arc::new(Provider {
        name: name.into(),
        rank,
        is_default,
        upstream: Box::new(OpenAi::new("http://127.0.0.1:1/v1", Mode::OnlyResponses).unwrap()),
        pool: Pool::start(tree, setup).await.unwrap(),
        gate: Gate::new(0),
        gate_wait: Duration::ZERO,
        timeouts: Timeouts::default(),
        max_attempts: 1,
        ask_stream_usage: true,
        default_max_tokens: 0,
        openai_fields: false,
        studio: None,
        passes_pictures: true,
    })
}

fn tree() -> Tree {
    let config = SupervisionConfig::default();
    Tree::plant(config, Clock::system(), RestartMetrics::default(), || ())
}

fn models(names: &[&str]) -> Option<Arc<[Model]>> {
    Some(names.iter().map(|name| Model::named(name)).collect())
}

/// A route from the inside of its JSON, behind `"model": `.
fn route(json: &str) -> RouteConfig {
    serde_json::from_str(&format!(r#"{{"model": {json}}}"#)).unwrap()
}

fn resolved(directory: &Directory, name: &str) -> Option<(String, String)> {
    let candidates = directory.candidates(name, None, 0)?;
    let target = &candidates.targets[0];
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
async fn a_settled_catalog_has_all_offers_before() {
    let tree = tree();
    let (handle, reader) = start(&tree, &[]).await.unwrap();
    let provider = provider(&tree, "one", 0, false).await;
    for count in 1..=100 {
        let names: Vec<String> = (0..count).map(|name| name.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let told = handle.tell(Offer {
            provider: provider.clone(),
            models: models(&names),
        });
        told.unwrap();
    }
    handle.ask(Settle).await.unwrap();
    assert_eq!(reader.directory().list().count(), 100);
    tree.stop().await;
}

#[actix_rt::test]
async fn a_restart_keeps_what_was_published() {
    let tree = tree();
    let (handle, reader) = start(&tree, &[route(r#""smart", "targets": ["one/x"]"#)])
        .await
        .unwrap();
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
    assert_eq!(reader.directory().list().count(), 3);
    assert_eq!(resolved(&reader.directory(), "smart"), to("one/x", "x"));
    tree.stop().await;
}

/// The targets that a request would be sent to, in order.
fn targets(directory: &Directory, name: &str, affinity: Option<Affinity>) -> Vec<String> {
    let candidates = directory.candidates(name, affinity, 7);
    let targets = candidates.into_iter().flat_map(|found| found.targets);
    targets.map(|target| target.id.to_string()).collect()
}

#[actix_rt::test]
async fn routes_go_before_bare_names_and_behind_full_ids() {
    let tree = tree();
    let (one, two) = (
        provider(&tree, "one", 0, false).await,
        provider(&tree, "two", 1, false).await,
    );
    let routes = [
        route(r#""shared", "targets": ["two/shared"]"#),
        route(r#""one/shared", "targets": ["two/shared"]"#),
        route(r#""smart", "targets": ["two/deep", "two/gone", "one/shared", "one/other"]"#),
        route(r#""lost", "targets": ["two/gone", "nobody/x"]"#),
    ];
    let empty = Directory::new(&routes);
    assert!(empty.candidates("smart", None, 0).is_none());
    let directory = empty
        .with(one, models(&["shared", "other"]))
        .with(two.clone(), models(&["shared", "deep"]));
    assert_eq!(resolved(&directory, "shared"), to("two/shared", "shared"));
    let full = resolved(&directory, "one/shared");
    assert_eq!(full, to("one/shared", "shared"));
    let all = ["two/deep", "one/shared", "one/other"];
    assert_eq!(targets(&directory, "smart", None), all);
    assert_eq!(resolved(&directory, "lost"), None);

    let smart = directory.explain("smart", None).unwrap();
    assert_eq!(smart.resolved_by, ResolvedBy::Route);
    assert_eq!(smart.absent.len(), 1);
    assert_eq!(&*smart.absent[0], "two/gone");
    let priorities = smart.ranked.iter().map(|one| one.share.unwrap().priority);
    assert_eq!(priorities.collect::<Vec<_>>(), [0, 2, 3]);
    for (name, by) in [
        ("one/shared", ResolvedBy::FullId),
        ("deep", ResolvedBy::BareName),
    ] {
        let found = directory.explain(name, None).unwrap();
        assert_eq!((found.resolved_by, found.ranked.len()), (by, 1));
    }
    let listed: Vec<_> = directory.list().map(|model| model.id.to_string()).collect();
    assert_eq!(listed[4..], ["shared", "one/shared", "smart"]);
    assert_eq!(&*directory.listed("smart").unwrap().provider, ROUTE_OWNER);

    let open = directory.with(two, None);
    let opened = open.candidates("lost", None, 0).unwrap();
    assert_eq!(&*opened.targets[0].id, "two/gone", "it takes any name now");
    tree.stop().await;
}

#[actix_rt::test]
async fn a_conversation_keeps_its_target_where_the_route_is_sticky() {
    let tree = tree();
    let one = provider(&tree, "one", 0, false).await;
    let three = r#""targets": [{"model": "one/a"}, {"model": "one/b"}, {"model": "one/c"}]"#;
    let routes = [
        route(&format!(r#""sticky", {three}, "max_attempts": 2"#)),
        route(&format!(r#""loose", {three}, "sticky": false"#)),
        route(r#""alias", "targets": ["one/a"]"#),
    ];
    let directory = Directory::new(&routes).with(one, models(&["a", "b", "c"]));
    let mut firsts = std::collections::HashSet::new();
    for number in 0..50 {
        let affinity = Some(Affinity::of("app", &number.to_string()));
        let at = |draw| directory.candidates("sticky", affinity, draw).unwrap();
        let ids = |found: Candidates| found.targets.iter().map(|one| one.id.clone()).collect();
        let first: Vec<Arc<str>> = ids(at(1));
        assert_eq!(first.len(), 2, "no more than may be asked");
        assert_eq!(first, ids(at(2)));
        firsts.insert(first[0].clone());
        let same = targets(&directory, "loose", None);
        assert_eq!(targets(&directory, "loose", affinity), same);
    }
    assert_eq!(firsts.len(), 3);
    let sticks =
        ["sticky", "loose", "alias", "one/a", "nothing"].map(|name| directory.sticks(name));
    assert_eq!(sticks, [true, false, false, false, false]);
    let many = provider_with(&tree, "many", 1, false, 2).await;
    let directory = directory.with(many, models(&["m"]));
    assert!(
        directory.sticks("many/m"),
        "it has two tokens to choose from"
    );
    tree.stop().await;
}

#[actix_rt::test]
async fn who_cannot_serve_is_asked_last() {
    let tree = tree();
    let (one, two) = (
        provider(&tree, "one", 0, false).await,
        provider(&tree, "two", 1, false).await,
    );
    let routes = [route(r#""smart", "targets": ["one/a", "one/b", "two/a"]"#)];
    let directory = Directory::new(&routes)
        .with(one.clone(), models(&["a", "b"]))
        .with(two, models(&["a"]));
    let limited = FailureKind::RateLimited {
        retry_after: Some(Duration::from_secs(600)),
    };
    let lease = one.pool.lease(&"a".into(), &[], Terms::default()).await;
    lease.unwrap().report(Outcome::Failure(limited));
    // a question is answered behind the report
    one.pool.snapshot().await.unwrap();
    let found = directory.candidates("smart", None, 0).unwrap();
    assert_eq!(found.ready, 2);
    assert_eq!(
        targets(&directory, "smart", None),
        ["one/b", "two/a", "one/a"]
    );
    one.pool.reset(None).await.unwrap();
    assert_eq!(
        targets(&directory, "smart", None),
        ["one/a", "one/b", "two/a"]
    );
    tree.stop().await;
}
