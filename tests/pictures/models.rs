//! The lists of models, in the words of Imagine Server.

use serde_json::{Value, json};
use troupe_simulator::{Behaviour, Simulator};

use super::{fox, generate, reply, rotation::provider};
use crate::support::App;

async fn started(sim: &Simulator) -> App {
    App::builder()
        .provider(provider(sim, "gitee", "/gitee/v1"))
        .provider(provider(sim, "modelscope", "/modelscope/v1"))
        .start()
        .await
}

async fn list(app: &App, path: &str) -> Vec<Value> {
    let list = reply(app.get(path).await).await;
    list.as_array().expect("a bare list").clone()
}

fn of<'a>(models: &'a [Value], id: &str) -> &'a Value {
    let found = models.iter().find(|model| model["id"] == id);
    found.unwrap_or_else(|| panic!("no {id}"))
}

#[actix_rt::test]
async fn a_model_tells_what_it_takes_and_how_it_answers() {
    let sim = Simulator::start();
    let app = started(&sim).await;
    let models = list(&app, "/api/v1/models").await;
    assert_eq!(
        of(&models, "gitee/flux-2"),
        &json!({
            "id": "gitee/flux-2", "name": "FLUX.2", "type": ["text2image"],
            "steps": {"range": [1.0, 50.0], "default": 9.0},
            "guidance": {"range": [1.0, 10.0], "default": 3.5},
            "enableHD": true, "responseType": "url", "sizes": "sides of 256 to 2048",
        })
    );
    assert_eq!(
        of(&models, "gitee/qwen-3"),
        &json!({
            "id": "gitee/qwen-3", "name": "Qwen 3", "type": ["text2text"], "sizes": "any size",
        })
    );
    let video = of(&models, "gitee/wan2.2-i2v");
    assert_eq!(
        (&video["async"], &video["responseType"]),
        (&json!(true), &json!("url"))
    );
    assert_eq!(video["enableHD"], Value::Null);
}

#[actix_rt::test]
async fn what_nobody_can_draw_now_stands_in_the_list_of_all_alone() {
    let sim = Simulator::start();
    let app = started(&sim).await;
    sim.script()
        .model("z-image-turbo")
        .answers([Behaviour::insufficient_quota()]);
    let refused = generate(&app, &fox("gitee/z-image-turbo")).await;
    assert!(refused.status >= 429, "{}", refused.status);
    let gitee = async |path: &str| {
        let models = list(&app, path).await;
        of(&models, "modelscope/z-image-turbo");
        let gitee = |model: &&Value| model["id"].as_str().unwrap().starts_with("gitee/");
        models.iter().filter(gitee).count()
    };
    assert_eq!(gitee("/api/v1/models").await, 0);
    assert!(gitee("/api/v1/models/all").await > 5);
}
