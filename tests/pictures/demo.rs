//! The built-in provider, and what all providers have in common.

use serde_json::{Value, json};

use super::{file, fox, generate, png_size, refusal, reply};
use crate::support::App;

const MODEL: &str = "demo/demo-image";

#[actix_rt::test]
async fn draws_in_the_words_of_imagine_server() {
    let app = App::builder().start().await;
    let drawn = reply(generate(&app, &fox(MODEL)).await).await;
    assert_eq!(
        (&drawn["width"], &drawn["height"]),
        (&json!(1024), &json!(1024))
    );
    assert_eq!(drawn["seed"], 7);
    let (kind, png) = file(&app, &drawn["url"]).await;
    assert_eq!(kind, "image/png");
    assert_eq!(png_size(&png), (1024, 1024));
    let again = reply(app.post("/api/v1/imagine", &fox(MODEL)).await).await;
    assert_eq!(
        file(&app, &again["url"]).await.1,
        png,
        "the same seed draws the same"
    );
}

#[actix_rt::test]
async fn shapes_and_sizes_are_kept_or_refused() {
    let app = App::builder().start().await;
    for (field, value, size) in [
        ("ar", json!("16:9"), (1024, 576)),
        ("ar", json!("2:3"), (640, 960)),
        ("size", json!("512x256"), (512, 256)),
    ] {
        let drawn =
            reply(generate(&app, &json!({"model": MODEL, "prompt": "p", field: value})).await)
                .await;
        assert_eq!(png_size(&file(&app, &drawn["url"]).await.1), size);
    }
    let hd = json!({"model": MODEL, "prompt": "p", "ar": "16:9", "enableHD": true});
    let drawn = reply(generate(&app, &hd).await).await;
    assert_eq!(
        (&drawn["width"], &drawn["height"]),
        (&json!(1536), &json!(864))
    );
    for (body, named) in [
        (
            json!({"model": MODEL, "prompt": "p", "size": "4096x4096"}),
            "16 to 2048",
        ),
        (json!({"model": MODEL, "prompt": "p", "ar": "7:3"}), "16:9"),
        (
            json!({"model": MODEL, "prompt": "p", "size": "big"}),
            "1024x1024",
        ),
        (json!({"model": MODEL, "prompt": "p", "n": 99}), "1 to 10"),
        (
            json!({"model": MODEL, "prompt": "p", "seed": -1}),
            "whole number",
        ),
        (json!({"model": MODEL, "prompt": " "}), "prompt"),
    ] {
        let error = refusal(generate(&app, &body).await, 400, "invalid_request").await;
        assert!(
            error["message"].as_str().unwrap().contains(named),
            "{error}"
        );
    }
    refusal(
        generate(&app, &json!({"prompt": "p"})).await,
        400,
        "invalid_request",
    )
    .await;
    refusal(
        generate(&app, &fox("demo/nothing")).await,
        404,
        "model_not_found",
    )
    .await;
}

#[actix_rt::test]
async fn several_pictures_come_from_several_orders() {
    let app = App::builder().start().await;
    // the demo draws four at a time
    let body = json!({"model": MODEL, "prompt": "p", "n": 6, "seed": 1, "size": "64x64"});
    let drawn = reply(generate(&app, &body).await).await;
    let images = drawn["images"].as_array().unwrap();
    assert_eq!(images.len(), 6);
    assert_eq!(images[0]["url"], drawn["url"]);
    let mut files = Vec::new();
    for image in images {
        files.push(file(&app, &image["url"]).await.1);
    }
    files.sort();
    files.dedup();
    assert_eq!(files.len(), 6, "each has a seed of its own");
}

#[actix_rt::test]
async fn fields_that_are_not_told_are_named() {
    let app = App::builder().start().await;
    let body = json!({"model": MODEL, "prompt": "p", "size": "64x64", "guidance": 3.5, "watermark": false});
    let answer = generate(&app, &body).await;
    assert_eq!(answer.header("x-troupe-dropped"), "guidance, watermark");
    assert_eq!(answer.header("x-troupe-provider"), "demo");
}

#[actix_rt::test]
async fn openai_s_routes_draw_the_same() {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let app = App::builder().start().await;
    let mut body = json!({"model": MODEL, "prompt": "p", "size": "96x64", "n": 2, "seed": 3});
    let links = reply(app.post("/v1/images/generations", &body).await).await;
    body["response_format"] = "b64_json".into();
    let inline = reply(app.post("/v1/images/generations", &body).await).await;
    assert!(inline["created"].as_u64() > Some(1_700_000_000));
    for at in 0..2 {
        let (_, linked) = file(&app, &links["data"][at]["url"]).await;
        let base64 = inline["data"][at]["b64_json"].as_str().unwrap();
        assert_eq!(BASE64_STANDARD.decode(base64).unwrap(), linked);
        assert_eq!(png_size(&linked), (96, 64));
    }
}

