//! Scenes and strictness of chat over real sockets; the stock's own tests are the crate's.

use serde_json::{Value, json};

use crate::{
    fingerprint, long_text,
    trial::{Heard, Trial, joined, with},
};

const PATH: &str = "/v1/chat/completions";

fn trial() -> Trial {
    Trial::new(&[("authorization", "Bearer sk-a")])
}

fn ask(model: &str, prompt: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": prompt}]})
}

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let tool =
        |name: &str| json!({"type": "function", "function": {"name": name, "parameters": schema}});
    json!([tool("weather"), tool("clock")])
}

async fn say(trial: &Trial, body: &Value) -> Value {
    let heard = trial.post(PATH, body).await;
    assert_eq!(heard.status, 200, "{}", heard.text);
    heard.json()
}

async fn stream(trial: &Trial, body: &Value) -> Heard {
    let streamed = json!({"stream": true, "stream_options": {"include_usage": true}});
    trial.post(PATH, &with(body.clone(), &streamed)).await
}

/// The message, finish reason and usage that a stream's chunks make.
fn assembled(heard: &Heard) -> Value {
    let mut message = json!({});
    let mut calls: Vec<Value> = Vec::new();
    let mut end = json!({});
    let append = |place: &mut Value, more: &Value| {
        if let Some(more) = more.as_str() {
            *place = format!("{}{more}", place.as_str().unwrap_or_default()).into();
        }
    };
    for event in heard.events() {
        let choice = &event["choices"][0];
        for name in ["content", "refusal", "reasoning_content"] {
            append(&mut message[name], &choice["delta"][name]);
        }
        for delta in choice["delta"]["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let index = usize::try_from(delta["index"].as_u64().unwrap()).unwrap();
            match calls.get_mut(index) {
                None => {
                    assert_eq!(index, calls.len());
                    let mut call = delta.clone();
                    call.as_object_mut().unwrap().remove("index");
                    calls.push(call);
                }
                Some(call) => {
                    assert!(delta.get("id").is_none());
                    append(
                        &mut call["function"]["arguments"],
                        &delta["function"]["arguments"],
                    );
                }
            }
        }
        if choice["finish_reason"].is_string() {
            end["finish_reason"] = choice["finish_reason"].clone();
        }
        if event["usage"].is_object() {
            end["usage"] = event["usage"].clone();
        }
    }
    json!({"message": message, "calls": calls, "end": end})
}

