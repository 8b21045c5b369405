//! OpenAI's edits and videos, seen by a client over real sockets.

use serde_json::json;

use crate::{Behaviour, trial::Trial};

fn trial() -> Trial {
    Trial::new(&[("authorization", "Bearer sk-a")])
}

#[actix_web::test]
async fn edits_are_forms() {
    let trial = trial();
    let path = "/v1/images/edits";
    let texts = [
        ("model", "gpt-image-1"),
        ("prompt", "bluer"),
        ("size", "96x64"),
        ("n", "2"),
    ];
    let heard = trial.post_form(path, &texts, &["image[]", "image[]"]).await;
    assert_eq!(heard.status, 200, "{}", heard.text);
    let data = heard.json()["data"].as_array().unwrap().clone();
    assert!(data.len() == 2 && data.iter().all(|one| one["b64_json"].is_string()));
    let old = [("model", "dall-e-2"), ("prompt", "bluer")];
    let link = trial.post_form(path, &old, &["image"]).await.json()["data"][0]["url"].clone();
    assert_eq!(link, trial.sim.at("/files/64x64-0.png"));
    let foreign = [texts[0], texts[1], ("response_format", "b64_json")];
    for (texts, files, words) in [
        (&texts[..], &[][..], "Missing required parameter: 'image'."),
        (
            &texts[..1],
            &["image"],
            "Missing required parameter: 'prompt'.",
        ),
        (
            &foreign[..],
            &["image"],
            "Unknown parameter: 'response_format'.",
        ),
    ] {
        let heard = trial.post_form(path, texts, files).await;
        assert_eq!((heard.status, &*heard.complaint()), (400, words));
    }
    let heard = trial
        .post(path, &json!({"model": "gpt-image-1", "prompt": "x"}))
        .await;
    assert!(heard.complaint().starts_with("Invalid Content-Type"));
}

#[actix_web::test]
async fn videos_step_by_step() {
    let trial = trial();
    let begin = async |prompt: &str| {
        let texts = [("model", "sora-2"), ("prompt", prompt), ("seconds", "8")];
        let begun = trial
            .post_form("/v1/videos", &texts, &["input_reference"])
            .await;
        assert_eq!(begun.json()["status"], "queued");
        format!("/v1/videos/{}", begun.json()["id"].as_str().unwrap())
    };
    let video = begin("a cat").await;
    let content = format!("{video}/content");
    for status in ["queued", "in_progress", "completed"] {
        assert_eq!(trial.get(&content).await.status, 400);
        assert_eq!(trial.get(&video).await.json()["status"], status);
    }
    assert_eq!(trial.get_raw(&content).await[4..8], *b"ftyp");
    let stranger = Trial::new(&[("authorization", "Bearer sk-b")]);
    assert_eq!(stranger.get(&video).await.status, 404);
    let doomed = begin("doomed").await;
    for _ in 0..2 {
        trial.get(&doomed).await;
    }
    let error = trial.get(&doomed).await.json()["error"].clone();
    assert_eq!(error["code"], "moderation_blocked");
    let texts = [("model", "sora-2"), ("prompt", "x"), ("seconds", "5")];
    let heard = trial.post_form("/v1/videos", &texts, &[]).await;
    assert!(
        heard.complaint().contains("Supported values"),
        "{}",
        heard.text
    );
    trial
        .sim
        .script()
        .token("sk-a")
        .answers([Behaviour::insufficient_quota()]);
    let heard = trial.post_form("/v1/videos", &texts, &[]).await;
    assert_eq!(heard.json()["error"]["code"], "insufficient_quota");
}
