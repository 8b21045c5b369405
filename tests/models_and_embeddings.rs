//! `GET /v1/models[/{id}]` and `POST /v1/embeddings`.

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use crate::support::{App, Provider, eventually};

fn ids(list: &Value) -> Vec<&str> {
    let data = list["data"].as_array().unwrap();
    data.iter()
        .filter_map(|model| model["id"].as_str())
        .collect()
}

#[actix_rt::test]
async fn lists_what_is_configured() {
    let sim = Simulator::start();
    let app = App::builder().provider(Provider::of(&sim)).start().await;
    let list = app.get("/v1/models").await.json().await;
    assert_eq!(list["object"], "list");
    assert!(ids(&list).contains(&"acme/gpt-4o"), "{list}");
    let one = app.get("/v1/models/acme/gpt-4o").await.json().await;
    assert_eq!(
        (&one["id"], &one["object"]),
        (&json!("acme/gpt-4o"), &json!("model"))
    );
    let unknown = app.get("/v1/models/acme/nothing").await;
    unknown.error(404, "model_not_found").await;
}

#[actix_rt::test]
async fn lists_what_the_upstream_has() {
    let sim = Simulator::start();
    sim.script().models(["first", "vendor/second"]);
    let provider = Provider::of(&sim).models_of_upstream();
    let app = App::builder().provider(provider).start().await;
    eventually("the upstream's models", async || {
        let list = app.get("/v1/models").await.json().await;
        ids(&list).contains(&"acme/vendor/second").then_some(())
    })
    .await;
    let one = app.get("/v1/models/acme/vendor/second").await;
    assert_eq!(one.status, 200);
}

#[actix_rt::test]
async fn embeds() {
    let sim = Simulator::start();
    let app = App::builder().provider(Provider::of(&sim)).start().await;
    let mut body =
        json!({"model": "acme/text-embedding-3-small", "input": ["one", "two"], "dimensions": 8});
    let floats = app.post("/v1/embeddings", &body).await.json().await;
    assert_eq!(floats["data"][1]["embedding"].as_array().unwrap().len(), 8);
    assert_eq!(floats["data"][1]["index"], 1);
    body["encoding_format"] = "base64".into();
    let packed = app.post("/v1/embeddings", &body).await.json().await;
    assert_eq!(packed["data"][0]["embedding"].as_str().unwrap().len(), 44);
    let calls = app.calls_once(2).await;
    assert!(
        calls.iter().all(|call| call["prompt_tokens"] == 2),
        "{calls:?}"
    );
}
