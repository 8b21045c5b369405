//! Spaces and the router over real sockets.

use serde_json::{Value, json};

use crate::{
    behaviour::Behaviour,
    trial::{Heard, Trial},
};

const FLUX: &str = "/huggingface/spaces/black-forest-labs-flux-1-schnell/gradio_api";
const TOKEN: &str = "hf_sim";

fn trial() -> Trial {
    Trial::new(&[("authorization", "Bearer hf_sim")])
}

/// Calls a function and hears what comes of it.
async fn call(trial: &Trial, url: &str, data: Value) -> Heard {
    let taken = trial.post(url, &json!({"data": data})).await;
    let id = taken.json()["event_id"].as_str().unwrap().to_owned();
    trial.get(&format!("{url}/{id}")).await
}

fn apple(prompt: &str) -> Value {
    json!([prompt, 42, false, 96, 64, 4])
}

/// The path of a link to the simulator itself.
fn path(trial: &Trial, link: &Value) -> String {
    let host = format!("http://{}", trial.sim.address());
    link.as_str()
        .unwrap()
        .strip_prefix(&host)
        .unwrap()
        .to_owned()
}

#[actix_web::test]
async fn a_function_is_called_and_its_result_read_once() {
    let trial = trial();
    let url = format!("{FLUX}/call/infer");
    let taken = trial.post(&url, &json!({"data": apple("an apple")})).await;
    let event = format!("{url}/{}", taken.json()["event_id"].as_str().unwrap());
    let heard = trial.get(&event).await;
    assert!(heard.text.starts_with("event: heartbeat\ndata: null\n\n"));
    let result = heard.events().pop().unwrap();
    assert_eq!(result[0]["is_stream"], false);
    let link = path(&trial, &result[0]["url"]);
    assert_eq!(link, format!("{FLUX}/file=/tmp/gradio/96x64-0.png"));
    assert!(
        trial
            .post_raw(&link, &Value::Null)
            .await
            .starts_with(b"\x89PNG")
    );
    assert_eq!(trial.get(&event).await.status, 404);
    let doomed = call(&trial, &url, apple("a doomed apple")).await;
    assert!(doomed.text.ends_with("event: error\ndata: null\n\n"));
}

#[actix_web::test]
async fn functions_want_their_own_name_and_arguments() {
    let trial = trial();
    let infer = format!("{FLUX}/call/infer");
    for (url, data, status) in [
        (infer.as_str(), json!(["an apple"]), 422),
        (&infer, json!(["an apple", 42, false, "96", 64, 4]), 422),
        (&format!("{FLUX}/call/draw"), apple("an apple"), 404),
        (
            "/huggingface/spaces/me-gradio4/gradio_api/call/draw",
            json!([]),
            404,
        ),
        ("/huggingface/spaces/me-gradio4/call/draw", json!([]), 200),
        (
            "/huggingface/spaces/sim-status-503/gradio_api/call/draw",
            json!([]),
            503,
        ),
    ] {
        let answer = trial.post(url, &json!({"data": data})).await;
        assert_eq!(answer.status, status, "{url}");
    }
}

