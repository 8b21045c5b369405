//! Each behaviour, seen by a client over real sockets.

use std::{
    io::{Read, Write},
    net::TcpStream,
    pin::Pin,
    time::{Duration, Instant},
};

use awc::{Client, error::PayloadError, http::header::HeaderMap};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde_json::{Value, json};

use crate::{Behaviour, Simulator, Stats};

const SOON: Duration = Duration::from_secs(10);

/// Sends a chat request; `None` if no answer's head came.
async fn ask(sim: &Simulator, body: Value) -> Option<Answer> {
    post(sim, "/chat/completions", &body).await
}

async fn post(sim: &Simulator, path: &str, body: &Value) -> Option<Answer> {
    let url = format!("{}{path}", sim.base_url());
    let request = client()
        .post(url)
        .insert_header(("authorization", "Bearer sk-a"));
    let answer = request.send_json(body).await.ok()?;
    Some(Answer {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        body: Box::pin(answer),
    })
}

fn client() -> Client {
    // awc's connector needs one even where no TLS is spoken; another test may have been first
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().timeout(SOON).finish()
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>,
}

impl Answer {
    async fn json(self) -> Value {
        serde_json::from_str(&self.drain().await.0).unwrap()
    }

    /// The whole body and how it ended.
    async fn drain(mut self) -> (String, Result<(), PayloadError>) {
        let mut all = Vec::new();
        while let Some(piece) = self.body.next().await {
            match piece {
                Ok(piece) => all.extend_from_slice(&piece),
                Err(error) => return (String::from_utf8(all).unwrap(), Err(error)),
            }
        }
        (String::from_utf8(all).unwrap(), Ok(()))
    }
}

/// The bytes of an answer as they came: awc takes a cut body for a whole one.
fn raw(sim: &Simulator, body: &Value) -> String {
    let body = body.to_string();
    let mut socket = TcpStream::connect(sim.address()).unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n\
         authorization: Bearer sk-a\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

fn stream(model: &str) -> Value {
    json!({"model": model, "stream": true, "messages": [{"role": "user", "content": "hi seed:7"}]})
}

/// The text of a stream's events, joined.
fn text(body: &str) -> String {
    frames(body)
        .iter()
        .filter_map(|frame| {
            frame["choices"][0]["delta"]["content"]
                .as_str()
                .map(str::to_owned)
        })
        .collect()
}

fn frames(body: &str) -> Vec<Value> {
    body.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|data| serde_json::from_str(data).ok())
        .collect()
}

#[actix_rt::test]
async fn answers_as_the_real_service_does() {
    let sim = Simulator::start();
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "seed:3"}]});
    let answer = ask(&sim, body).await.unwrap().json().await;
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.starts_with("3-0 3-1 "), "{text}");
    assert_eq!(answer["usage"]["prompt_tokens"], 11);
    let stats: Stats = sim.script().stats();
    assert_eq!((stats.requests, stats.token("sk-a")), (1, 1));
    assert_eq!(stats.model("gpt-4o"), 1);
    assert_eq!(stats.path("/v1/chat/completions"), 1);
}

#[actix_rt::test]
async fn a_plain_answer_has_the_size_that_its_model_names() {
    let sim = Simulator::start();
    for (model, size) in [("sim-1k", 1024), ("sim-big-3m", 3 << 20)] {
        let answer = ask(&sim, json!({"model": model, "messages": []}))
            .await
            .unwrap();
        let (body, end) = answer.drain().await;
        assert_eq!(body.len(), size);
        assert!(end.is_ok());
        assert!(serde_json::from_str::<Value>(&body).is_ok());
    }
}

#[actix_rt::test]
async fn a_stream_ends_with_usage_and_done() {
    let sim = Simulator::start();
    let mut body = stream("sim-stream-5");
    body["stream_options"] = json!({"include_usage": true});
    let (body, end) = ask(&sim, body).await.unwrap().drain().await;
    assert!(end.is_ok());
    assert_eq!(text(&body), "7-0 7-1 7-2 7-3 7-4 ");
    assert!(body.ends_with("data: [DONE]\n\n"));
    let frames = frames(&body);
    let (last, others) = frames.split_last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"]["completion_tokens"], 5);
    assert!(others.iter().all(|frame| frame["usage"].is_null()));
    let stats = sim
        .script()
        .wait_for(SOON, |stats| stats.streams_completed == 1)
        .await;
    assert_eq!(
        (stats.streams_opened, stats.cancelled, stats.open),
        (1, 0, 0)
    );
}

