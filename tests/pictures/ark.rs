//! Ark, through the program.

use serde_json::{Value, json};
use troupe_simulator::{Behaviour, Simulator};

use super::{data_uri, file, fox, generate, png_size, reply, rotation::provider};
use crate::support::App;

const DRAW: &str = "/ark/api/v3/images/generations";

async fn start(sim: &Simulator) -> App {
    let provider = provider(sim, "ark", "/ark/api/v3");
    App::builder().provider(provider).start().await
}

fn told(sim: &Simulator) -> Value {
    sim.script().last_request(DRAW).unwrap().json()
}

#[actix_rt::test]
async fn draws_one_picture() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let mut order = fox("ark/seedream-4.0");
    order["watermark"] = false.into();
    let drawn = reply(generate(&app, &order).await).await;
    assert_eq!(png_size(&file(&app, &drawn["url"]).await.1), (1024, 1024));
    assert_eq!(
        told(&sim),
        json!({
            "model": "doubao-seedream-4-0-250828", "prompt": "a red fox in the snow",
            "watermark": false, "size": "1024x1024",
        })
    );
    order["ar"] = "16:9".into();
    let drawn = reply(generate(&app, &order).await).await;
    let (width, height) = png_size(&file(&app, &drawn["url"]).await.1);
    assert_eq!(width * 9, height * 16);
    assert!(width * height >= 921_600, "what the model makes at least");
}

#[actix_rt::test]
async fn several_pictures_are_a_sequence_of_events() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let several = json!({"model": "ark/seedream-4.5", "prompt": "p", "n": 3});
    let drawn = reply(app.post("/v1/images/generations", &several).await).await;
    assert_eq!(drawn["data"].as_array().unwrap().len(), 3);
    assert_eq!(sim.script().stats().requests, 1);
    assert_eq!(
        told(&sim)["sequential_image_generation_options"]["max_images"],
        3
    );
    let doomed = json!({
        "model": "ark/seedream-4.0", "prompt": "a doomed cat", "n": 3, "size": "1024x1024",
    });
    let drawn = reply(generate(&app, &doomed).await).await;
    assert_eq!(drawn["images"].as_array().unwrap().len(), 2);
    assert_eq!(drawn["errors"].as_array().unwrap().len(), 1);
    let single = json!({"model": "ark/seedream-3.0", "prompt": "p", "n": 2});
    let drawn = reply(app.post("/v1/images/generations", &single).await).await;
    assert_eq!(drawn["data"].as_array().unwrap().len(), 2);
    assert_eq!(sim.script().stats().requests, 4, "it makes no sequences");
}

#[actix_rt::test]
async fn edits_what_stands_in_the_request() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let link = sim.at("/files/64x64-8192.png");
    let mut png = app.client().get(link).send().await.unwrap();
    let image = data_uri(&png.body().await.unwrap());
    for model in ["ark/seededit-3.0", "ark/seedream-4.0"] {
        let body = json!({"model": model, "prompt": "make it blue", "image": image});
        let edited = reply(app.post("/api/v1/edit", &body).await).await;
        assert_eq!(png_size(&file(&app, &edited["url"]).await.1), (64, 64));
        assert_eq!(told(&sim)["image"], image.as_str());
    }
}

#[actix_rt::test]
async fn talks() {
    let sim = Simulator::start();
    let provider = provider(&sim, "ark", "/ark/api/v3").models(&["doubao-seed-1-6"]);
    let app = App::builder().provider(provider).start().await;
    let body = json!({"model": "ark/doubao-seed-1-6", "prompt": "a cat"});
    let said = reply(app.post("/api/v1/text", &body).await).await;
    assert!(
        said["text"].as_str().is_some_and(|text| !text.is_empty()),
        "{said}"
    );
}

#[actix_rt::test]
async fn haste_is_no_empty_quota() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let order = fox("ark/seedream-4.0");
    let rule = sim.script().any();
    rule.answers([Behaviour::rate_limited("1"), Behaviour::Ok]);
    reply(generate(&app, &order).await).await;
    let stats = reply(app.admin_get("/api/v1/token-stats?provider=ark").await).await;
    assert_eq!(stats["exhausted"], 0, "{stats}");
}

#[actix_rt::test]
async fn refusals_are_the_client_s_or_ours_and_show_no_token() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let doomed = json!({"model": "ark/seedream-4.0", "prompt": "a doomed cat"});
    let answer = generate(&app, &doomed).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().await.contains("sensitive"));
    assert_eq!(sim.script().stats().requests, 1);
    sim.script().any().answers([Behaviour::leaks_credential()]);
    let text = generate(&app, &fox("ark/seedream-4.0")).await.text().await;
    assert!(!text.contains("rotated-token"), "{text}");
}
