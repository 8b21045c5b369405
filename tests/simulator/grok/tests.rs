//! xAI, seen by a client over real sockets.

use serde_json::{Value, json};

use crate::{
    Behaviour,
    trial::{Trial, with},
};

fn trial() -> Trial {
    Trial::new(&[("authorization", "Bearer xai-a")])
}

fn order() -> Value {
    json!({"model": "grok-imagine-image", "prompt": "a cat"})
}

#[actix_web::test]
async fn pictures_and_edits() {
    let trial = trial();
    let (draw, edit) = ("/grok/v1/images/generations", "/grok/v1/images/edits");
    let asked = with(order(), &json!({"aspect_ratio": "16:9", "n": 2}));
    let data = trial.post(draw, &asked).await.json()["data"].clone();
    assert_eq!(data[1]["url"], trial.sim.at("/files/512x288-0.png"));
    let kept = json!({"prompt": "an unsafe cat", "response_format": "b64_json", "n": 2});
    let data = trial.post(draw, &with(order(), &kept)).await.json()["data"].clone();
    assert!(data[0]["b64_json"].is_string());
    assert_eq!(data[1], json!({"url": "", "respect_moderation": false}));
    let image = json!({"url": "data:image/png;base64,AAAA", "type": "image_url"});
    for (images, status) in [
        (json!({"image": image}), 200),
        (json!({"images": [image, image, image]}), 200),
        (json!({"images": [image, image, image, image]}), 400),
        (json!({"image": {"url": "AAAA"}}), 400),
        (json!({}), 400),
        (json!({"image": image, "mask": image}), 400),
    ] {
        let heard = trial.post(edit, &with(order(), &images)).await;
        assert_eq!(heard.status, status, "{}", heard.text);
    }
    let sized = trial
        .post(draw, &with(order(), &json!({"size": "64x64"})))
        .await;
    assert_eq!(sized.json()["error"], "Argument not supported: size");
}

#[actix_web::test]
async fn videos_step_by_step() {
    let trial = trial();
    let end = async |prompt: &str| {
        let asked = json!({"model": "grok-imagine-video", "prompt": prompt, "duration": 5});
        let begun = trial
            .post("/grok/v1/videos/generations", &asked)
            .await
            .json();
        let path = format!("/grok/v1/videos/{}", begun["request_id"].as_str().unwrap());
        for _ in 0..2 {
            assert_eq!(trial.get(&path).await.json()["status"], "pending");
        }
        trial.get(&path).await.json()
    };
    let done = end("a cat").await;
    assert_eq!(done["video"]["url"], trial.sim.at("/files/film.mp4"));
    assert!(done.get("status").is_none());
    assert_eq!(end("unsafe").await["video"]["respect_moderation"], false);
    assert_eq!(end("doomed").await["status"], "failed");
    assert_eq!(trial.get("/grok/v1/videos/none").await.status, 404);
}

#[actix_web::test]
async fn refusals_have_its_words() {
    let trial = trial();
    for (behaviour, status, words) in [
        (
            Behaviour::insufficient_quota(),
            429,
            "used all available credits",
        ),
        (Behaviour::rate_limited("3"), 429, "rate limit is"),
        (
            Behaviour::invalid_key(),
            400,
            "Incorrect API key provided: xa***ey",
        ),
        (
            Behaviour::content_policy(),
            400,
            "rejected by content moderation",
        ),
        (Behaviour::status(403), 403, "doesn't have any credits yet"),
        (Behaviour::status(404), 404, "does not have access to it"),
    ] {
        trial.sim.script().token("xai-a").answers([behaviour]);
        let heard = trial.post("/grok/v1/images/generations", &order()).await;
        let text = heard.json()["error"].as_str().unwrap().to_owned();
        assert!(
            heard.status == status && text.contains(words),
            "{status}: {text}"
        );
    }
}
