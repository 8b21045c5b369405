//! Hugging Face: every action on Spaces, and the providers behind the router.

use std::time::SystemTime;

use serde_json::{Value, json};
use troupe_protocol::pictures::reset;
use troupe_simulator::{Behaviour, Simulator};

use super::{
    data_uri, file, fox, generate, png_size, refusal, reply,
    rotation::{self, nobody_is_told_the_tokens},
    square,
    videos::over,
};
use crate::support::{App, Provider};

const TOKENS: [&str; 3] = [
    "hf_tokenaaaaaaaaaaaa",
    "hf_tokenbbbbbbbbbbbb",
    "hf_tokencccccccccccc",
];

/// The provider `hf`: its Spaces, router and hub are the simulator.
fn provider(sim: &Simulator) -> Provider {
    let (spaces, hub) = (
        sim.at("/huggingface/spaces/{host}"),
        sim.at("/huggingface/hub"),
    );
    let options = format!("{{ space_url = {spaces:?}, hub_url = {hub:?}, poll_ms = 5 }}");
    Provider::at(&sim.at("/huggingface"))
        .name("hf")
        .kind("huggingface")
        .tokens(&TOKENS)
        .with("options", &options)
        .models_of_upstream()
}

async fn started(sim: &Simulator) -> App {
    App::builder().provider(provider(sim)).start().await
}

/// A picture of that size.
async fn picture(app: &App, size: &str) -> String {
    let body = json!({"model": "hf/ovis-image", "prompt": "p", "size": size});
    let drawn = reply(generate(app, &body).await).await;
    data_uri(&file(app, &drawn["url"]).await.1)
}

#[actix_rt::test]
async fn a_space_draws() {
    let sim = Simulator::start();
    let app = started(&sim).await;
    for model in ["z-image", "z-image-turbo", "flux-1-schnell", "ovis-image"] {
        let drawn = reply(generate(&app, &fox(&format!("hf/{model}"))).await).await;
        let (kind, png) = file(&app, &drawn["url"]).await;
        assert_eq!(
            (kind.as_str(), png_size(&png)),
            ("image/png", (1024, 1024)),
            "{model}"
        );
        assert_eq!(drawn["seed"], 7);
    }
    let path = "/huggingface/spaces/black-forest-labs-flux-1-schnell/gradio_api/call/infer";
    let asked = sim.script().last_request(path).unwrap().json();
    assert_eq!(
        asked["data"],
        json!(["a red fox in the snow", 7, false, 1024, 1024, 4])
    );
    let body = json!({"model": "hf/qwen-image", "prompt": "p", "ar": "16:9"});
    reply(generate(&app, &body).await).await;
    let path = "/huggingface/spaces/mcp-tools-qwen-image-fast/gradio_api/call/generate_image";
    assert_eq!(
        sim.script().last_request(path).unwrap().json()["data"][3],
        "16:9"
    );
    let odd = json!({"model": "hf/flux-1-schnell", "prompt": "p", "size": "1000x1000"});
    let error = refusal(generate(&app, &odd).await, 400, "invalid_request").await;
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("multiples of 32"),
        "{error}"
    );
}

#[actix_rt::test]
async fn a_space_changes_and_enlarges() {
    let sim = Simulator::start();
    let app = started(&sim).await;
    let image = picture(&app, "640x960").await;
    let body = json!({"model": "hf/qwen-image-edit", "prompt": "in blue", "image": image});
    let edited = reply(app.post("/api/v1/edit", &body).await).await;
    assert_eq!(png_size(&file(&app, &edited["url"]).await.1), (640, 960));
    let space = "/huggingface/spaces/linoyts-qwen-image-edit-2511-fast/gradio_api";
    let uploaded = sim
        .script()
        .last_request(&format!("{space}/upload"))
        .unwrap();
    assert!(
        uploaded
            .header("content-type")
            .starts_with("multipart/form-data")
    );
    let body = json!({"model": "hf/realesrgan", "imageUrl": image});
    let larger = reply(app.post("/api/v1/upscaler", &body).await).await;
    assert_eq!(file(&app, &larger["url"]).await.0, "image/png");
}