#[actix_rt::test]
async fn paces_are_kept() {
    let sim = Simulator::start();
    let began = Instant::now();
    let (body, _) = ask(&sim, stream("sim-stream-6x20ms"))
        .await
        .unwrap()
        .drain()
        .await;
    assert_eq!(text(&body), "7-0 7-1 7-2 7-3 7-4 7-5 ");
    assert!(began.elapsed() >= Duration::from_millis(100));
}

#[actix_rt::test]
async fn streams_break_off_as_told() {
    let sim = Simulator::start();
    let answer = raw(&sim, &stream("sim-stream-5+cut-after-2"));
    assert_eq!(text(&answer), "7-0 7-1 ");
    assert!(
        !answer.ends_with("0\r\n\r\n"),
        "a cut stream has no terminator"
    );
    sim.script().wait_for(SOON, |stats| stats.cuts == 1).await;

    let (body, end) = ask(&sim, stream("sim-no-done"))
        .await
        .unwrap()
        .drain()
        .await;
    assert!(end.is_ok() && !body.contains("[DONE]"));
    let (body, end) = ask(&sim, stream("sim-error-after-2"))
        .await
        .unwrap()
        .drain()
        .await;
    assert!(end.is_ok() && body.ends_with("}}\n\n"), "{body}");
    assert_eq!(
        frames(&body).last().unwrap()["error"]["type"],
        "server_error"
    );
    let (body, _) = ask(&sim, stream("sim-malformed"))
        .await
        .unwrap()
        .drain()
        .await;
    assert!(body.contains("nonsense without a colon"));
    let (body, _) = ask(&sim, stream("sim-line-1m"))
        .await
        .unwrap()
        .drain()
        .await;
    assert!(body.lines().any(|line| line.len() == 1 << 20));
}

#[actix_rt::test]
async fn odd_writes_carry_the_same_bytes() {
    let sim = Simulator::start();
    let plain = json!({"model": "sim-utf8", "messages": []});
    let (whole, _) = ask(&sim, plain.clone()).await.unwrap().drain().await;
    assert!(whole.contains("né0世界🎭 né1"), "{whole}");
    let body = json!({"model": "sim-utf8", "stream": true, "messages": []});
    let mut answer = ask(&sim, body).await.unwrap();
    let (mut all, mut broken) = (Vec::new(), false);
    while let Some(piece) = answer.body.next().await {
        let piece: Bytes = piece.unwrap();
        broken |= std::str::from_utf8(&piece).is_err();
        all.extend_from_slice(&piece);
    }
    assert!(broken, "no character was cut in two");
    assert!(text(std::str::from_utf8(&all).unwrap()).starts_with("né0世界🎭 né1"));
    let (body, end) = ask(&sim, stream("sim-stream-2+bytes"))
        .await
        .unwrap()
        .drain()
        .await;
    assert!(end.is_ok());
    assert_eq!(text(&body), "7-0 7-1 ");
}

#[actix_rt::test]
async fn refuses_in_the_words_of_the_real_service() {
    let sim = Simulator::start();
    for (model, status, code) in [
        ("sim-status-400", 400, "context_length_exceeded"),
        ("sim-status-401", 401, "invalid_api_key"),
        ("sim-status-403", 403, "model_not_found"),
        ("sim-missing", 404, "model_not_found"),
        ("sim-status-429", 429, "rate_limit_exceeded"),
        ("sim-quota", 429, "insufficient_quota"),
        ("sim-policy", 400, "content_policy_violation"),
        ("sim-unheard-of", 404, "model_not_found"),
    ] {
        let answer = ask(&sim, stream(model)).await.unwrap();
        assert_eq!(answer.status, status, "{model}");
        assert_eq!(answer.json().await["error"]["code"], code, "{model}");
    }
    let answer = ask(&sim, stream("sim-status-429-after-7")).await.unwrap();
    assert_eq!(answer.headers.get("retry-after").unwrap(), "7");
    let (body, _) = ask(&sim, stream("sim-leak")).await.unwrap().drain().await;
    assert!(body.contains("sk-a"));
    let bare = client().get(format!("{}/models", sim.base_url()));
    assert_eq!(bare.send().await.unwrap().status(), 401);
}