#[actix_web::test]
async fn every_space_has_its_own_shape() {
    let trial = trial();
    let space =
        |host: &str, name: &str| format!("/huggingface/spaces/{host}/gradio_api/call/{name}");
    let file =
        json!({"path": "/tmp/gradio/upload-0/image.png", "meta": {"_type": "gradio.FileData"}});
    let edit = json!([[{"image": file}], "x", 42, false, 4.0, 16, 64, 64, true]);
    let edited = call(
        &trial,
        &space("linoyts-qwen-image-edit-2511-fast", "infer"),
        edit,
    )
    .await;
    assert!(edited.events().pop().unwrap()[0][0]["image"]["url"].is_string());
    let upscale = json!([file, "RealESRGAN_x4plus", 0.5, false, 4]);
    let upscaled = call(&trial, &space("tuan2308-upscaler", "realesrgan"), upscale).await;
    assert_eq!(
        upscaled.events().pop().unwrap()[0]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let film = json!([file, "x", 10, "", 3, 4.0, 4.0, 42, false]);
    let url = space("fradeck619-wan2-2-fp8da-aoti-faster", "generate_video");
    let film = call(&trial, &url, film).await.events().pop().unwrap();
    let link = path(&trial, &film[0]["video"]["url"]);
    assert_eq!(&trial.post_raw(&link, &Value::Null).await[4..8], b"ftyp");
}

#[actix_web::test]
async fn the_queue_wants_a_number() {
    let trial = trial();
    let space = "/huggingface/spaces/me-app";
    let config = trial.get(&format!("{space}/config")).await.json();
    assert_eq!(
        config["dependencies"][1],
        json!({"id": 1, "api_name": "draw"})
    );
    let join = |session: &str, prompt: &str| json!({"data": [prompt], "fn_index": 1, "session_hash": session});
    let url = format!("{space}/gradio_api/queue");
    let named = json!({"data": [], "api_name": "draw", "session_hash": "s"});
    assert_eq!(trial.post(&format!("{url}/join"), &named).await.status, 422);
    for (session, prompt, success) in [("s1", "an apple", true), ("s2", "doomed", false)] {
        let taken = trial
            .post(&format!("{url}/join"), &join(session, prompt))
            .await;
        let heard = trial
            .get(&format!("{url}/data?session_hash={session}"))
            .await;
        let events = heard.events();
        let [.., completed, close] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(completed["event_id"], taken.json()["event_id"]);
        assert_eq!(
            (&completed["success"], &close["msg"]),
            (&json!(success), &json!("close_stream"))
        );
    }
    trial
        .post(&format!("{url}/join"), &join("s3", "endless"))
        .await;
    let cancel = format!("{space}/gradio_api/cancel");
    let body = json!({"session_hash": "s3", "fn_index": 1, "event_id": "event-s3"});
    assert_eq!(trial.post(&cancel, &body).await.status, 200);
}

#[actix_web::test]
async fn who_is_spent_learns_it_where_the_real_service_says_it() {
    let trial = trial();
    let spent = trial.sim.script().token(TOKEN);
    spent.answers([Behaviour::insufficient_quota()]);
    let heard = call(&trial, &format!("{FLUX}/call/infer"), apple("an apple")).await;
    let error = heard.events().pop().unwrap();
    assert!(
        error["error"]
            .as_str()
            .unwrap()
            .contains("Try again in 23:59:09")
    );
    let routed = trial
        .post("/huggingface/fal-ai/m", &json!({"prompt": "x"}))
        .await;
    assert_eq!(routed.status, 402);
    assert!(routed.text.contains("monthly included credits"));
    trial.sim.script().token(TOKEN).answers([]);
    let quota = trial
        .get("/huggingface/hub/api/spaces/zero-gpu/quota")
        .await
        .json();
    assert_eq!(
        (&quota["base"], &quota["current"]),
        (&json!(300), &json!(240))
    );
}

#[actix_web::test]
async fn nobody_has_spaces_but_no_router() {
    let trial = Trial::new(&[]);
    let heard = call(&trial, &format!("{FLUX}/call/infer"), apple("an apple")).await;
    assert!(heard.text.contains("event: complete"));
    let routed = trial
        .post("/huggingface/fal-ai/m", &json!({"prompt": "x"}))
        .await;
    assert_eq!(routed.status, 401);
    assert_eq!(trial.sim.script().stats().token("anonymous"), 2);
}

#[actix_web::test]
async fn providers_that_answer_at_once() {
    let trial = trial();
    let prompt = json!({"prompt": "x", "image_size": {"width": 96, "height": 64}});
    let fal = trial
        .post("/huggingface/fal-ai/fal-ai/flux", &prompt)
        .await
        .json();
    assert!(
        fal["images"][0]["url"]
            .as_str()
            .unwrap()
            .ends_with("/files/96x64-0.png")
    );
    let input = json!({"input": {"prompt": "x", "width": 96, "height": 64}});
    let url = "/huggingface/replicate/v1/models/m/x/predictions";
    let replicate = trial.post(url, &input).await.json();
    assert!(
        replicate["output"][0]
            .as_str()
            .unwrap()
            .ends_with("/files/96x64-0.png")
    );
    let bare = trial
        .post_raw(
            "/huggingface/hf-inference/models/m/x",
            &json!({"inputs": "x"}),
        )
        .await;
    assert!(bare.starts_with(b"\x89PNG"));
    for (via, format) in [("together", "base64"), ("nscale", "b64_json")] {
        let url = format!("/huggingface/{via}/v1/images/generations");
        let body = |format: &str| json!({"model": "m", "prompt": "x", "response_format": format, "size": "96x64"});
        let answer = trial.post(&url, &body(format)).await.json();
        assert!(
            answer["data"][0]["b64_json"]
                .as_str()
                .unwrap()
                .starts_with("iVBOR")
        );
        assert_eq!(trial.post(&url, &body("url")).await.status, 400);
    }
}

#[actix_web::test]
async fn providers_with_tasks() {
    let trial = trial();
    let film = json!({"prompt": "x", "image_url": "data:"});
    let url = "/huggingface/fal-ai/fal-ai/wan/image-to-video?_subdomain=queue";
    let taken = trial.post(url, &film).await.json();
    let task = format!(
        "/huggingface/fal-ai/fal-ai/wan/requests/{}",
        taken["request_id"].as_str().unwrap()
    );
    let mut states = Vec::new();
    for _ in 0..3 {
        let status = trial
            .get(&format!("{task}/status?_subdomain=queue"))
            .await
            .json();
        states.push(status["status"].as_str().unwrap().to_owned());
    }
    assert_eq!(states, ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]);
    let result = trial.get(&format!("{task}?_subdomain=queue")).await.json();
    assert!(result["video"]["url"].as_str().unwrap().ends_with(".mp4"));

    let edit = json!({"version": "5c7d", "input": {"prompt": "doomed", "image": "data:"}});
    let taken = trial
        .post("/huggingface/replicate/v1/predictions", &edit)
        .await
        .json();
    let task = format!(
        "/huggingface/replicate/v1/predictions/{}",
        taken["id"].as_str().unwrap()
    );
    for status in ["starting", "processing", "failed"] {
        assert_eq!(trial.get(&task).await.json()["status"], status);
    }
    assert_eq!(
        trial
            .post(&format!("{task}/cancel"), &Value::Null)
            .await
            .status,
        200
    );
    assert_eq!(trial.get(&task).await.json()["status"], "canceled");

    let taken = trial
        .post(
            "/huggingface/wavespeed/api/v3/m/x",
            &json!({"prompt": "x", "size": "96*64"}),
        )
        .await;
    let id = taken.json()["data"]["id"].as_str().unwrap().to_owned();
    let url = format!("/huggingface/wavespeed/api/v3/predictions/{id}/result");
    for status in ["created", "processing", "completed"] {
        assert_eq!(trial.get(&url).await.json()["data"]["status"], status);
    }
    let done = trial.get(&url).await.json();
    assert!(
        done["data"]["outputs"][0]
            .as_str()
            .unwrap()
            .ends_with("/files/96x64-0.png")
    );
}
