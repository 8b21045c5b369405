//! The WebSocket: ordering, following, cancelling, and what ends it.

use std::pin::Pin;

use awc::{
    error::{WsClientError, WsProtocolError},
    ws::{Frame, Message},
};
use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use serde_json::{Value, json};
use troupe_simulator::Simulator;

use super::{done, endless, filming, filming_with, fox, id, ordered, reaches, stranger};
use crate::support::{App, Provider, SOON, eventually};

/// A client's end.
struct Socket {
    out: Pin<Box<dyn Sink<Message, Error = WsProtocolError>>>,
    heard: Pin<Box<dyn Stream<Item = Result<Frame, WsProtocolError>>>>,
}

impl Socket {
    async fn try_open(app: &App, key: &str) -> Result<Self, WsClientError> {
        let url = app.url("/api/v1/generate/stream").replacen("http", "ws", 1);
        let request = app.client().ws(url).bearer_auth(key);
        let (out, heard) = request.connect().await?.1.split();
        Ok(Self {
            out: Box::pin(out),
            heard: Box::pin(heard),
        })
    }

    async fn open(app: &App) -> Self {
        Self::try_open(app, App::API_KEY)
            .await
            .expect("a WebSocket")
    }

    async fn say(&mut self, message: &Value) {
        self.out
            .send(Message::Text(message.to_string().into()))
            .await
            .unwrap();
    }

    async fn frame(&mut self) -> Option<Frame> {
        let frame = tokio::time::timeout(SOON, self.heard.next()).await;
        frame.expect("the WebSocket stands still")?.ok()
    }

    /// The next message; pings are answered on the way.
    async fn hear(&mut self) -> Value {
        loop {
            match self.frame().await.expect("the WebSocket has ended") {
                Frame::Text(text) => return serde_json::from_slice(&text).unwrap(),
                Frame::Ping(bytes) => self.out.send(Message::Pong(bytes)).await.unwrap(),
                other => panic!("{other:?}"),
            }
        }
    }

    /// All messages up to the last word of a task.
    async fn hear_out(&mut self) -> Vec<Value> {
        let mut heard = Vec::new();
        loop {
            let message = self.hear().await;
            let status = message["status"].as_str().unwrap_or_default();
            let is_last = ["completed", "failed", "cancelled"].contains(&status);
            heard.push(message);
            if is_last {
                return heard;
            }
        }
    }

    /// The code and reason that it is closed with.
    async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.frame().await.expect("a word at the end") {
                Frame::Close(Some(reason)) => {
                    return (reason.code.into(), reason.description.unwrap_or_default());
                }
                Frame::Close(None) => return (0, String::new()),
                _ => {}
            }
        }
    }
}

fn kinds(heard: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<_> = heard
        .iter()
        .map(|told| told["type"].as_str().unwrap())
        .collect();
    kinds.dedup();
    kinds
}

fn generate(more: &Value) -> Value {
    let mut message = more.clone();
    message["type"] = "generate".into();
    message["request_id"] = "r1".into();
    message
}

#[actix_rt::test]
async fn a_task_is_ordered_and_told_of_until_its_pictures_are_there() {
    let app = App::builder().start().await;
    let mut socket = Socket::open(&app).await;
    let mut order = generate(&fox());
    order["num_images"] = 2.into();
    socket.say(&order).await;
    let heard = socket.hear_out().await;
    assert_eq!(
        (&heard[0]["type"], &heard[0]["request_id"]),
        (&json!("status"), &json!("r1"))
    );
    let last = heard.last().unwrap();
    assert_eq!(
        (&last["status"], &last["progress"]),
        (&json!("completed"), &json!(100))
    );
    let images: Vec<_> = heard
        .iter()
        .filter(|told| told["type"] == "image")
        .collect();
    let places: Vec<_> = images.iter().map(|told| told["index"].as_u64()).collect();
    assert_eq!(places, [Some(0), Some(1)], "{heard:?}");
    assert_eq!(
        heard[heard.len() - 2]["type"],
        "image",
        "the status is the last word"
    );
    let task = super::look(&app, id(&heard[0])).await;
    for (told, image) in images.iter().zip(task["images"].as_array().unwrap()) {
        assert_eq!(&told["image"], image);
        assert_eq!(app.get(image["url"].as_str().unwrap()).await.status, 200);
    }
    // the order has its call record
    let calls = app.calls_once(1).await;
    assert_eq!(
        (&calls[0]["endpoint"], &calls[0]["status"]),
        (&json!("/api/v1/generate/stream"), &json!(201))
    );
}