#[actix_rt::test]
async fn a_client_that_leaves_is_counted_at_once() {
    let sim = Simulator::start();
    let mut answer = ask(&sim, stream("sim-stream-3+hang-after-2"))
        .await
        .unwrap();
    let mut seen = String::new();
    while !seen.contains("7-1 ") {
        seen.push_str(std::str::from_utf8(&answer.body.next().await.unwrap().unwrap()).unwrap());
    }
    let left = Instant::now();
    drop(answer);
    let stats = sim
        .script()
        .wait_for(SOON, |stats| stats.cancelled == 1)
        .await;
    let [cancellation] = stats.cancellations.as_slice() else {
        panic!("{stats:?}");
    };
    assert_eq!(cancellation.events, 2);
    assert!(cancellation.at.unwrap() - left < Duration::from_millis(100));
    assert_eq!(stats.open, 0);
}

#[actix_rt::test]
async fn a_hang_and_a_cut_leave_no_answer() {
    let sim = Simulator::start();
    assert!(ask(&sim, stream("sim-cut")).await.is_none());
    sim.script().wait_for(SOON, |stats| stats.cuts == 1).await;
    let body = stream("sim-hang");
    let mut hanging = Box::pin(ask(&sim, body));
    let opened = sim.script().wait_for(SOON, |stats| stats.open == 1);
    let either = futures_util::future::select(&mut hanging, Box::pin(opened)).await;
    drop(either);
    drop(hanging);
    sim.script()
        .wait_for(SOON, |stats| stats.cancelled == 1)
        .await;
}

#[actix_rt::test]
async fn plain_answers_break_off_too() {
    let sim = Simulator::start();
    let plain = |model: &str| json!({"model": model, "messages": []});
    let answer = raw(&sim, &plain("sim-cut-after-1"));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let promised = head.split_once("content-length: ").unwrap().1;
    let promised: usize = promised.lines().next().unwrap().parse().unwrap();
    assert!(!body.is_empty() && body.len() < promised);
    let (body, end) = ask(&sim, plain("sim-drip-2ms"))
        .await
        .unwrap()
        .drain()
        .await;
    assert!(end.is_ok() && serde_json::from_str::<Value>(&body).is_ok());
    let (body, _) = ask(&sim, plain("sim-malformed"))
        .await
        .unwrap()
        .drain()
        .await;
    assert!(serde_json::from_str::<Value>(&body).is_err());
}

#[actix_rt::test]
async fn rules_come_before_names() {
    let sim = Simulator::start();
    sim.script()
        .token("sk-a")
        .answers([Behaviour::rate_limited("3"), Behaviour::Ok]);
    assert_eq!(ask(&sim, stream("sim-hang")).await.unwrap().status, 429);
    assert_eq!(ask(&sim, stream("sim-hang")).await.unwrap().status, 200);
    let root = format!("http://{}", sim.address());
    let order = json!({"token": "sk-a", "answers": ["status-503"]});
    let ordered = client()
        .post(format!("{root}/_sim/script"))
        .send_json(&order)
        .await;
    assert_eq!(ordered.unwrap().status(), 204);
    assert_eq!(ask(&sim, stream("gpt-4o")).await.unwrap().status, 503);
    let stats = client().get(format!("{root}/_sim/stats")).send().await;
    let stats: Value = stats.unwrap().json().await.unwrap();
    assert_eq!(stats["by_token"]["sk-a"], 3);
    let reset = client().post(format!("{root}/_sim/reset")).send().await;
    assert_eq!(reset.unwrap().status(), 204);
    assert_eq!(sim.script().stats().requests, 0);
}

