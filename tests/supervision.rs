//! Actors that fall and come back while the gateway serves.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use troupe_simulator::Simulator;

use crate::support::{App, Provider, chat, eventually};

const TREE: &str = "/api/admin/supervision";

async fn app(sim: &Simulator) -> App {
    App::builder()
        .set("supervision.fault_injection", "true")
        .provider(Provider::of(sim))
        .start()
        .await
}

/// The actors of the tree by path.
async fn actors(app: &App) -> BTreeMap<String, Value> {
    let tree = app.admin_get(TREE).await.json().await;
    listed(&tree).unwrap_or_else(|| panic!("{tree}"))
}

fn listed(tree: &Value) -> Option<BTreeMap<String, Value>> {
    let list = tree["list"].as_array()?;
    let actors = list.iter().filter(|node| node["kind"] == "actor");
    actors
        .map(|node| Some((node["path"].as_str()?.to_owned(), node.clone())))
        .collect()
}

/// Whether an actor is back. The answer may fail with it, where it is one that admin routes need.
async fn is_running_after(app: &App, path: &str, restarts: u64) -> Option<()> {
    let tree = app.admin_get(TREE).await.json().await;
    let actors = listed(&tree)?;
    let node = actors.get(path)?;
    let back = node["state"] == "up" && node["restarts"].as_u64()? > restarts;
    back.then_some(())
}

#[actix_rt::test]
async fn the_tree_tells_how_each_actor_is() {
    let sim = Simulator::start();
    let app = app(&sim).await;
    app.chat(&chat::plain("acme/gpt-4o")).await.bytes().await;
    let actors = actors(&app).await;
    assert!(actors.len() >= 4, "{actors:?}");
    for (path, node) in &actors {
        assert_eq!(node["state"], "up", "{path}");
        for number in ["restarts", "mailbox", "handled"] {
            assert!(node[number].is_u64(), "{number} of {path}");
        }
    }
    assert!(
        actors.keys().any(|path| path.starts_with("providers/acme")),
        "{actors:?}"
    );
    let page = app.admin_get("/admin/supervision").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert_eq!(app.get(TREE).await.status, 401);
}

#[actix_rt::test]
async fn a_panic_in_any_actor_fails_only_what_is_inside() {
    let sim = Simulator::start();
    let app = App::builder()
        .set("supervision.fault_injection", "true")
        .provider(Provider::of(&sim))
        .provider(Provider::of(&sim).name("other"))
        .start()
        .await;
    let clients = ["acme", "other"].repeat(4);
    for (path, before) in actors(&app).await {
        let (done, failed) = (Cell::new(false), RefCell::new(Vec::new()));
        let served = Cell::new(0);
        let load = join_all(clients.iter().map(async |provider| {
            let body = chat::plain(&format!("{provider}/gpt-4o"));
            while !done.get() {
                let answer = app.chat(&body).await;
                match answer.status {
                    200 => served.set(served.get() + 1),
                    status => {
                        let body = answer.json().await;
                        failed.borrow_mut().push((provider, status, body));
                    }
                }
            }
        }));
        let fault = async {
            let began = Instant::now();
            let body = json!({"kind": "panic"});
            let told = app.admin_post(&format!("{TREE}/{path}/fault"), &body).await;
            assert!(told.status < 300, "{path}: {}", told.text().await);
            let restarts = before["restarts"].as_u64().unwrap();
            eventually(&format!("the return of {path}"), async || {
                is_running_after(&app, &path, restarts).await
            })
            .await;
            assert!(
                began.elapsed() < Duration::from_secs(1),
                "{path}: {:?}",
                began.elapsed()
            );
            let again = served.get() + 20;
            eventually(&format!("service after {path}"), async || {
                (served.get() >= again).then_some(())
            })
            .await;
            done.set(true);
        };
        join(load, fault).await;
        let failed = failed.into_inner();
        // each client had one under way, and those that come later wait for the actor
        assert!(failed.len() <= clients.len(), "{path}: {failed:?}");
        for (provider, status, body) in failed {
            let inside = path.starts_with(&format!("providers/{provider}/"));
            assert!(inside, "{path} is not on the way to {provider}: {body}");
            assert!((500..600).contains(&status), "{path}: {status} {body}");
            assert!(body["error"]["code"].is_string(), "{path}: {body}");
        }
        let node = actors(&app).await[&path].clone();
        assert_eq!(node["last_fall"]["kind"], "panic", "{node}");
        assert!(
            node["last_fall"]["place"]
                .as_str()
                .unwrap()
                .contains(".rs:"),
            "{node}"
        );
    }
}