#[actix_rt::test]
async fn another_space_by_configuration_alone() {
    let sim = Simulator::start();
    let mut provider = provider(&sim);
    for (id, space, protocol) in [
        ("five", "me/app", "call"),
        ("queue", "me/app", "queue"),
        ("four", "me/gradio4", "call"),
    ] {
        let table = format!(
            "{{ id = {id:?}, space = {space:?}, api_name = \"draw\", template = [\"{{prompt}}\", \"{{seed}}\"], options = {{ protocol = {protocol:?} }} }}"
        );
        provider = provider.model_table(&table);
    }
    let app = App::builder().provider(provider).start().await;
    for (model, path) in [
        ("five", "me-app/gradio_api/call/draw"),
        ("queue", "me-app/gradio_api/queue/join"),
        ("four", "me-gradio4/call/draw"),
    ] {
        let body = json!({"model": format!("hf/{model}"), "prompt": "a fox", "seed": 7});
        let drawn = reply(generate(&app, &body).await).await;
        assert_eq!(file(&app, &drawn["url"]).await.0, "image/png");
        let asked = sim
            .script()
            .last_request(&format!("/huggingface/spaces/{path}"));
        assert_eq!(asked.unwrap().json()["data"], json!(["a fox", 7]));
        let doomed = json!({"model": format!("hf/{model}"), "prompt": "a doomed fox"});
        let answer = generate(&app, &doomed).await;
        assert!(answer.status == 502, "{model}: {}", answer.status);
    }
}

#[actix_rt::test]
async fn every_provider_behind_the_router() {
    let sim = Simulator::start();
    let vias = [
        "fal-ai",
        "replicate",
        "hf-inference",
        "together",
        "nscale",
        "wavespeed",
    ];
    let mut provider = provider(&sim);
    for via in vias {
        provider = provider.model_table(&format!(
            "{{ id = {via:?}, upstream = \"m/x\", via = {via:?} }}"
        ));
    }
    let app = App::builder().provider(provider).start().await;
    for via in vias {
        let body = json!({"model": format!("hf/{via}"), "prompt": "a fox", "size": "128x64"});
        let drawn = reply(generate(&app, &body).await).await;
        assert_eq!(
            png_size(&file(&app, &drawn["url"]).await.1),
            (128, 64),
            "{via}"
        );
    }
    let body = json!({"model": "hf/fal-ai", "prompt": "a fox", "n": 2, "size": "64x64"});
    let drawn = reply(app.post("/v1/images/generations", &body).await).await;
    assert_eq!(drawn["data"].as_array().unwrap().len(), 2);
}

#[actix_rt::test]
async fn a_space_and_the_router_make_pictures_move() {
    let sim = Simulator::start();
    let routed =
        "{ id = \"routed\", upstream = \"wan/video\", via = \"fal-ai\", type = \"image2video\" }";
    let app = App::builder()
        .provider(provider(&sim).models(&["wan2_2-i2v"]).model_table(routed))
        .start()
        .await;
    let image = data_uri(&square(&app, &sim).await);
    for model in ["hf/wan2_2-i2v", "hf/routed"] {
        let order = json!({"model": model, "prompt": "it runs", "imageUrl": image, "duration": 5});
        let done = over(&app, &order).await;
        assert_eq!(done["status"], "success", "{model}: {done}");
        assert_eq!(file(&app, &done["url"]).await.0, "video/mp4", "{model}");
    }
    let space = "/huggingface/spaces/fradeck619-wan2-2-fp8da-aoti-faster/gradio_api";
    let asked = sim
        .script()
        .last_request(&format!("{space}/call/generate_video"));
    let data = asked.unwrap().json()["data"].clone();
    assert_eq!((&data[1], &data[4]), (&json!("it runs"), &json!(5.0)));
    let stats = sim.script().stats();
    assert!(
        stats.path(&format!("{space}/upload")) == 1,
        "the picture is uploaded once"
    );
}

