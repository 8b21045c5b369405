//! Pictures and films over real sockets.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::trial::{Heard, Trial, with};

fn trial() -> Trial {
    Trial::new(&[("x-goog-api-key", "sk-a")])
}

fn ask(prompt: &str) -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": prompt}]}]})
}

async fn post(trial: &Trial, model: &str, body: &Value) -> Heard {
    let path = format!("/v1beta/models/{model}:generateContent");
    trial.post(&path, body).await
}

async fn say(trial: &Trial, model: &str, body: &Value) -> Value {
    let heard = post(trial, model, body).await;
    assert_eq!(heard.status, 200, "{}", heard.text);
    heard.json()
}

#[actix_rt::test]
async fn draws_what_is_asked_for_as_a_picture() {
    let trial = trial();
    let config = |image: Value| {
        let config = json!({"responseModalities": ["IMAGE"], "imageConfig": image});
        with(ask("a cat"), &json!({"generationConfig": config}))
    };
    let shape = config(json!({"aspectRatio": "16:9", "imageSize": "2K"}));
    let part =
        say(&trial, "gemini-x", &shape).await["candidates"][0]["content"]["parts"][0]["inlineData"]
            .clone();
    assert_eq!(part["mimeType"], "image/png");
    let file = BASE64_STANDARD
        .decode(part["data"].as_str().unwrap())
        .unwrap();
    let reader = png::Decoder::new(std::io::Cursor::new(file))
        .read_info()
        .unwrap();
    assert_eq!(reader.info().size(), (512, 288));
    let blocked = say(&trial, "sim-filter", &shape).await;
    assert_eq!(
        blocked["promptFeedback"]["blockReason"],
        "PROHIBITED_CONTENT"
    );
    let refused = say(&trial, "sim-refuse", &shape).await;
    assert_eq!(refused["candidates"][0]["finishReason"], "IMAGE_SAFETY");
    for wrong in [json!({"imageSize": "8K"}), json!({"aspectRatio": "wide"})] {
        assert_eq!(post(&trial, "gemini-x", &config(wrong)).await.status, 400);
    }
    let path = |model: &str| format!("/v1beta/models/{model}:predict");
    let asked = json!({"instances": [{"prompt": "a cat"}], "parameters": {"sampleCount": 2}});
    let made = trial.post(&path("imagen-x"), &asked).await.json();
    assert!(made["predictions"][1]["bytesBase64Encoded"].is_string());
    let kept = trial.post(&path("sim-refuse"), &asked).await.json();
    assert!(kept["predictions"][0]["raiFilteredReason"].is_string());
    assert_eq!(trial.post(&path("imagen-x"), &json!({})).await.status, 400);
}

#[actix_rt::test]
async fn films_step_by_step_for_who_has_the_key() {
    let trial = trial();
    let end = async |model: &str, prompt: &str| {
        let path = format!("/v1beta/models/{model}:predictLongRunning");
        let asked =
            json!({"instances": [{"prompt": prompt}], "parameters": {"aspectRatio": "9:16"}});
        let begun = trial.post(&path, &asked).await.json();
        let operation = format!("/v1beta/{}", begun["name"].as_str().unwrap());
        for _ in 0..2 {
            assert!(trial.get(&operation).await.json().get("done").is_none());
        }
        trial.get(&operation).await.json()
    };
    let done = end("veo-x", "a cat").await;
    let samples = "/response/generateVideoResponse/generatedSamples/0/video/uri";
    let uri = done.pointer(samples).unwrap().as_str().unwrap();
    let path = uri.strip_prefix(&trial.sim.at("")).unwrap();
    assert_eq!(trial.get_raw(path).await[4..8], *b"ftyp");
    assert_eq!(Trial::new(&[]).get(path).await.status, 403);
    assert_eq!(end("veo-x", "doomed").await["error"]["code"], 13);
    let kept = end("sim-refuse", "a cat").await;
    assert_eq!(
        kept["response"]["generateVideoResponse"]["raiMediaFilteredCount"],
        1
    );
    assert_eq!(
        trial
            .get("/v1beta/models/veo-x/operations/none")
            .await
            .status,
        403
    );
}