#[actix_rt::test]
async fn other_falls_heal_too() {
    let sim = Simulator::start();
    let app = App::builder()
        .set("supervision.fault_injection", "true")
        .set("supervision.freeze_seconds", "1")
        .provider(Provider::of(&sim))
        .start()
        .await;
    let of_provider = |path: &String| path.starts_with("providers/acme");
    let path = actors(&app).await.into_keys().find(of_provider).unwrap();
    for (fault, kind) in [
        (json!({"kind": "panic_in_future"}), "panic"),
        (json!({"kind": "stop"}), "stop"),
        (json!({"kind": "freeze", "ms": 60_000}), "frozen"),
        (json!({"kind": "kill_arbiter"}), "arbiter_died"),
    ] {
        let restarts = actors(&app).await[&path]["restarts"].as_u64().unwrap();
        let told = app
            .admin_post(&format!("{TREE}/{path}/fault"), &fault)
            .await;
        assert!(told.status < 300, "{fault}: {}", told.text().await);
        eventually(&format!("the return after {fault}"), async || {
            is_running_after(&app, &path, restarts).await
        })
        .await;
        assert_eq!(actors(&app).await[&path]["last_fall"]["kind"], kind);
        app.chat(&chat::plain("acme/gpt-4o")).await.ok().await;
    }
}

/// The newest fall of an actor in the restart log.
async fn kept(app: &App, path: &str) -> Option<Value> {
    let list = app.admin_get("/api/admin/restarts").await.json().await;
    let mut rows = list["list"].as_array()?.iter();
    rows.find(|row| row["path"] == path).cloned()
}

/// Whether this is a line of the metrics.
async fn measured(app: &App, line: &str) -> Option<()> {
    let metrics = app.get("/metrics").await.text().await;
    metrics.lines().any(|found| found == line).then_some(())
}

#[actix_rt::test]
async fn a_frozen_actor_is_told_of_everywhere_until_its_thread_ends() {
    let sim = Simulator::start();
    let app = App::builder()
        .set("supervision.fault_injection", "true")
        .set("supervision.freeze_seconds", "2")
        .provider(Provider::of(&sim))
        .start()
        .await;
    let path = "providers/acme/actor";
    // long enough to be seen and waited out on a busy machine
    let fault = json!({"kind": "freeze", "ms": 10_000});
    let told = app
        .admin_post(&format!("{TREE}/{path}/fault"), &fault)
        .await;
    assert!(told.status < 300, "{}", told.text().await);
    let hangs = async || measured(&app, "troupe_frozen_threads 1").await;
    eventually("a thread that hangs", hangs).await;
    eventually("another actor in its place", async || {
        is_running_after(&app, path, 0).await
    })
    .await;
    app.chat(&chat::plain("acme/gpt-4o")).await.ok().await;

    let fall = actors(&app).await[path]["last_fall"].clone();
    assert_eq!(fall["kind"], "frozen", "{fall}");
    let message = format!("{path} did not answer the watchdog");
    assert_eq!(fall["message"], message);
    let counted = format!("troupe_actor_restarts_total{{actor=\"{path}\"}} 1");
    assert!(measured(&app, &counted).await.is_some());
    let line = format!("{path} fell (frozen, 1 so far): {message}; restarts in ");
    assert!(app.logs().contains(&line));
    let row = eventually("a row in the restart log", async || kept(&app, path).await).await;
    assert_eq!(row["reason"], "frozen", "{row}");
    let ended = async || measured(&app, "troupe_frozen_threads 0").await;
    eventually("the end of the thread", ended).await;
}

#[actix_rt::test]
async fn restarts_by_hand_are_counted_and_kept() {
    let sim = Simulator::start();
    let mut app = app(&sim).await;
    let path = actors(&app).await.into_keys().next().unwrap();
    let told = app
        .admin_post(&format!("{TREE}/{path}/restart"), &json!({}))
        .await;
    assert!(told.status < 300, "{}", told.text().await);
    eventually("a restart", async || is_running_after(&app, &path, 0).await).await;
    let metrics = app.get("/metrics").await.text().await;
    let line = format!("troupe_actor_restarts_total{{actor=\"{path}\"");
    assert!(
        metrics.lines().any(|found| found.starts_with(&line)),
        "{metrics}"
    );
    eventually("a row in the restart log", async || kept(&app, &path).await).await;
    app.kill9();
    app.restart().await;
    assert!(
        kept(&app, &path).await.is_some(),
        "the restart log outlives the process"
    );
}

#[actix_rt::test]
async fn faults_are_injected_only_where_that_is_switched_on() {
    let sim = Simulator::start();
    let app = App::builder().provider(Provider::of(&sim)).start().await;
    let path = actors(&app).await.into_keys().next().unwrap();
    let told = app
        .admin_post(&format!("{TREE}/{path}/fault"), &json!({"kind": "panic"}))
        .await;
    assert!((400..500).contains(&told.status), "{}", told.status);
    let unknown = app
        .admin_post(&format!("{TREE}/no/such/restart"), &json!({}))
        .await;
    assert_eq!(unknown.status, 404);
}