#[actix_rt::test]
async fn echoes_what_it_got() {
    let sim = Simulator::start();
    let body = json!({"model": "sim-echo", "messages": [], "custom": {"deep": [1, 2]}});
    let echo = ask(&sim, body.clone()).await.unwrap().json().await["echo"].clone();
    assert_eq!(echo["body"], body);
    assert_eq!(echo["headers"]["authorization"], "Bearer sk-a");
}

#[actix_rt::test]
async fn embeds_in_both_encodings() {
    let sim = Simulator::start();
    let ask = |format: &str| {
        json!({"model": "text-embedding-3-small", "input": ["a", "b"], "dimensions": 8,
               "encoding_format": format})
    };
    let floats = post(&sim, "/embeddings", &ask("float"))
        .await
        .unwrap()
        .json()
        .await;
    let packed = post(&sim, "/embeddings", &ask("base64"))
        .await
        .unwrap()
        .json()
        .await;
    let numbers = floats["data"][1]["embedding"].as_array().unwrap();
    let bytes = packed["data"][1]["embedding"].as_str().unwrap();
    let bytes = BASE64_STANDARD.decode(bytes).unwrap();
    assert_eq!((numbers.len(), bytes.len()), (8, 32));
    assert_ne!(
        floats["data"][0]["embedding"],
        floats["data"][1]["embedding"]
    );
    let bad = post(&sim, "/embeddings", &json!({"model": "m", "input": 5})).await;
    assert_eq!(bad.unwrap().status, 400);
}

#[actix_rt::test]
async fn images_come_as_links_or_base64() {
    let sim = Simulator::start();
    let ask = json!({"model": "sim-image-1m", "prompt": "a cat", "n": 2, "size": "256x256"});
    let linked = post(&sim, "/images/generations", &ask)
        .await
        .unwrap()
        .json()
        .await;
    assert_eq!(linked["data"].as_array().unwrap().len(), 2);
    let url = linked["data"][0]["url"].as_str().unwrap();
    let mut file = client().get(url).send().await.unwrap();
    let file = file.body().limit(16 << 20).await.unwrap();
    assert_eq!(file.len(), 1 << 20);
    assert!(file.starts_with(b"\x89PNG"));
    let mut ask = ask;
    ask["response_format"] = "b64_json".into();
    let inline = post(&sim, "/images/generations", &ask)
        .await
        .unwrap()
        .json()
        .await;
    let inline = inline["data"][0]["b64_json"].as_str().unwrap();
    assert_eq!(BASE64_STANDARD.decode(inline).unwrap(), file);
}

#[actix_rt::test]
async fn lists_its_models() {
    let sim = Simulator::start();
    sim.script().models(["a", "b/c"]);
    let get = async |path: &str| {
        let request = client().get(format!("{}{path}", sim.base_url()));
        request
            .insert_header(("authorization", "Bearer sk-a"))
            .send()
            .await
            .unwrap()
    };
    let listed: Value = get("/models").await.json().await.unwrap();
    assert_eq!(listed["data"][1]["id"], "b/c");
    assert_eq!(get("/models/b/c").await.status(), 200);
    assert_eq!(get("/models/d").await.status(), 404);
}

#[actix_rt::test]
async fn the_last_request_is_kept_where_that_is_wanted() {
    let sim = Simulator::start();
    let root = format!("http://{}", sim.address());
    let last = async || {
        let url = format!("{root}/_sim/last?path=/v1/chat/completions");
        client().get(url).send().await.unwrap()
    };
    assert_eq!(last().await.status(), 404);
    ask(&sim, stream("gpt-4o"))
        .await
        .unwrap()
        .drain()
        .await
        .1
        .unwrap();
    let kept: Value = last().await.json().await.unwrap();
    assert_eq!(kept["headers"]["authorization"], "Bearer sk-a");
    let received = sim.script().last_request("/v1/chat/completions").unwrap();
    assert_eq!(received.json(), stream("gpt-4o"));
    sim.script().reset();
    let order = client().post(format!("{root}/_sim/script"));
    order.send_json(&json!({"keep": false})).await.unwrap();
    ask(&sim, stream("gpt-4o"))
        .await
        .unwrap()
        .drain()
        .await
        .1
        .unwrap();
    assert!(sim.script().last_request("/v1/chat/completions").is_none());
}