#[actix_rt::test]
async fn two_of_three_tokens_have_no_seconds_left() {
    let sim = Simulator::start();
    let app = started(&sim).await;
    for token in &TOKENS[..2] {
        sim.script()
            .token(token)
            .answers([Behaviour::insufficient_quota()]);
    }
    for _ in 0..4 {
        reply(generate(&app, &fox("hf/flux-1-schnell")).await).await;
    }
    let stats = app
        .admin_get("/api/v1/token-stats?provider=hf")
        .await
        .json()
        .await;
    assert_eq!(
        (&stats["total"], &stats["exhausted"]),
        (&json!(3), &json!(2)),
        "{stats}"
    );
    let rests = stats["tokens"].as_array().unwrap().iter();
    let rests: Vec<_> = rests
        .filter_map(|token| token["resets_in_seconds"].as_u64())
        .collect();
    // 23:59:09, as the Space said, give or take what the pool spreads it by
    assert!(
        rests.len() == 2 && rests.iter().all(|rest| (86_289..=86_409).contains(rest)),
        "{stats}"
    );
    // a call and its events
    for token in &TOKENS[..2] {
        assert_eq!(
            sim.script().stats().token(token),
            2,
            "asked once, and left alone then"
        );
    }
    sim.script()
        .token(TOKENS[2])
        .answers([Behaviour::insufficient_quota()]);
    let answer = generate(&app, &fox("hf/flux-1-schnell")).await;
    assert_eq!(answer.status, 503);
    let text = answer.text().await;
    for token in TOKENS {
        assert!(!text.contains(token) && !stats.to_string().contains(token));
    }
}

#[actix_rt::test]
async fn what_ails_a_space_is_not_held_against_the_tokens() {
    let sim = Simulator::start();
    let app = started(&sim).await;
    let page = Behaviour::status_with(503, "<!DOCTYPE html><html>Building</html>");
    let space = "black-forest-labs-flux-1-schnell";
    sim.script().model(space).answers([page]);
    let answer = generate(&app, &fox("hf/flux-1-schnell")).await;
    assert_eq!(answer.status, 503);
    assert!(!answer.text().await.contains("DOCTYPE"));
    let stats = app
        .admin_get("/api/v1/token-stats?provider=hf")
        .await
        .json()
        .await;
    assert_eq!(stats["active"], 3, "{stats}");
    sim.script().model(space).answers([]);
    reply(generate(&app, &fox("hf/flux-1-schnell")).await).await;
}

#[actix_rt::test]
async fn without_tokens_spaces_serve_anybody() {
    let sim = Simulator::start();
    let app = App::builder()
        .provider(provider(&sim).tokens(&[]))
        .start()
        .await;
    let drawn = reply(generate(&app, &fox("hf/z-image")).await).await;
    assert_eq!(file(&app, &drawn["url"]).await.0, "image/png");
    assert_eq!(sim.script().stats().token("anonymous"), 2);
    let listed: Value = reply(app.get("/api/v1/models").await).await;
    let listed = listed.as_array().unwrap();
    assert!(
        listed.iter().any(|model| model["id"] == "hf/z-image"),
        "{listed:?}"
    );
}

#[actix_rt::test]
async fn what_is_left_is_shown() {
    let sim = Simulator::start();
    let app = started(&sim).await;
    let stats = app
        .admin_get("/api/v1/token-stats?provider=hf")
        .await
        .json()
        .await;
    let text = stats.to_string();
    assert!(text.contains("240") && text.contains("seconds"), "{stats}");
}