#[actix_rt::test]
async fn pictures_that_are_drawn_one_after_the_other_are_all_told_of() {
    let sim = Simulator::start();
    // one picture for each order, and one order at a time
    let provider = Provider::at(&sim.base_url())
        .name("openai")
        .models(&["dall-e-3"])
        .tokens(&["sk-one-0001"])
        .with("pool", "{ per_token_concurrency = 1 }");
    let app = App::builder().provider(provider).start().await;
    let mut socket = Socket::open(&app).await;
    let order = json!({"model": "openai/dall-e-3", "prompt": "a fox", "num_images": 3});
    socket.say(&generate(&order)).await;
    let heard = socket.hear_out().await;
    assert_eq!(heard.last().unwrap()["status"], "completed", "{heard:?}");
    let images = heard.iter().filter(|told| told["type"] == "image");
    let places: Vec<_> = images.map(|told| told["index"].as_u64()).collect();
    assert_eq!(places, [Some(0), Some(1), Some(2)], "{heard:?}");
}

#[actix_rt::test]
async fn progress_is_told_and_a_cancelled_task_ends() {
    let sim = Simulator::start();
    let app = filming(&sim).await;
    let (mut socket, mut other) = (Socket::open(&app).await, Socket::open(&app).await);
    let mut order = endless(&app, &sim).await;
    order["request_id"] = "r1".into();
    let task = ordered(&app, &order).await;
    let follow = json!({"type": "subscribe", "task_id": task["task_id"]});
    socket.say(&follow).await;
    let first = socket.hear().await;
    assert_eq!(
        (&first["type"], &first["task_id"]),
        (&json!("status"), &task["task_id"])
    );
    reaches(&app, id(&task), "processing").await;
    loop {
        let told = socket.hear().await;
        if told["type"] == "progress" {
            assert!(told["progress"].as_u64() > Some(0), "{told}");
            break;
        }
    }
    other
        .say(&json!({"type": "cancel", "task_id": task["task_id"]}))
        .await;
    assert_eq!(other.hear().await["status"], "cancelled");
    let heard = socket.hear_out().await;
    assert_eq!(heard.last().unwrap()["status"], "cancelled");
}

#[actix_rt::test]
async fn who_comes_back_is_told_everything_again() {
    let app = App::builder().start().await;
    let task = done(&app, &fox()).await;
    let mut socket = Socket::open(&app).await;
    for _ in 0..2 {
        socket
            .say(&json!({"type": "subscribe", "task_id": task["task_id"]}))
            .await;
        let heard = socket.hear_out().await;
        assert_eq!(kinds(&heard), ["image", "status"], "{heard:?}");
        assert_eq!(heard[0]["image"], task["images"][0]);
    }
}

#[actix_rt::test]
async fn after_a_restart_a_client_goes_on() {
    let sim = Simulator::start();
    let mut app = filming(&sim).await;
    let mut socket = Socket::open(&app).await;
    let task = ordered(&app, &endless(&app, &sim).await).await;
    let follow = json!({"type": "subscribe", "task_id": task["task_id"]});
    socket.say(&follow).await;
    socket.hear().await;
    app.terminate();
    let (code, why) = socket.closed().await;
    assert_eq!((code, why.contains("connect again")), (1001, true), "{why}");
    app.ended().await;
    app.restart().await;
    let mut socket = Socket::open(&app).await;
    socket.say(&follow).await;
    let told = socket.hear().await;
    assert_eq!(
        (&told["type"], &told["task_id"]),
        (&json!("status"), &task["task_id"])
    );
}

