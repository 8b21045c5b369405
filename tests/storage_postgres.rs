//! The same gateway on PostgreSQL.

use troupe_simulator::Simulator;

use crate::support::{Answer, App, Builder, PostgresServer, Provider, chat};

/// A gateway with a new database on that server.
fn gateway(postgres: &PostgresServer, sim: &Simulator) -> Builder {
    let url = postgres.create_database();
    App::builder()
        .set("storage.database_url", &format!("{url:?}"))
        .provider(Provider::of(sim))
}

#[actix_rt::test]
async fn records_and_keys_are_kept_in_postgres() {
    let sim = Simulator::start();
    let mut app = gateway(PostgresServer::shared(), &sim).start().await;
    for _ in 0..3 {
        app.chat(&chat::plain("acme/gpt-4o")).await.bytes().await;
    }
    let before = app.calls_once(3).await;
    app.kill9();
    app.restart().await;
    assert_eq!(app.calls().await.as_ref(), Some(&before));
    assert_eq!(app.chat(&chat::plain("acme/gpt-4o")).await.status, 200);
    assert!(!app.path("data/troupe.db").exists());
}

#[actix_rt::test]
async fn requests_go_on_while_postgres_is_down() {
    let (sim, postgres) = (Simulator::start(), PostgresServer::start());
    let app = gateway(&postgres, &sim).start().await;
    app.chat(&chat::plain("acme/gpt-4o")).await.bytes().await;
    app.calls_once(1).await;
    postgres.server().stop();
    for _ in 0..20 {
        app.chat(&chat::plain("acme/gpt-4o")).await.ok().await;
    }
    postgres.server().restart();
    assert_eq!(app.calls_once(21).await.len(), 21);
}

#[actix_rt::test]
async fn an_admin_is_let_in_while_postgres_hangs() {
    let (sim, postgres) = (Simulator::start(), PostgresServer::start());
    let app = gateway(&postgres, &sim)
        // whoever waits for that waits longer than this test's client does
        .set("storage.query_timeout_ms", "300000")
        .start()
        .await;
    let (tree, page) = ("/api/admin/supervision", "/admin/supervision");
    app.admin_get(tree).await.ok().await;
    assert!(!app.admin_get(page).await.text().await.contains("away"));
    postgres.server().pause();
    app.admin_get(tree).await.ok().await;
    assert!(app.admin_get(page).await.text().await.contains("away"));
    let guess = app.client().get(app.url(tree));
    let guess = guess.insert_header(("x-admin-token", "a guess"));
    let refused = Answer::of(guess, None).await.unwrap();
    refused.error(401, "invalid_api_key").await;
    app.chat(&chat::plain("acme/gpt-4o")).await.ok().await;
    postgres.server().resume();
    assert_eq!(app.calls_once(1).await.len(), 1);
}
