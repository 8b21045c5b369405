//! `/v1/responses` keeps its answers: for whom, how long, and through what.

use serde_json::json;
use troupe_simulator::Simulator;

use super::{RESPONSES, input, respond, response, send};
use crate::{
    pairs::{KINDS, app, configured, streaming},
    repeats::key,
    support::App,
};

#[actix_rt::test]
async fn an_answer_can_be_fetched_again_and_deleted() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for (seed, (kind, stream)) in KINDS
        .into_iter()
        .flat_map(|kind| [(kind, false), (kind, true)])
        .enumerate()
    {
        let prompt = format!("seed:{seed}");
        let body = input(&format!("{kind}/sim-stream-5"), &prompt);
        let told = respond(&app, &streaming(body, stream)).await;
        assert_eq!(told["status"], "completed", "{told}");
        assert_eq!(told["store"], true, "{told}");
        let path = format!("{RESPONSES}/{}", told["id"].as_str().unwrap());

        let answer = app.get(&path).await;
        assert!(!answer.header("x-request-id").is_empty());
        assert_eq!(response(answer).await, told, "{kind}, stream {stream}");
        let items = app.get(&format!("{path}/input_items")).await.json().await;
        assert_eq!(
            (&items["object"], &items["has_more"]),
            (&json!("list"), &json!(false))
        );
        assert_eq!(items["data"].as_array().unwrap().len(), 1);
        assert_eq!(items["data"][0]["content"][0]["text"], prompt);
        assert_eq!(items["first_id"], items["data"][0]["id"]);

        let deleted = send(&app, "DELETE", &path, App::API_KEY).await.json().await;
        let expected = json!({"id": told["id"], "object": "response", "deleted": true});
        assert_eq!(deleted, expected);
        app.get(&path).await.error(404, "not_found").await;
        let items = app.get(&format!("{path}/input_items")).await;
        items.error(404, "not_found").await;
        let again = send(&app, "DELETE", &path, App::API_KEY).await;
        again.error(404, "not_found").await;
    }
}

#[actix_rt::test]
async fn nobody_else_sees_it() {
    let simulator = Simulator::start();
    let builder = App::builder().set("keys.refresh_ms", "100");
    let app = configured(&simulator, builder).await;
    let stranger = key(&app, &["--app", "somebody-else"]).await;
    let told = respond(&app, &input("anthropic/sim-stream-5", "secret")).await;
    let id = told["id"].as_str().unwrap();
    let path = format!("{RESPONSES}/{id}");
    for (method, path) in [
        ("GET", path.clone()),
        ("GET", format!("{path}/input_items")),
        ("DELETE", path.clone()),
    ] {
        let answer = send(&app, method, &path, &stranger).await;
        answer.error(404, "not_found").await;
        let nobody = send(&app, method, &path, "tp-nobody-knows-this-key-000000").await;
        nobody.error(401, "invalid_api_key").await;
    }
    let mut body = input("anthropic/sim-mirror", "go on");
    body["previous_response_id"] = json!(id);
    let request = app.client().post(app.url(RESPONSES)).bearer_auth(&stranger);
    let answer = crate::support::Answer::of(request, Some(&body))
        .await
        .unwrap();
    answer.error(400, "previous_response_not_found").await;
    // it is still there for its owner
    assert_eq!(response(app.get(&path).await).await, told);
}

#[actix_rt::test]
async fn nothing_is_left_of_what_was_not_to_be_stored() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for kind in KINDS {
        for stream in [false, true] {
            let mut body = input(&format!("{kind}/sim-stream-5"), &format!("{kind} {stream}"));
            body["store"] = json!(false);
            let told = respond(&app, &streaming(body, stream)).await;
            let path = format!("{RESPONSES}/{}", told["id"].as_str().unwrap());
            app.get(&path).await.error(404, "not_found").await;
        }
    }
}

#[actix_rt::test]
async fn what_failed_or_broke_off_is_not_stored() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for kind in KINDS {
        let model = format!("{kind}/sim-stream-20+cut-after-3");
        let answer = app
            .post(RESPONSES, &streaming(input(&model, "hello"), true))
            .await;
        let events = answer.events().await;
        let first: serde_json::Value = serde_json::from_str(&events[0]).unwrap();
        assert_eq!(first["type"], "response.created");
        let id = first["response"]["id"].as_str().unwrap();
        let path = format!("{RESPONSES}/{id}");
        app.get(&path).await.error(404, "not_found").await;
    }
}

#[actix_rt::test]
async fn kill_9_after_the_last_byte_loses_nothing() {
    let simulator = Simulator::start();
    let mut app = app(&simulator).await;
    for kind in ["anthropic", "openai_responses"] {
        for stream in [false, true] {
            let prompt = format!("{kind} {stream}");
            let body = input(&format!("{kind}/sim-stream-5"), &prompt);
            let told = respond(&app, &streaming(body, stream)).await;
            app.kill9();
            app.restart().await;
            let path = format!("{RESPONSES}/{}", told["id"].as_str().unwrap());
            assert_eq!(response(app.get(&path).await).await, told, "{prompt}");
        }
    }
}
