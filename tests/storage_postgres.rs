//! The same gateway on PostgreSQL.

use troupe_simulator::Simulator;

use crate::support::{App, PostgresServer, Provider, chat};

#[actix_rt::test]
async fn records_and_keys_are_kept_in_postgres() {
    let sim = Simulator::start();
    let url = PostgresServer::shared().create_database();
    let mut app = App::builder()
        .set("storage.database_url", &format!("{url:?}"))
        .provider(Provider::of(&sim))
        .start()
        .await;
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
    let app = App::builder()
        .set(
            "storage.database_url",
            &format!("{:?}", postgres.create_database()),
        )
        .provider(Provider::of(&sim))
        .start()
        .await;
    app.chat(&chat::plain("acme/gpt-4o")).await.bytes().await;
    app.calls_once(1).await;
    postgres.server().stop();
    for _ in 0..20 {
        app.chat(&chat::plain("acme/gpt-4o")).await.ok().await;
    }
    postgres.server().restart();
    assert_eq!(app.calls_once(21).await.len(), 21);
}
