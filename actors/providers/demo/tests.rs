//! The provider as the gateway meets it: a body in, a body or events out.

use serde_json::{Value, json};
use troupe_protocol::openai::stream::StreamTap;

use super::*;

const WHOLE: DemoSurface = DemoSurface::Chat {
    stream: false,
    include_usage: false,
};

fn ask(surface: DemoSurface, model: &str, body: &Value) -> Result<DemoResponse, DemoError> {
    respond(&DemoRequest {
        surface,
        model,
        named: "demo/it",
        body: body.to_string().as_bytes(),
        id: "chatcmpl-7",
        now: 1_700_000_000,
    })
}

fn whole(surface: DemoSurface, model: &str, body: &Value) -> Value {
    match ask(surface, model, body).unwrap() {
        DemoResponse::Whole(body) => serde_json::from_slice(&body).unwrap(),
        DemoResponse::Events(_) => panic!("a stream"),
    }
}

fn refused_param(surface: DemoSurface, model: &str, body: &Value) -> String {
    match ask(surface, model, body).unwrap_err() {
        DemoError::Request(error) => error.param().unwrap().to_owned(),
        DemoError::Encode(error) => panic!("{error}"),
    }
}

fn said(text: &str) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": text}]})
}

#[test]
fn a_chat_answer_and_its_stream_say_the_same() {
    let answer = whole(WHOLE, CHAT_MODEL, &said("What is Troupe?"));
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.contains("What is Troupe?"));
    assert_eq!(answer["model"], "demo/it");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");

    let stream = DemoSurface::Chat {
        stream: true,
        include_usage: true,
    };
    let DemoResponse::Events(events) = ask(stream, CHAT_MODEL, &said("What is Troupe?")).unwrap()
    else {
        panic!("no stream")
    };
    let mut tap = StreamTap::new(false, 1 << 16);
    let mut streamed = String::new();
    for event in events {
        tap.push(event.clone()).unwrap();
        let data = event.strip_prefix(b"data: ").unwrap();
        if let Ok(chunk) = serde_json::from_slice::<Value>(data) {
            streamed += chunk["choices"][0]["delta"]["content"]
                .as_str()
                .unwrap_or("");
        }
    }
    assert_eq!(streamed, text);
    assert!(tap.done() && tap.seen().finish_reason);
    assert_eq!(
        tap.usage().unwrap().completion,
        answer["usage"]["completion_tokens"]
    );
}

#[test]
fn a_token_limit_ends_the_answer_with_length() {
    for field in ["max_tokens", "max_completion_tokens"] {
        let mut body = said("hi");
        body[field] = json!(2);
        let answer = whole(WHOLE, CHAT_MODEL, &body);
        assert_eq!(answer["choices"][0]["finish_reason"], "length");
        assert_eq!(answer["usage"]["completion_tokens"], 2);
        body[field] = json!("two");
        assert_eq!(refused_param(WHOLE, CHAT_MODEL, &body), "max_tokens");
    }
}

#[test]
fn embeddings_come_in_order_and_as_long_as_asked() {
    let body = json!({"input": ["a cat", "a cat", "a dog"], "dimensions": 32});
    let answer = whole(DemoSurface::Embeddings, EMBED_MODEL, &body);
    let vector = |index: usize| {
        answer["data"][index]["embedding"]
            .as_array()
            .unwrap()
            .clone()
    };
    assert_eq!(vector(0).len(), 32);
    assert_eq!(vector(0), vector(1));
    assert_ne!(vector(0), vector(2));
    assert_eq!(answer["usage"]["prompt_tokens"], 6);

    let tokens = whole(
        DemoSurface::Embeddings,
        EMBED_MODEL,
        &json!({"input": [1, 2, 3]}),
    );
    assert_eq!(tokens["usage"]["prompt_tokens"], 3);
    let too_long = json!({"input": "a", "dimensions": 9_999});
    assert_eq!(
        refused_param(DemoSurface::Embeddings, EMBED_MODEL, &too_long),
        "dimensions"
    );
}

#[test]
fn pictures_are_drawn_one_seed_apart() {
    let body = json!({"prompt": "a lake", "n": 2, "size": "64x96", "seed": 5});
    let answer = whole(DemoSurface::Images, IMAGE_MODEL, &body);
    let picture = |index: usize| {
        let text = answer["data"][index]["b64_json"].as_str().unwrap();
        BASE64_STANDARD.decode(text).unwrap()
    };
    assert_eq!(picture(0), draw::draw("a lake", 5, 64, 96).unwrap());
    assert_eq!(picture(1), draw::draw("a lake", 6, 64, 96).unwrap());
    assert_eq!(answer["data"][1]["seed"], 6);
    assert_eq!(answer["created"], 1_700_000_000);
}

#[test]
fn what_cannot_be_served_is_refused_by_name() {
    let picture = |field: &str, value: Value| {
        let mut body = json!({"prompt": "x"});
        body[field] = value;
        refused_param(DemoSurface::Images, IMAGE_MODEL, &body)
    };
    assert_eq!(picture("n", json!(5)), "n");
    assert_eq!(picture("size", json!("10000x64")), "size");
    assert_eq!(refused_param(WHOLE, IMAGE_MODEL, &said("x")), "model");
    assert_eq!(
        refused_param(DemoSurface::Images, "gpt-image-1", &json!({})),
        "model"
    );
    assert_eq!(
        refused_param(WHOLE, CHAT_MODEL, &json!({"messages": []})),
        "messages"
    );
}