#[actix_rt::test]
async fn tokens_that_a_space_or_the_router_repeats_are_told_to_nobody() {
    for model in ["z-image-turbo", "routed"] {
        let sim = Simulator::start();
        let provider = provider(&sim)
            .models(&["z-image-turbo"])
            .model_table("{ id = \"routed\", upstream = \"m/x\", via = \"fal-ai\" }");
        let app = App::builder().provider(provider).start().await;
        nobody_is_told_the_tokens(&sim, &app, &format!("hf/{model}"), &TOKENS).await;
    }
}

#[actix_rt::test]
async fn the_router_talks() {
    let sim = Simulator::start();
    let table = "{ id = \"llama\", upstream = \"meta-llama/Llama-3.1-8B-Instruct:fastest\", type = \"text2text\" }";
    let app = App::builder()
        .provider(provider(&sim).model_table(table))
        .start()
        .await;
    let body = json!({"model": "hf/llama", "prompt": "a cat"});
    let said = reply(app.post("/api/v1/text", &body).await).await;
    assert!(
        said["text"].as_str().is_some_and(|text| !text.is_empty()),
        "{said}"
    );
    let told = sim
        .script()
        .last_request("/huggingface/v1/chat/completions");
    let told = told.unwrap();
    assert_eq!(
        told.json()["model"],
        "meta-llama/Llama-3.1-8B-Instruct:fastest"
    );
    assert!(told.header("authorization").starts_with("Bearer hf_token"));
}

/// A model of the router, as `id`.
fn routed(id: &str, via: &str, does: &str) -> String {
    format!("{{ id = {id:?}, upstream = \"m/x\", via = {via:?}, type = {does:?} }}")
}

#[actix_rt::test]
async fn the_router_changes_pictures() {
    let sim = Simulator::start();
    let vias = [
        ("fal-ai", "m/x", "/image_url"),
        ("replicate", "v1/models/m/x/predictions", "/input/image"),
        ("hf-inference", "models/m/x", "/inputs"),
        ("together", "v1/images/generations", "/image_url"),
        ("wavespeed", "api/v3/m/x", "/image"),
    ];
    let all = vias.iter().fold(provider(&sim), |provider, (via, ..)| {
        provider.model_table(&routed(via, via, "image2image"))
    });
    let app = App::builder().provider(all).start().await;
    let image = data_uri(&square(&app, &sim).await);
    for (via, path, field) in vias {
        let body = json!({"model": format!("hf/{via}"), "prompt": "in blue", "image": image});
        let edited = reply(app.post("/api/v1/edit", &body).await).await;
        assert_eq!(file(&app, &edited["url"]).await.0, "image/png", "{via}");
        let path = format!("/huggingface/{via}/{path}");
        let told = sim.script().last_request(&path).unwrap().json();
        let given = told.pointer(field).and_then(Value::as_str).unwrap();
        assert!(image.ends_with(given), "{via}: {given}");
    }
}

#[actix_rt::test]
async fn two_of_three_tokens_have_no_credits_left_this_month() {
    let sim = Simulator::start();
    let table = routed("flux", "hf-inference", "text2image");
    let app = App::builder()
        .provider(
            provider(&sim)
                .model_table(&table)
                .with("pool", "{ strategy = \"exhaust_first\", sticky = false }"),
        )
        .start()
        .await;
    for token in &TOKENS[..2] {
        let rule = sim.script().token(token);
        rule.answers([Behaviour::insufficient_quota()]);
    }
    let now = SystemTime::now();
    for _ in 0..2 {
        reply(generate(&app, &fox("hf/flux")).await).await;
    }
    let asked = sim.script().stats();
    assert_eq!(TOKENS.map(|token| asked.token(token)), [1, 1, 2]);
    let stats = reply(app.admin_get("/api/v1/token-stats?provider=hf").await).await;
    for at in 0..2 {
        let rest = stats["tokens"][at]["resets_in_seconds"].as_u64().unwrap();
        rotation::assert_about(rest, reset::next_month(now));
    }
    assert_eq!(stats["active"], 1, "{stats}");
}