#[actix_rt::test]
async fn streams_and_plain_answers_hold_the_same() {
    let trial = trial();
    for (model, reason) in [
        ("sim-strict", "stop"),
        ("sim-tools", "tool_calls"),
        ("sim-text-tools", "tool_calls"),
        ("sim-onepiece-tools", "tool_calls"),
        ("sim-interleaved-tools", "tool_calls"),
        ("sim-noargs-tool", "tool_calls"),
        ("sim-think-tools+cached", "tool_calls"),
        ("sim-think", "stop"),
        ("sim-refuse", "stop"),
        ("sim-filter", "content_filter"),
        ("sim-length", "length"),
        ("sim-stop-seq", "stop"),
    ] {
        let body = with(
            ask(model, "seed:7"),
            &json!({"tools": tools(), "stop": "END"}),
        );
        let plain = say(&trial, &body).await;
        let (choice, message) = (&plain["choices"][0], &plain["choices"][0]["message"]);
        let streamed = assembled(&stream(&trial, &body).await);
        for name in ["content", "refusal", "reasoning_content"] {
            let wanted = message[name].as_str().unwrap_or_default();
            assert_eq!(
                streamed["message"][name].as_str().unwrap_or_default(),
                wanted,
                "{model}"
            );
        }
        let calls = message["tool_calls"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        assert_eq!(streamed["calls"], Value::from(calls), "{model}");
        assert_eq!(streamed["end"]["usage"], plain["usage"], "{model}");
        assert_eq!(
            (&choice["finish_reason"], &streamed["end"]["finish_reason"]),
            (&json!(reason), &json!(reason))
        );
    }
}

#[actix_rt::test]
async fn calls_are_streamed_in_three_styles() {
    let trial = trial();
    let order = async |model: &str| -> Vec<u64> {
        let body = with(ask(model, "x"), &json!({"tools": tools()}));
        let events = stream(&trial, &body).await.events();
        let calls = events.iter().flat_map(|event| {
            let calls = event["choices"][0]["delta"]["tool_calls"]
                .as_array()
                .cloned();
            calls.unwrap_or_default()
        });
        calls.map(|call| call["index"].as_u64().unwrap()).collect()
    };
    assert_eq!(order("sim-onepiece-tools").await, [0, 1]);
    let fragments = order("sim-tools").await;
    assert!(
        fragments.is_sorted() && fragments.len() > 6,
        "{fragments:?}"
    );
    let interleaved = order("sim-interleaved-tools").await;
    assert_eq!(interleaved[..6], [0, 1, 0, 1, 0, 1]);
}

#[actix_rt::test]
async fn results_are_quoted() {
    let trial = trial();
    let body = with(
        ask("sim-tools+strict", "Paris?"),
        &json!({"tools": tools()}),
    );
    let message = say(&trial, &body).await["choices"][0]["message"].clone();
    let calls = message["tool_calls"].clone();
    assert_eq!(message["content"], Value::Null);
    assert_eq!(calls[1]["function"]["arguments"], r#"{"city":"value-2"}"#);
    let result = |at: usize, content: Value| json!({"role": "tool", "tool_call_id": calls[at]["id"], "content": content});
    let next = with(
        body.clone(),
        &json!({"messages": [
            body["messages"][0], {"role": "assistant", "content": null, "tool_calls": calls},
            result(1, json!([{"type": "text", "text": "noon"}])), result(0, json!("rain")),
        ]}),
    );
    let text = say(&trial, &next).await["choices"][0]["message"]["content"].clone();
    let ids = [0, 1].map(|at| calls[at]["id"].as_str().unwrap());
    assert_eq!(
        text,
        format!("{} said: noon\n{} said: rain", ids[1], ids[0])
    );
}

#[actix_rt::test]
async fn shows_what_arrived() {
    let trial = trial();
    let content = json!([
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
        {"type": "input_audio", "input_audio": {"format": "wav", "data": "aGk="}},
    ]);
    let body = with(
        ask("sim-image-echo", ""),
        &json!({"messages": [{"role": "user", "content": content}]}),
    );
    let text =
        async |body: &Value| say(&trial, body).await["choices"][0]["message"]["content"].clone();
    let print = fingerprint(b"hi");
    assert_eq!(
        text(&body).await,
        format!("image/png 2 bytes {print}\naudio/wav 2 bytes {print}")
    );
    let body = with(ask("sim-params", "x"), &json!({"seed": 7}));
    assert_eq!(text(&body).await, r#"{"model":"sim-params","seed":7}"#);
    let body = ask("sim-mirror", "x");
    assert_eq!(text(&body).await, body.to_string());
    let form =
        json!({"type": "json_schema", "json_schema": {"name": "f", "schema": {"type": "boolean"}}});
    assert_eq!(
        text(&with(
            ask("sim-json", "x"),
            &json!({"response_format": form})
        ))
        .await,
        "true"
    );
    let heard = stream(&trial, &ask("sim-long-100", "one")).await;
    assert_eq!(
        joined(&heard.events(), "/choices/0/delta/content"),
        long_text("one", 100)
    );
    let answer = say(&trial, &ask("sim-logprobs+citations+long-3", "x")).await;
    let choice = &answer["choices"][0];
    assert_eq!(choice["logprobs"]["content"].as_array().unwrap().len(), 3);
    assert_eq!(choice["message"]["annotations"][0]["type"], "url_citation");
    let kilobyte = trial.post(PATH, &ask("sim-think+1k", "x")).await;
    assert_eq!(kilobyte.text.len(), 1024);
    assert_eq!(
        kilobyte.headers.get("x-ratelimit-reset-tokens").unwrap(),
        "1s"
    );
}

#[actix_rt::test]
async fn objects_where_it_is_strict() {
    let trial = trial();
    let user = json!({"role": "user", "content": "x"});
    let call = |id: &str| {
        json!({"role": "assistant", "tool_calls": [
            {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}]})
    };
    let result = json!({"role": "tool", "tool_call_id": "c", "content": "x"});
    let turns = |rest: &[&Value]| {
        let all: Vec<&Value> = [&user].into_iter().chain(rest.iter().copied()).collect();
        json!({"messages": all})
    };
    for (members, words) in [
        (
            json!({"top_k": 1}),
            "Unrecognized request argument supplied: top_k",
        ),
        (json!({"messages": []}), "empty array"),
        (
            turns(&[&call("c")]),
            "The following tool_call_ids did not have response messages: c",
        ),
        (
            turns(&[&call("c"), &user]),
            "must be followed by tool messages",
        ),
        (
            turns(&[&result]),
            "messages with role 'tool' must be a response",
        ),
        (
            turns(&[&call(&"c".repeat(41)), &result]),
            "maximum length 40",
        ),
        (json!({"stop": ["a", "b", "c", "d", "e"]}), "array too long"),
        (json!({"tools": []}), "Invalid 'tools': empty array"),
        (
            json!({"tool_choice": "auto"}),
            "'tool_choice' is only allowed when 'tools' are specified",
        ),
        (
            json!({"stream_options": {}}),
            "only allowed when 'stream' is enabled",
        ),
        (
            json!({"max_tokens": 1, "max_completion_tokens": 1}),
            "at the same time",
        ),
        (
            json!({"tools": [{"type": "function", "function": {"name": "f".repeat(65)}}]}),
            "maximum length 64",
        ),
        (
            json!({"tools": [{"type": "function", "name": "f"}]}),
            "'tools[0].function'",
        ),
        (
            json!({"messages": [{"role": "model", "content": "x"}]}),
            "Invalid value: 'model'",
        ),
        (
            json!({"messages": [{"role": "user", "content": null}]}),
            "expected a string, got null",
        ),
    ] {
        let heard = trial
            .post(PATH, &with(ask("sim-strict", "x"), &members))
            .await;
        assert_eq!(heard.status, 400, "{members}");
        assert!(
            heard.complaint().contains(words),
            "{members}: {}",
            heard.complaint()
        );
        assert_eq!(
            trial
                .post(PATH, &with(ask("gpt-4o", "x"), &members))
                .await
                .status,
            200
        );
    }
}
