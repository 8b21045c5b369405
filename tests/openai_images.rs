//! `POST /v1/images/generations`.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use troupe_simulator::{Behaviour, Simulator};

use crate::support::{App, Provider};

const PATH: &str = "/v1/images/generations";

fn ask(model: &str, format: &str) -> Value {
    json!({"model": model, "prompt": "a red fox", "n": 2, "size": "256x128", "response_format": format})
}

/// Width and height as a PNG file's head tells them.
fn size(file: &[u8]) -> (u32, u32) {
    assert!(file.starts_with(b"\x89PNG\r\n\x1a\n"));
    let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[actix_rt::test]
async fn links_lead_to_our_own_copy() {
    let sim = Simulator::start();
    let app = App::builder().provider(Provider::of(&sim)).start().await;
    let answer = app
        .post(PATH, &ask("acme/dall-e-3", "url"))
        .await
        .json()
        .await;
    let data = answer["data"].as_array().unwrap();
    assert_eq!(data.len(), 2, "{answer}");
    for image in data {
        let url = image["url"].as_str().unwrap();
        assert!(url.starts_with(&app.url("/")), "{url}");
        assert!(!url.contains(&sim.address().to_string()));
        let name = url.rsplit('/').next().unwrap();
        assert!(name.len() >= 22, "{name} could be guessed");
        let mut file = app.client().get(url).send().await.unwrap();
        assert_eq!(file.headers().get("content-type").unwrap(), "image/png");
        assert_eq!(size(&file.body().await.unwrap()), (256, 128));
    }
    assert_ne!(data[0]["url"], data[1]["url"]);
}

#[actix_rt::test]
async fn base64_is_the_file_itself() {
    let sim = Simulator::start();
    let provider = Provider::of(&sim).models(&["sim-image-3m"]);
    let app = App::builder().provider(provider).start().await;
    for (model, bytes) in [("acme/dall-e-3", 0), ("acme/sim-image-3m", 3 << 20)] {
        let mut body = ask(model, "b64_json");
        // what a job could not keep passes as it is
        body["x-pass"] = true.into();
        let answer = app.post(PATH, &body).await.json().await;
        let inline = answer["data"][1]["b64_json"].as_str().unwrap();
        let file = BASE64_STANDARD.decode(inline).unwrap();
        assert_eq!(size(&file), (256, 128));
        assert!(bytes == 0 || file.len() == bytes);
    }
}

/// A request that passes: no job could keep what nobody knows.
fn passing(model: &str) -> Value {
    json!({"model": model, "prompt": "a red fox", "x-pass": true})
}

#[actix_rt::test]
async fn links_to_other_hosts_are_followed_where_they_may_be() {
    let (sim, store, private) = (Simulator::start(), Simulator::start(), Simulator::start());
    let picture = store.at("/files/256x128-5000.png");
    let links = [
        picture,
        private.at("/files/256x128-0.png"),
        store.at("/files/nothing.png"),
        store.at("/files/256x128-70000.png"),
        "http://169.254.169.254/latest/".to_owned(),
    ];
    let data = links
        .each_ref()
        .map(|link| json!({"url": link, "revised_prompt": "r"}));
    let body = json!({"created": 5, "data": data}).to_string();
    let rule = sim.script().path(PATH);
    rule.answers([Behaviour::status_with(200, &body)]);
    let app = App::builder()
        .provider(Provider::of(&sim))
        .set("egress.allow_hosts", &format!("[\"{}\"]", store.address()))
        .set("pictures.max_file_bytes", "65536")
        .start()
        .await;
    let answer = app.post(PATH, &passing("acme/dall-e-3")).await.json().await;
    let data = answer["data"].as_array().unwrap();
    let url = data[0]["url"].as_str().unwrap();
    assert!(url.starts_with(&app.url("/media/")), "{answer}");
    let mut file = app.client().get(url).send().await.unwrap();
    assert_eq!(size(&file.body().await.unwrap()), (256, 128));
    assert_eq!(data[0]["revised_prompt"], "r");
    // refused by the guard, not there, too large: what was paid for is not lost
    for (item, link) in data.iter().zip(&links).skip(1) {
        assert_eq!(item["url"], *link, "{answer}");
    }
    let warnings = app.logs().matches("goes to the client as it is").count();
    assert_eq!(warnings, 4);
    assert_eq!(private.script().stats().requests, 0);
}

#[actix_rt::test]
async fn without_a_format_base64_stays_base64() {
    let sim = Simulator::start();
    let app = App::builder().provider(Provider::of(&sim)).start().await;
    let mut body = passing("acme/gpt-image-1");
    body["n"] = 2.into();
    body["size"] = "256x128".into();
    let answer = app.post(PATH, &body).await.json().await;
    for item in answer["data"].as_array().unwrap() {
        let inline = item["b64_json"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"));
        assert_eq!(size(&BASE64_STANDARD.decode(inline).unwrap()), (256, 128));
    }
}

#[actix_rt::test]
async fn an_upstream_without_links_still_gives_a_link() {
    let sim = Simulator::start();
    let app = App::builder().provider(Provider::of(&sim)).start().await;
    let answer = app
        .post(PATH, &ask("acme/gpt-image-1", "url"))
        .await
        .json()
        .await;
    let url = answer["data"][0]["url"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"));
    let mut file = app.client().get(url).send().await.unwrap();
    assert_eq!(size(&file.body().await.unwrap()), (256, 128));
}

#[actix_rt::test]
async fn stored_images_outlive_a_restart_and_others_are_not_found() {
    let sim = Simulator::start();
    let mut app = App::builder().provider(Provider::of(&sim)).start().await;
    let answer = app
        .post(PATH, &ask("acme/dall-e-3", "url"))
        .await
        .json()
        .await;
    let url = answer["data"][0]["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix(&app.url("")).unwrap().to_owned();
    app.kill9();
    app.restart().await;
    let kept = app.client().get(app.url(&path)).send().await.unwrap();
    assert_eq!(kept.status(), 200);
    let (folder, _) = path.rsplit_once('/').unwrap();
    for name in ["AAAAAAAAAAAAAAAAAAAAAAAAAA.png", "..%2f..%2fconfig.toml"] {
        let other = app.client().get(app.url(&format!("{folder}/{name}")));
        assert_eq!(other.send().await.unwrap().status(), 404, "{name}");
    }
}

#[actix_rt::test]
async fn the_demo_really_draws() {
    let app = App::builder().start().await;
    let body = json!({"model": "demo/demo-image", "prompt": "a red fox", "size": "96x64", "seed": 5,
                      "response_format": "b64_json"});
    let draw = async |body: &Value| {
        let answer = app.post(PATH, body).await.json().await;
        let inline = answer["data"][0]["b64_json"].as_str().map(str::to_owned);
        BASE64_STANDARD
            .decode(inline.unwrap_or_else(|| panic!("{answer}")))
            .unwrap()
    };
    let first = draw(&body).await;
    assert_eq!(size(&first), (96, 64));
    assert_eq!(draw(&body).await, first);
    let mut other = body.clone();
    other["prompt"] = "a blue whale".into();
    assert_ne!(draw(&other).await, first);
}

#[actix_rt::test]
async fn pictures_that_are_told_of_as_they_are_drawn_pass_as_they_come() {
    let sim = Simulator::start();
    let model = "doubao-seedream-4-0-250828";
    let provider = Provider::at(&sim.at("/ark/api/v3")).models(&[model]);
    let app = App::builder().provider(provider).start().await;
    let body = json!({"model": format!("acme/{model}"), "prompt": "a red fox", "stream": true});
    let answer = app.post(PATH, &body).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(answer.header("x-accel-buffering"), "no");
    let text = answer.text().await;
    for part in ["partial_succeeded", "image_generation.completed", "[DONE]"] {
        assert!(text.contains(part), "{text}");
    }
    let calls = app.calls_once(1).await;
    assert_eq!(calls[0]["outcome"], "ok", "{calls:?}");
}
