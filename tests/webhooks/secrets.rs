//! Secrets are shown once, sign on for a while after they were replaced, and are their app's alone.

use std::fs;

use serde_json::json;
use troupe_actors::secrets::Secret;

use super::{endpoint, is_signed_by, receiver::Receiver, sent, submitted, telling};
use crate::{repeats::key, support::App};

#[actix_rt::test]
async fn after_a_rotation_both_secrets_sign() {
    let (app, receiver) = (telling().start().await, Receiver::start());
    let (id, first) = endpoint(&app, &receiver.url("/")).await;
    let rotated = app
        .post(&format!("/v1/webhooks/{id}/rotate"), &json!({}))
        .await;
    let rotated = rotated.json().await;
    assert!(rotated["previous_secret_until"].is_u64(), "{rotated}");
    let second = Secret::from(rotated["secret"].as_str().unwrap().to_owned());
    submitted(&app, &json!({})).await;
    let message = receiver.once(1).await.remove(0);
    assert!(is_signed_by(&message, &first) && is_signed_by(&message, &second));
    assert_eq!(message.header("webhook-signature").split(' ').count(), 2);
}

#[actix_rt::test]
async fn without_a_grace_the_replaced_secret_signs_no_more() {
    let builder = telling().set("webhooks.secret_grace_hours", "0");
    let (app, receiver) = (builder.start().await, Receiver::start());
    let (id, first) = endpoint(&app, &receiver.url("/")).await;
    app.post(&format!("/v1/webhooks/{id}/rotate"), &json!({}))
        .await
        .ok()
        .await;
    submitted(&app, &json!({})).await;
    let message = receiver.once(1).await.remove(0);
    assert!(!is_signed_by(&message, &first));
}

#[actix_rt::test]
async fn a_secret_is_shown_once_and_kept_sealed() {
    let (app, receiver) = (telling().start().await, Receiver::start());
    let (id, secret) = endpoint(&app, &receiver.url("/")).await;
    let nothing = app.get("/v1/webhooks/secret").await.json().await;
    assert_eq!(
        (&nothing["exists"], &nothing["secret_id"]),
        (&json!(false), &json!(null))
    );
    // a repeated order is carried out again: what shows a secret is not kept
    let rotate = || {
        let request = app.client().post(app.url("/v1/webhooks/secret/rotate"));
        request
            .bearer_auth(App::API_KEY)
            .insert_header(("idempotency-key", "again"))
            .send()
    };
    let mut secrets = vec![secret.expose().to_owned()];
    for _ in 0..2 {
        let made: serde_json::Value = rotate().await.unwrap().json().await.unwrap();
        secrets.push(made["secret"].as_str().unwrap().to_owned());
    }
    assert_ne!(secrets[1], secrets[2]);
    submitted(&app, &json!({"webhook_url": receiver.url("/job")})).await;
    receiver.once(2).await;
    let shown = [
        app.get(&format!("/v1/webhooks/{id}")).await.text().await,
        app.get("/v1/webhooks").await.text().await,
        app.get("/v1/webhooks/secret").await.text().await,
        app.get("/v1/webhooks/deliveries").await.text().await,
        app.logs(),
    ];
    let files = fs::read_dir(app.path("data")).unwrap();
    let files = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.is_file());
    let files: Vec<_> = files.map(|path| fs::read(path).unwrap()).collect();
    for secret in &secrets {
        let bare = secret.strip_prefix("whsec_").unwrap();
        assert!(!shown.iter().any(|text| text.contains(bare)));
        let held = |file: &Vec<u8>| file.windows(bare.len()).any(|part| part == bare.as_bytes());
        assert!(!files.iter().any(held));
    }
}

#[actix_rt::test]
async fn an_endpoint_is_not_there_for_other_apps() {
    let (app, receiver) = (telling().start().await, Receiver::start());
    let (id, _) = endpoint(&app, &receiver.url("/")).await;
    let path = format!("/v1/webhooks/{id}");
    let other = key(&app, &["--app", "other"]).await;
    for (method, path) in [
        ("GET", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/rotate")),
        ("POST", format!("{path}/enable")),
    ] {
        let refused = sent(&app, &other, method, &path).await;
        refused.error(404, "not_found").await;
    }
    let list = sent(&app, &other, "GET", "/v1/webhooks").await.json().await;
    assert_eq!(list["data"], json!([]));
    app.delete(&path).await.ok().await;
    app.get(&path).await.error(404, "not_found").await;
    submitted(&app, &json!({})).await;
    let deliveries = app.get("/v1/webhooks/deliveries").await.json().await;
    assert_eq!(deliveries["data"], json!([]));
}
