//! Ark, seen by a client over real sockets.

use serde_json::json;

use crate::{Behaviour, trial::Trial};

const KEY: (&str, &str) = ("authorization", "Bearer ark-a");
const DRAW: &str = "/ark/api/v3/images/generations";
const FILM: &str = "/ark/api/v3/contents/generations/tasks";

#[actix_web::test]
async fn one_picture_and_a_sequence() {
    let trial = Trial::new(&[KEY]);
    let order = json!({"model": "m", "prompt": "a cat", "size": "96x64"});
    let heard = trial.post(DRAW, &order).await.json();
    let link = trial.sim.at("/files/96x64-0.png");
    assert_eq!(heard["data"], json!([{"url": link, "size": "96x64"}]));
    let sequence = json!({
        "model": "m", "prompt": "a doomed cat", "size": "2K", "stream": true,
        "sequential_image_generation": "auto",
        "sequential_image_generation_options": {"max_images": 3},
    });
    let events = trial.post(DRAW, &sequence).await.events();
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "partial_succeeded",
            "partial_failed",
            "partial_succeeded",
            "completed"
        ]
        .map(|kind| format!("image_generation.{kind}"))
    );
    assert_eq!(
        events[1]["error"]["code"],
        "OutputImageSensitiveContentDetected"
    );
    assert_eq!(events[3]["usage"]["generated_images"], 2);
    let alone = json!({"model": "m", "prompt": "a doomed cat"});
    let heard = trial.post(DRAW, &alone).await.json();
    assert!(heard["data"][0]["error"].is_object());
    assert_eq!(trial.post(DRAW, &json!({"model": "m"})).await.status, 400);
}

#[actix_web::test]
async fn films_step_by_step() {
    let trial = Trial::new(&[KEY]);
    for (prompt, end) in [("a cat", "succeeded"), ("a doomed cat", "failed")] {
        let order = json!({"model": "m", "content": [{"type": "text", "text": prompt}]});
        let begun = trial.post(FILM, &order).await.json();
        let task = format!("{FILM}/{}", begun["id"].as_str().unwrap());
        for status in ["queued", "running", end] {
            assert_eq!(trial.get(&task).await.json()["status"], status);
        }
        let link = trial.sim.at("/files/film.mp4");
        let heard = trial.get(&task).await.json();
        assert_eq!(heard["content"]["video_url"] == link, end == "succeeded");
    }
    assert_eq!(trial.get(&format!("{FILM}/none")).await.status, 404);
}

#[actix_web::test]
async fn haste_and_an_empty_quota_have_one_status() {
    let trial = Trial::new(&[KEY]);
    let order = json!({"model": "m", "prompt": "a cat"});
    for (behaviour, status, code) in [
        (Behaviour::insufficient_quota(), 429, "SetLimitExceeded"),
        (
            Behaviour::rate_limited("1"),
            429,
            "ModelAccountIpmRateLimitExceeded",
        ),
        (Behaviour::status(503), 429, "ServerOverloaded"),
        (Behaviour::status(402), 403, "AccountOverdueError"),
        (
            Behaviour::content_policy(),
            400,
            "InputTextSensitiveContentDetected",
        ),
        (Behaviour::invalid_key(), 401, "AuthenticationError"),
    ] {
        trial.sim.script().token("ark-a").answers([behaviour]);
        let heard = trial.post(DRAW, &order).await;
        assert_eq!(
            (heard.status, &heard.json()["error"]["code"]),
            (status, &json!(code))
        );
    }
}
