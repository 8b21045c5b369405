//! `/api/v1/text`.

use serde_json::json;
use troupe_simulator::Simulator;

use super::{refusal, reply};
use crate::support::{App, Provider};

#[actix_rt::test]
async fn a_prompt_is_improved_and_a_question_answered() {
    let sim = Simulator::start();
    let provider = Provider::of(&sim).models(&["sim-mirror", "sim-status-500"]);
    let app = App::builder()
        .provider(provider)
        .set("pictures.improve_prompt", "\"improve this\"")
        .start()
        .await;
    // the simulator tells the request back
    let mirror = json!({"model": "acme/sim-mirror", "prompt": "a fox"});
    let text = reply(app.post("/api/v1/text", &mirror).await).await;
    let text = text["text"].as_str().unwrap().to_owned();
    assert!(
        text.contains("improve this") && text.contains("a fox"),
        "{text}"
    );
    let mut plain = mirror.clone();
    plain["system"] = "".into();
    plain["max_tokens"] = 99.into();
    let text = reply(app.post("/api/v1/text", &plain).await).await;
    assert!(
        !text["text"].as_str().unwrap().contains("improve this"),
        "{text}"
    );
    assert!(text["text"].as_str().unwrap().contains("99"), "{text}");
    let broken = json!({"model": "acme/sim-status-500", "prompt": "a fox"});
    refusal(
        app.post("/api/v1/text", &broken).await,
        502,
        "upstream_error",
    )
    .await;
    let missing = json!({"model": "acme/sim-mirror"});
    refusal(
        app.post("/api/v1/text", &missing).await,
        400,
        "invalid_request",
    )
    .await;
}
