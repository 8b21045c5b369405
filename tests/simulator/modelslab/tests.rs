//! ModelsLab, seen by a client over real sockets.

use serde_json::json;

use crate::{Behaviour, trial::Trial};

#[actix_web::test]
async fn pictures_at_once_and_under_load() {
    let trial = Trial::new(&[]);
    let path = "/modelslab/images/text2img";
    let order = json!({"key": "ml-a", "model_id": "flux", "prompt": "a cat", "width": "96",
        "height": "64", "samples": "2"});
    let link = trial.sim.at("/files/96x64-0.png");
    let made = trial.post(path, &order).await.json();
    assert_eq!(made["output"], json!([link, link]));
    let order = json!({"key": "ml-a", "model_id": "flux", "prompt": "a queued cat"});
    let begun = trial.post(path, &order).await.json();
    let fetch = format!("/modelslab/images/fetch/{}", begun["id"]);
    assert_eq!(begun["fetch_result"], json!(trial.sim.at(&fetch)));
    for status in ["processing", "processing", "success"] {
        let fetched = trial.post(&fetch, &json!({"key": "ml-a"})).await.json();
        assert_eq!(fetched["status"], status);
    }
    assert_eq!(
        trial.post(&fetch, &json!({"key": "ml-b"})).await.status,
        404
    );
}

#[actix_web::test]
async fn a_spent_account_is_told_with_200() {
    let trial = Trial::new(&[]);
    trial
        .sim
        .script()
        .token("ml-a")
        .answers([Behaviour::insufficient_quota()]);
    let order = json!({"key": "ml-a", "model_id": "cogvideox-5b", "prompt": "a cat"});
    let heard = trial.post("/modelslab/video/text2video", &order).await;
    assert_eq!(heard.status, 200);
    let text = "Insufficient credits. Please add more credits to continue.";
    assert_eq!(heard.json(), json!({"status": "error", "messege": text}));
    let nobody = json!({"model_id": "cogvideox-5b", "prompt": "a cat"});
    assert_eq!(
        trial
            .post("/modelslab/video/text2video", &nobody)
            .await
            .status,
        401
    );
}