#[actix_rt::test]
async fn errors_have_the_shape_of_the_surface() {
    let app = App::builder().start().await;
    let without = awc::Client::default().post(app.url("/api/v1/imagine"));
    let mut answer = without.send_json(&fox(MODEL)).await.unwrap();
    assert_eq!(answer.status(), 401);
    let error: Value = answer.json().await.unwrap();
    assert_eq!(error["error"], "Unauthorized");
    assert_eq!(error["code"], "missing_api_key");
    let broken = awc::Client::default().post(app.url("/api/v1/imagine"));
    let broken = broken.bearer_auth(App::API_KEY).send_body("{");
    let error: Value = broken.await.unwrap().json().await.unwrap();
    assert_eq!(
        (&error["error"], &error["code"]),
        (&json!("Invalid parameters"), &json!("invalid_json"))
    );
}

#[actix_rt::test]
async fn models_are_a_bare_list() {
    let app = App::builder().start().await;
    let models = reply(app.get("/api/v1/models").await).await;
    let model = &models.as_array().unwrap()[0];
    assert_eq!(model["id"], MODEL);
    assert_eq!(model["type"], json!(["text2image"]));
    let health = reply(app.get("/api/health").await).await;
    assert_eq!(health["status"], "ok");
}

#[actix_rt::test]
async fn tokens_are_an_admin_s_affair() {
    let app = App::builder().start().await;
    assert_eq!(
        app.get("/api/v1/token-stats?provider=demo").await.status,
        401
    );
    let stats = reply(app.admin_get("/api/v1/token-stats/all").await).await;
    assert!(stats["demo"]["total"].is_number(), "{stats}");
    let one = reply(app.admin_get("/api/v1/token-stats?provider=demo").await).await;
    assert_eq!(one, stats["demo"]);
    let reset = app
        .admin_post("/api/v1/token-reset", &json!({"provider": "demo"}))
        .await;
    assert_eq!(reply(reset).await["message"], "Token status reset for demo");
    let none = app.admin_post("/api/v1/token-reset", &json!({})).await;
    assert_eq!(none.json().await, json!({"error": "Provider is required"}));
    let unknown = app
        .admin_post("/api/v1/token-reset", &json!({"provider": "x"}))
        .await;
    assert_eq!(unknown.json().await["error"], "Invalid provider");
}

#[actix_rt::test]
async fn the_limit_of_a_key_is_told_in_the_words_of_imagine_server() {
    // whose a request to the second one is, is not known before its body
    for (path, words) in [
        ("/api/v1/imagine", "Too Many Requests"),
        ("/api/v1/generate", "rate_limit_exceeded"),
    ] {
        let app = App::builder()
            .set("limits.requests_per_minute", "2")
            .start()
            .await;
        let mut refused = None;
        // a minute may end between two of them
        for _ in 0..6 {
            let answer = app.post(path, &fox(MODEL)).await;
            assert_eq!(answer.header("x-ratelimit-limit"), "2");
            let reset: i64 = answer.header("x-ratelimit-reset").parse().unwrap();
            assert!(
                reset > 1_700_000_000_000,
                "milliseconds since 1970: {reset}"
            );
            if answer.status == 429 {
                assert_eq!(answer.header("x-ratelimit-remaining"), "0");
                assert_ne!(answer.header("retry-after"), "");
                refused = Some(refusal(answer, 429, "key_rate_limited").await);
                break;
            }
            reply(answer).await;
        }
        let refused = refused.expect("more than two a minute");
        assert_eq!(refused["error"], words);
        assert!(refused["retry_after"].as_u64() > Some(0), "{refused}");
    }
}

#[actix_rt::test]
async fn questions_after_a_task_count_for_the_limit_of_a_key() {
    let app = App::builder()
        .set("limits.requests_per_minute", "3")
        .start()
        .await;
    let path = "/api/v1/task-status?taskId=job_x";
    let (mut left, mut refused) = (Vec::new(), None);
    // a minute may end between two of them
    for _ in 0..8 {
        let answer = app.get(path).await;
        assert_eq!(answer.header("x-ratelimit-limit"), "3");
        assert_ne!(answer.header("x-ratelimit-reset"), "");
        left.push(answer.header("x-ratelimit-remaining").to_owned());
        if answer.status == 429 {
            assert_ne!(answer.header("retry-after"), "");
            refused = Some(refusal(answer, 429, "key_rate_limited").await);
            break;
        }
        assert_eq!(answer.status, 404);
    }
    let refused = refused.expect("more than three a minute");
    assert_eq!(refused["error"], "Too Many Requests");
    assert!(
        left.ends_with(&["2", "1", "0", "0"].map(str::to_owned)),
        "{left:?}"
    );
    // who shows no key counts for nobody
    let stranger = app.client().get(app.url(path)).send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    assert!(!stranger.headers().contains_key("x-ratelimit-limit"));
}
