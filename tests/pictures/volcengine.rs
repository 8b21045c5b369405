//! VolcEngine's Visual service, through the program.

use serde_json::{Value, json};
use troupe_simulator::{Behaviour, Simulator};

use super::{data_uri, file, fox, generate, png_size, reply, rotation};
use crate::support::{App, Provider};

const PATH: &str = "/volcengine/";
const KEYS: [&str; 2] = ["access-key-one-0123", "access-key-two-0123"];

/// A provider with these access keys, whose secrets are those that the simulator knows.
pub fn provider(sim: &Simulator, keys: &[&str]) -> Provider {
    let tokens: Vec<_> = keys
        .iter()
        .map(|key| format!("{key}|secret-of-{key}"))
        .collect();
    let tokens: Vec<_> = tokens.iter().map(String::as_str).collect();
    rotation::provider(sim, "volcengine", "/volcengine").tokens(&tokens)
}

async fn start(sim: &Simulator) -> App {
    App::builder().provider(provider(sim, &KEYS)).start().await
}

fn told(sim: &Simulator) -> Value {
    sim.script().last_request(PATH).unwrap().json()
}

async fn picture(app: &App, sim: &Simulator) -> String {
    let link = sim.at("/files/64x64-8192.png");
    let mut file = app.client().get(link).send().await.unwrap();
    data_uri(&file.body().await.unwrap())
}

#[actix_rt::test]
async fn draws_at_once_at_half_the_size_and_doubles_it() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let drawn = reply(generate(&app, &fox("volcengine/general_v2.1")).await).await;
    assert_eq!(png_size(&file(&app, &drawn["url"]).await.1), (1024, 1024));
    assert_eq!(
        told(&sim),
        json!({
            "req_key": "high_aes_general_v21_L", "prompt": "a red fox in the snow", "seed": 7,
            "use_sr": true, "width": 512, "height": 512, "return_url": true,
        })
    );
    let odd = json!({"model": "volcengine/general_v2.1", "prompt": "p", "size": "1023x1023"});
    let refused = generate(&app, &odd).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text().await.contains("sides of 256 to 768"));
}

#[actix_rt::test]
async fn draws_by_a_task() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let mut order = fox("volcengine/jimeng-3.1");
    order["watermark"] = true.into();
    let drawn = reply(generate(&app, &order).await).await;
    assert_eq!(png_size(&file(&app, &drawn["url"]).await.1), (1024, 1024));
    let question = told(&sim);
    assert_eq!(question["req_key"], "jimeng_t2i_v31");
    let wishes = "{\"return_url\":true,\"logo_info\":{\"add_logo\":true}}";
    assert_eq!(question["req_json"], wishes);
    assert_eq!(
        sim.script().stats().requests,
        4,
        "an order and three questions"
    );
}

#[actix_rt::test]
async fn several_pictures_are_one_task_at_a_time() {
    let sim = Simulator::start();
    let app = App::builder()
        .provider(provider(&sim, &KEYS[..1]))
        .start()
        .await;
    let several = json!({"model": "volcengine/jimeng-4.0", "prompt": "p", "n": 3});
    let drawn = reply(app.post("/v1/images/generations", &several).await).await;
    assert_eq!(drawn["data"].as_array().unwrap().len(), 3);
    assert_eq!(
        sim.script().stats().requests,
        12,
        "none was refused for haste"
    );
}

#[actix_rt::test]
async fn edits_a_file_that_is_signed_with_the_rest() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let image = picture(&app, &sim).await;
    for model in ["seededit-3.0", "seededit-2.0", "jimeng-4.0"] {
        let model = format!("volcengine/{model}");
        let body = json!({"model": model, "prompt": "make it blue", "image": image});
        let edited = reply(app.post("/api/v1/edit", &body).await).await;
        assert_eq!(png_size(&file(&app, &edited["url"]).await.1), (64, 64));
    }
}

#[actix_rt::test]
async fn haste_is_waited_out_or_taken_to_the_next() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    sim.script()
        .token(KEYS[0])
        .answers([Behaviour::status(429)]);
    reply(generate(&app, &fox("volcengine/general_v3.0")).await).await;
    assert_eq!(sim.script().stats().token(KEYS[1]), 1);
}

#[actix_rt::test]
async fn refusals_are_the_client_s_or_ours_and_show_no_secret() {
    let sim = Simulator::start();
    let app = start(&sim).await;
    let order = fox("volcengine/general_v3.0");
    sim.script().any().answers([Behaviour::content_policy()]);
    let answer = generate(&app, &order).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().await.contains("Text Risk Not Pass"));
    assert_eq!(
        sim.script().stats().requests,
        1,
        "no other credential is tried"
    );
    sim.script().reset();
    let doomed = json!({"model": "volcengine/jimeng-4.0", "prompt": "a doomed cat"});
    let answer = generate(&app, &doomed).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().await.contains("Post Img Risk Not Pass"));
    let tasks = 2;
    assert_eq!(
        sim.script().stats().requests,
        tasks * 4,
        "it is drawn once more, and not again"
    );
    sim.script().any().answers([Behaviour::leaks_credential()]);
    let text = generate(&app, &order).await.text().await;
    assert!(
        !text.contains(KEYS[0]) && !text.contains("secret-of"),
        "{text}"
    );
}

#[actix_rt::test]
async fn a_wrong_secret_is_told_by_the_signature() {
    let sim = Simulator::start();
    let provider = provider(&sim, &KEYS[..1]).tokens(&["access-key-one-0123|another-secret"]);
    let app = App::builder().provider(provider).start().await;
    let order = fox("volcengine/general_v3.0");
    let answer = generate(&app, &order).await;
    assert!(answer.status >= 500, "{}", answer.status);
    assert!(!answer.text().await.contains("another-secret"));
    generate(&app, &order).await;
    assert_eq!(sim.script().stats().requests, 1, "it is out");
}
