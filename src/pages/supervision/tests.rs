//! The page rendered from made-up trees and from a real one.

use std::{path::Path, sync::Arc, time::Duration};

use actix_web::{App, http::header, test as client, web};
use troupe_actors::{
    storage::{
        Database, Storage,
        config::StorageConfig,
        kv::{Kv, KvStore, KvUrl},
    },
    supervision::{
        ChildSpec, Clock, RestartMetrics, SupervisionConfig, Tree,
        fall::{Fall, FallKind},
        snapshot::{NodeKind, NodeSnapshot},
        vitals::State,
    },
};

use super::*;
use crate::pages::{language::Language, preferences::Theme};

fn node(path: &str, kind: NodeKind, state: State, last_fall: Option<Fall>) -> NodeSnapshot {
    NodeSnapshot {
        path: path.into(),
        kind,
        state,
        state_ms: 7_384_000,
        restarts: u64::from(last_fall.is_some()) * 1_204,
        last_fall: last_fall.map(Arc::new),
        mailbox: 3,
        handled: 1_234_567,
    }
}

fn fall(kind: FallKind, message: &str, place: &str) -> Fall {
    Fall {
        kind,
        message: message.to_owned(),
        place: place.to_owned(),
    }
}

const NOW_MS: u64 = 1_795_248_930_000;

/// A tree with every state and every kind of fall in it.
fn troubled() -> Sight {
    let falls = [
        fall(
            FallKind::Panic,
            "index out of bounds: the len is 3",
            "actors/credentials/pool.rs:88:13",
        ),
        fall(FallKind::Stop, "the actor stopped", ""),
        fall(FallKind::FailedStart, "<script>alert(1)</script>", ""),
        fall(FallKind::Frozen, "no answer for 10 s", ""),
        fall(FallKind::ArbiterDied, "", ""),
        fall(
            FallKind::Escalated,
            "credentials/pool/acme fell 20 times in 60 s",
            "",
        ),
        fall(FallKind::ByHand, "restarted by an operator", ""),
    ];
    let states = [
        State::Up,
        State::Starting,
        State::Restarting,
        State::Stopped,
    ];
    let mut nodes = vec![
        node("storage", NodeKind::Group, State::Up, None),
        node("storage/writer", NodeKind::Actor, State::Up, None),
        node("credentials", NodeKind::Group, State::Up, None),
    ];
    let mut events = Vec::new();
    for (index, last) in falls.into_iter().enumerate() {
        let path = format!("credentials/provider-{index}");
        nodes.push(node(
            &path,
            NodeKind::Actor,
            states[index % 4],
            Some(last.clone()),
        ));
        events.push(RestartEvent {
            seq: index as u64 + 1,
            id: uuid::Uuid::nil(),
            at_ms: NOW_MS - 200_000 + index as u64 * 10_000,
            path: path.as_str().into(),
            fall: last,
            count: 1_204,
            backoff_ms: (index != 5).then_some(40),
        });
    }
    Sight {
        status: Status {
            node: "127.0.0.1:8080".to_owned(),
            at_ms: NOW_MS,
            uptime_ms: 93_600_000,
            up: 3,
            actors: 7,
            database: true,
            kv: false,
        },
        tree: TreeSnapshot {
            at_ms: NOW_MS,
            uptime_ms: 93_600_000,
            nodes,
        },
        events,
    }
}

fn preferences(language: Language) -> Preferences {
    Preferences {
        language,
        theme: Some(Theme::Dark),
    }
}

#[test]
fn every_state_and_fall_has_words_in_both_languages() {
    for language in Language::ALL {
        let page = document(preferences(language), &troubled(), "").into_string();
        assert!(!page.contains('⟦'), "a message is missing in {language:?}");
        assert!(!page.contains("{$"), "a part of a message is missing");
        for asset in ["tokens.", "components.", "supervision.", "troupe."] {
            assert!(page.contains(asset), "{asset}");
        }
        for shown in [
            "1,234,567",
            "actors/credentials/pool.rs:88:13",
            "provider-3",
            "1,204",
        ] {
            assert!(page.contains(shown), "{shown}");
        }
        assert!(
            !page.contains("<script>alert"),
            "messages are text, not markup"
        );
        assert!(
            !page.contains("style=") && !page.contains("onclick"),
            "nothing inline"
        );
    }
}

#[test]
fn a_search_shows_whole_paths_or_says_what_to_do() {
    let found = document(preferences(Language::English), &troubled(), "WRITER").into_string();
    assert!(found.contains(">storage/writer<"));
    assert!(!found.contains("data-key=\"credentials"));
    let nothing = document(preferences(Language::English), &troubled(), "\"><b>").into_string();
    assert!(nothing.contains("Clear the search") && !nothing.contains("\"><b>"));
}

async fn database(tree: &Tree, folder: &Path) -> Database {
    let config = StorageConfig {
        database_url: format!("sqlite://{}/t.db", folder.display()),
        ..StorageConfig::default()
    };
    let storage = config.clone();
    let spec = ChildSpec::new("storage/database", "storage", move || {
        Ok(Storage::new(storage.clone()))
    });
    Database::new(tree.start(spec).await.unwrap(), &config)
}

async fn kv(tree: &Tree) -> KvStore {
    let wait = Duration::from_secs(1);
    let spec = ChildSpec::new("storage/kv", "kv", move || {
        Kv::open(&KvUrl::parse("memory://").unwrap(), wait, Clock::system())
    });
    KvStore::new(tree.start(spec).await.unwrap(), wait)
}

#[actix_web::test]
async fn the_page_and_its_live_part_come_from_the_running_tree() {
    let tree = Tree::plant(
        SupervisionConfig::default(),
        Clock::system(),
        RestartMetrics::default(),
        || (),
    );
    let folder = tempfile::tempdir().unwrap();
    let pulse = Pulse {
        database: database(&tree, folder.path()).await,
        kv: kv(&tree).await,
        tree,
        node: "127.0.0.1:8080".to_owned(),
    };
    let app = App::new()
        .app_data(web::Data::new(pulse))
        .configure(crate::pages::assets)
        .configure(crate::pages::admin);
    let app = client::init_service(app).await;
    let get = |path: &str| {
        client::TestRequest::get()
            .uri(path)
            .insert_header((header::ACCEPT_LANGUAGE, "zh"))
            .to_request()
    };

    let page = client::call_service(&app, get("/admin/supervision")).await;
    assert_eq!(page.status(), 200);
    let policy = page.headers().get(header::CONTENT_SECURITY_POLICY).unwrap();
    assert!(!policy.to_str().unwrap().contains("unsafe"));
    let body = client::read_body(page).await;
    let body = std::str::from_utf8(&body).unwrap();
    assert!(body.starts_with("<!DOCTYPE html>") && body.contains("监督树"));
    for address in body
        .split(['"'])
        .filter(|part| part.starts_with("/static/"))
    {
        let asset = client::call_service(&app, get(address)).await;
        assert_eq!(asset.status(), 200, "{address}");
    }

    let part = client::call_and_read_body(&app, get("/admin/supervision/tree?q=x")).await;
    assert!(part.starts_with(b"<div class=\"live\""));
    let line = std::str::from_utf8(&part)
        .unwrap()
        .split("<footer")
        .nth(1)
        .unwrap();
    assert_eq!(
        line.matches("正常").count(),
        2,
        "both stores answer: {line}"
    );

    let choice = client::call_service(&app, get("/admin/supervision?q=x&lang=en")).await;
    assert_eq!(choice.status(), 303);
    let back = choice.headers().get(header::LOCATION).unwrap();
    assert_eq!(back, "/admin/supervision?q=x");
}