#[actix_rt::test]
async fn what_makes_no_sense_is_told_and_the_connection_goes_on() {
    let app = App::builder().set("keys.refresh_ms", "100").start().await;
    let task = done(&app, &fox()).await;
    let key = stranger(&app).await;
    let mut socket = Socket::try_open(&app, &key).await.unwrap();
    socket
        .say(&generate(
            &json!({"prompt": "", "model": "demo/demo-image", "steps": "x"}),
        ))
        .await;
    let told = socket.hear().await;
    let error = &told["error"];
    assert_eq!(
        (&told["type"], &told["request_id"]),
        (&json!("error"), &json!("r1"))
    );
    assert_eq!(
        (&error["kind"], &error["code"]),
        (&json!("validation_error"), &json!("invalid_request"))
    );
    assert!(
        error["details"]["prompt"].is_array() && error["details"]["steps"].is_array(),
        "{told}"
    );
    for message in [
        json!({"type": "subscribe", "task_id": task["task_id"]}),
        json!({"type": "cancel", "task_id": task["task_id"]}),
        json!({"type": "subscribe", "task_id": "nonsense"}),
    ] {
        socket.say(&message).await;
        let told = socket.hear().await;
        let about = (&told["task_id"], &told["error"]["kind"]);
        assert_eq!(
            about,
            (&message["task_id"], &json!("not_found")),
            "another app's task is none"
        );
    }
    socket.say(&json!({"type": "dance"})).await;
    assert_eq!(socket.hear().await["error"]["kind"], "validation_error");
    socket.say(&json!({"type": "ping"})).await;
    assert_eq!(socket.hear().await, json!({"type": "pong"}));
    socket.out.send(Message::Ping("x".into())).await.unwrap();
    loop {
        match socket.frame().await.unwrap() {
            Frame::Pong(bytes) => break assert_eq!(bytes, "x"),
            Frame::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[actix_rt::test]
async fn who_waits_is_told_its_new_place() {
    let sim = Simulator::start();
    let app = filming_with(&sim, &[("jobs.max_running", "1")]).await;
    let body = endless(&app, &sim).await;
    let film = ordered(&app, &body).await;
    reaches(&app, id(&film), "processing").await;
    let (ahead, task) = (ordered(&app, &body).await, ordered(&app, &body).await);
    let mut socket = Socket::open(&app).await;
    socket
        .say(&json!({"type": "subscribe", "task_id": task["task_id"]}))
        .await;
    let told = socket.hear().await;
    assert_eq!(
        (&told["type"], &told["queue_position"]),
        (&json!("status"), &json!(2)),
        "{told}"
    );
    let before = told["estimated_time"].as_u64().unwrap();
    app.delete(&format!("/api/v1/task/{}", id(&ahead)))
        .await
        .ok()
        .await;
    let told = socket.hear().await;
    assert_eq!(
        (&told["type"], &told["queue_position"]),
        (&json!("progress"), &json!(1)),
        "{told}"
    );
    assert!(told["estimated_time"].as_u64().unwrap() < before, "{told}");
}

#[actix_rt::test]
async fn everything_is_bounded() {
    let sim = Simulator::start();
    let settings = [
        ("studio.sockets_per_app", "2"),
        ("studio.tasks_per_socket", "1"),
        ("studio.socket_message_bytes", "2048"),
        ("studio.socket_ping_seconds", "1"),
        ("studio.socket_idle_seconds", "2"),
    ];
    let app = filming_with(&sim, &settings).await;
    let (mut one, mut other) = (Socket::open(&app).await, Socket::open(&app).await);
    assert!(
        Socket::try_open(&app, App::API_KEY).await.is_err(),
        "a third one"
    );
    let body = endless(&app, &sim).await;
    let tasks = [ordered(&app, &body).await, ordered(&app, &body).await];
    for task in &tasks {
        one.say(&json!({"type": "subscribe", "task_id": task["task_id"]}))
            .await;
    }
    loop {
        let told = one.hear().await;
        if told["type"] == "error" {
            assert_eq!(told["task_id"], tasks[1]["task_id"]);
            break assert_eq!(told["error"]["kind"], "rate_limit_exceeded");
        }
    }
    one.say(&json!({"type": "generate", "prompt": "x".repeat(4_000)}))
        .await;
    assert_eq!(one.closed().await.0, 1002);
    // no pong: it is taken for dead
    let (code, why) = other.closed().await;
    assert_eq!(
        (code, why.as_str()),
        (1008, "nothing was heard, not even a pong")
    );
    drop((one, other));
    eventually("free seats", async || {
        Socket::try_open(&app, App::API_KEY).await.ok()
    })
    .await;
    let keyless = Socket::try_open(&app, "tp-nobody").await;
    assert!(matches!(keyless, Err(WsClientError::InvalidResponseStatus(status)) if status == 401));
    // no WebSocket at all
    let plain = app.get("/api/v1/generate/stream").await;
    super::refused(plain, 400, "validation_error").await;
}
