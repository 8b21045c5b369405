//! The Visual service, seen by a client over real sockets.

use chrono::Utc;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::signature::{hex, secret_of, signature};
use crate::{
    Behaviour,
    trial::{Heard, Trial},
};

/// A call of an action, signed with that secret.
async fn call_with(trial: &Trial, key: &str, secret: &str, action: &str, body: &Value) -> Heard {
    let path = "/volcengine/";
    let query = format!("Action={action}&Version=2022-08-31");
    let date = Utc::now().format("%Y%m%dT%H%M%SZ").to_string();
    let scope = format!("{}/cn-north-1/cv/request", &date[..8]);
    let hash = hex(&Sha256::digest(body.to_string()));
    let host = trial.sim.address();
    let names = "host;x-content-sha256;x-date";
    let canonical = format!(
        "POST\n{path}\n{query}\nhost:{host}\nx-content-sha256:{hash}\nx-date:{date}\n\n{names}\n{hash}"
    );
    let signature = signature(secret, &date, &scope, &canonical);
    let shown = format!(
        "HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
    );
    let headers = [
        ("authorization", shown),
        ("x-content-sha256", hash),
        ("x-date", date),
    ];
    trial
        .post_with(&format!("{path}?{query}"), body, &headers)
        .await
}

async fn call(trial: &Trial, action: &str, body: &Value) -> Heard {
    call_with(trial, "AK", &secret_of("AK"), action, body).await
}

#[actix_web::test]
async fn signatures_are_checked() {
    let trial = Trial::new(&[]);
    let order = json!({"req_key": "high_aes_general_v21_L", "prompt": "a cat"});
    let wrong = call_with(&trial, "AK", "other", "CVProcess", &order).await;
    let error = &wrong.json()["ResponseMetadata"]["Error"];
    assert_eq!((wrong.status, &error["CodeN"]), (401, &json!(100_010)));
    let none = trial
        .post("/volcengine/?Action=CVProcess&Version=2022-08-31", &order)
        .await;
    assert_eq!(
        none.json()["ResponseMetadata"]["Error"]["Code"],
        "MissingAuthenticationToken"
    );
    let unknown = call(&trial, "CVNothing", &order).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(call(&trial, "CVProcess", &order).await.status, 200);
}

#[actix_web::test]
async fn pictures_at_once() {
    let trial = Trial::new(&[]);
    let mut order = json!({
        "req_key": "high_aes_general_v21_L", "prompt": "a cat", "width": 512, "height": 256,
        "use_sr": true, "return_url": true,
    });
    let heard = call(&trial, "CVProcess", &order).await.json();
    assert_eq!(heard["code"], 10000);
    let link = trial.sim.at("/files/1024x512-0.png");
    assert_eq!(heard["data"]["image_urls"], json!([link]));
    order["return_url"] = false.into();
    let heard = call(&trial, "CVProcess", &order).await.json();
    let base64 = heard["data"]["binary_data_base64"][0].as_str().unwrap();
    assert!(base64.starts_with("iVBORw0KGgo"));
    order["width"] = 1024.into();
    assert_eq!(call(&trial, "CVProcess", &order).await.status, 400);
}

#[actix_web::test]
async fn tasks_step_by_step_one_at_a_time() {
    let trial = Trial::new(&[]);
    for (key, prompt, field, file) in [
        (
            "jimeng_t2i_v40",
            "a cat",
            "/data/image_urls/0",
            "64x64-0.png",
        ),
        ("jimeng_t2v_v30", "a cat", "/data/video_url", "film.mp4"),
        ("jimeng_t2i_v40", "a doomed cat", "", ""),
    ] {
        let order = json!({"req_key": key, "prompt": prompt});
        let begun = call(&trial, "CVSync2AsyncSubmitTask", &order).await.json();
        let question = json!({
            "req_key": key, "task_id": begun["data"]["task_id"], "req_json": "{\"return_url\":true}",
        });
        let ask = || call(&trial, "CVSync2AsyncGetResult", &question);
        assert_eq!(ask().await.json()["data"]["status"], "in_queue");
        let second = call(&trial, "CVSync2AsyncSubmitTask", &order).await;
        assert_eq!(
            (second.status, &second.json()["code"]),
            (429, &json!(50430))
        );
        assert_eq!(ask().await.json()["data"]["status"], "generating");
        let end = ask().await;
        if field.is_empty() {
            assert_eq!((end.status, &end.json()["code"]), (400, &json!(50511)));
        } else {
            assert_eq!(end.json()["data"]["status"], "done");
            let link = trial.sim.at(&format!("/files/{file}"));
            assert_eq!(end.json().pointer(field), Some(&json!(link)));
        }
    }
}

#[actix_web::test]
async fn tasks_are_found_by_their_key_and_cancelled() {
    let trial = Trial::new(&[]);
    let order = json!({"req_key": "jimeng_t2i_v40", "prompt": "endless"});
    let begun = call(&trial, "CVSubmitTask", &order).await.json();
    let id = &begun["data"]["task_id"];
    let other = json!({"req_key": "jimeng_t2i_v31", "task_id": id});
    let heard = call(&trial, "CVGetResult", &other).await.json();
    assert_eq!(heard["data"]["status"], "not_found");
    let own = json!({"req_key": "jimeng_t2i_v40", "task_id": id});
    assert_eq!(
        call(&trial, "CVCancelTask", &own).await.json()["code"],
        10000
    );
    let heard = call(&trial, "CVGetResult", &own).await.json();
    assert_eq!(heard["data"]["status"], "not_found");
}

#[actix_web::test]
async fn refusals_in_its_own_words() {
    let trial = Trial::new(&[]);
    let order = json!({"req_key": "jimeng_t2i_v40", "prompt": "a cat"});
    for (behaviour, status, code) in [
        (Behaviour::insufficient_quota(), 401, 50400),
        (Behaviour::rate_limited("1"), 429, 50429),
        (Behaviour::content_policy(), 400, 50412),
        (Behaviour::status(500), 500, 50500),
    ] {
        trial.sim.script().token("AK").answers([behaviour]);
        let heard = call(&trial, "CVProcess", &order).await;
        assert_eq!(
            (heard.status, &heard.json()["code"]),
            (status, &json!(code))
        );
    }
    assert_eq!(trial.sim.script().stats().token("AK"), 4);
}
