//! Steps and guidance that the model does not take: refused on every route, and nothing is changed silently.

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use super::{data_uri, refusal, reply, rotation::provider, square};
use crate::support::App;

async fn start(sim: &Simulator) -> App {
    let provider = provider(sim, "gitee", "/gitee/v1");
    App::builder().provider(provider).start().await
}

/// A field of a model, its limits as they are told, and values beyond them.
const BEYOND: [(&str, &str, [f64; 2]); 2] = [
    ("steps", "1 to 50", [0.0, 51.0]),
    ("guidance", "1 to 10", [0.5, 10.5]),
];

fn with(mut body: Value, field: &str, value: impl Into<Value>) -> Value {
    body[field] = value.into();
    body
}

#[actix_rt::test]
async fn imagine_server_s_route_names_the_range() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let fox = json!({"model": "gitee/flux-2", "prompt": "a fox"});
    for (field, range, values) in BEYOND {
        for value in values {
            let answer = app
                .post("/api/v1/generate", &with(fox.clone(), field, value))
                .await;
            let error = refusal(answer, 400, "invalid_request").await;
            assert_eq!(error["param"], field);
            assert!(
                error["message"].as_str().unwrap().contains(range),
                "{error}"
            );
        }
    }
    let image = data_uri(&square(&app, &sim).await);
    let edit = json!({"model": "gitee/qwen-image-edit", "prompt": "bluer", "image": image});
    let answer = app.post("/api/v1/edit", &with(edit, "steps", 21)).await;
    let error = refusal(answer, 400, "invalid_request").await;
    assert_eq!(error["param"], "steps");
    assert_eq!(sim.script().stats().requests, 0);
    let last = with(with(fox, "steps", 50), "guidance", 10);
    reply(app.post("/api/v1/generate", &last).await).await;
}

#[actix_rt::test]
async fn openai_s_routes_name_the_range() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let fox = json!({"model": "gitee/flux-2", "prompt": "a fox"});
    let path = "/v1/images/generations";
    for (field, range, values) in BEYOND {
        let sent = match field {
            "guidance" => "guidance_scale",
            field => field,
        };
        for value in values {
            let answer = app.post(path, &with(fox.clone(), sent, value)).await;
            let error = answer.error(400, "invalid_request").await;
            assert_eq!(error["param"], field);
            assert!(
                error["message"].as_str().unwrap().contains(range),
                "{error}"
            );
        }
    }
    // neither cut to a whole number nor left out
    for (field, value) in [
        ("steps", json!(9.5)),
        ("steps", json!(-9)),
        ("steps", json!(5_000_000_000_u64)),
        ("steps", json!("many")),
        ("guidance_scale", json!([4])),
    ] {
        let answer = app.post(path, &with(fox.clone(), field, value)).await;
        let error = answer.error(400, "invalid_request").await;
        assert_eq!(error["param"], field, "{error}");
    }
    let image = data_uri(&square(&app, &sim).await);
    let edit = json!({"model": "gitee/qwen-image-edit", "prompt": "bluer", "image": image});
    for (field, param, value) in [("steps", "steps", 21), ("guidance_scale", "guidance", 11)] {
        let answer = app
            .post("/v1/images/edits", &with(edit.clone(), field, value))
            .await;
        let error = answer.error(400, "invalid_request").await;
        assert_eq!(error["param"], param);
    }
    assert_eq!(sim.script().stats().requests, 0);
    let last = with(with(fox, "steps", 50), "guidance_scale", 10);
    reply(app.post(path, &last).await).await;
}
