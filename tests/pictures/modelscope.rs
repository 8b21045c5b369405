//! ModelScope, through the program.

use serde_json::json;
use troupe_simulator::{Behaviour, Simulator};

use super::{
    data_uri, file, fox, generate, png_size, reply,
    rotation::{self, provider},
};
use crate::support::App;

const ORDER: &str = "/modelscope/v1/images/generations";

async fn start(sim: &Simulator) -> App {
    let provider = provider(sim, "modelscope", "/modelscope/v1");
    App::builder().provider(provider).start().await
}

#[actix_rt::test]
async fn draws_by_a_task() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let drawn = reply(generate(&app, &fox("modelscope/z-image-turbo")).await).await;
    assert_eq!(png_size(&file(&app, &drawn["url"]).await.1), (1024, 1024));
    let order = sim.script().last_request(ORDER).unwrap();
    assert_eq!(order.header("x-modelscope-async-mode"), "true");
    assert_eq!(order.json()["model"], "Tongyi-MAI/Z-Image-Turbo");
    let stats = sim.script().stats();
    assert_eq!(
        (stats.path(ORDER), stats.requests),
        (1, 4),
        "an order and three questions"
    );
}

#[actix_rt::test]
async fn edits_what_stands_in_the_request() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let mut png = app
        .client()
        .get(sim.at("/files/32x32-9000.png"))
        .send()
        .await
        .unwrap();
    let image = data_uri(&png.body().await.unwrap());
    let body =
        json!({"model": "modelscope/qwen-image-edit", "prompt": "make it blue", "image": image});
    let edited = reply(app.post("/api/v1/edit", &body).await).await;
    assert_eq!(png_size(&file(&app, &edited["url"]).await.1), (64, 64));
    assert_eq!(
        sim.script().last_request(ORDER).unwrap().json()["image_url"],
        json!([image])
    );
}

#[actix_rt::test]
async fn talks() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let body = json!({"model": "modelscope/qwen-3", "prompt": "a cat"});
    let said = reply(app.post("/api/v1/text", &body).await).await;
    assert!(
        said["text"].as_str().is_some_and(|text| !text.is_empty()),
        "{said}"
    );
}

#[actix_rt::test]
async fn a_lost_question_does_not_lose_the_picture() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let fault = || Behaviour::status(503);
    let rule = sim.script().model("Tongyi-MAI/Z-Image");
    rule.answers([Behaviour::Ok, fault(), Behaviour::Ok]);
    reply(generate(&app, &fox("modelscope/z-image")).await).await;
    assert_eq!(sim.script().stats().path(ORDER), 1, "it is ordered once");
}

#[actix_rt::test]
async fn a_task_that_fails_is_told() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let body = json!({"model": "modelscope/z-image", "prompt": "a doomed cat"});
    let answer = generate(&app, &body).await;
    assert_eq!(answer.status, 502);
    let error = answer.json().await;
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("ran out of memory"),
        "{error}"
    );
}

#[actix_rt::test]
async fn what_is_left_is_shown_once_it_was_told() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let path = "/api/v1/token-stats?provider=modelscope";
    let before = reply(app.admin_get(path).await).await;
    assert_eq!(
        before["tokens"][0]["quota"],
        json!(null),
        "nobody has told yet"
    );
    reply(generate(&app, &fox("modelscope/z-image-turbo")).await).await;
    let asked = sim.script().stats().requests;
    let stats = reply(app.admin_get(path).await).await;
    assert_eq!(
        sim.script().stats().requests,
        asked,
        "nobody is asked for it"
    );
    let token = &stats["tokens"][0];
    for (quota, remaining, limit) in [
        (&token["quota"], 1500.0, 2000.0),
        (
            &token["model_quotas"]["Tongyi-MAI/Z-Image-Turbo"],
            100.0,
            200.0,
        ),
    ] {
        assert_eq!(
            (&quota["remaining"], &quota["limit"], &quota["unit"]),
            (&json!(remaining), &json!(limit), &json!("requests")),
            "{stats}"
        );
        rotation::assert_rests_until_midnight(&quota["resets_in"]);
    }
    assert_eq!(stats["tokens"][1]["quota"], json!(null));
    assert!(!stats.to_string().contains("rotated-token"));
}
