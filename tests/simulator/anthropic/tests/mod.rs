//! The dialect over real sockets: answers, streams, calls, thoughts.

mod misbehaviour;
mod objections;

use serde_json::{Value, json};

use crate::{
    fingerprint, long_text,
    trial::{Heard, Trial, joined, with},
};

const PATH: &str = "/v1/messages";

fn trial() -> Trial {
    Trial::new(&[("x-api-key", "sk-a"), ("anthropic-version", "2023-06-01")])
}

fn ask(model: &str, prompt: &str) -> Value {
    json!({"model": model, "max_tokens": 4096, "messages": [{"role": "user", "content": prompt}]})
}

fn tools() -> Value {
    let schema = |name: &str| json!({"type": "object", "properties": {name: {"type": "string"}}, "required": [name]});
    json!([{"name": "weather", "input_schema": schema("city")},
           {"name": "clock", "input_schema": schema("zone")}])
}

async fn say(trial: &Trial, body: &Value) -> Value {
    let heard = trial.post(PATH, body).await;
    assert_eq!(heard.status, 200, "{}", heard.text);
    heard.json()
}

async fn stream(trial: &Trial, body: &Value) -> Heard {
    trial
        .post(PATH, &with(body.clone(), &json!({"stream": true})))
        .await
}

/// A stream's message as the SDKs put it together, its rules checked on the way.
fn assembled(heard: &Heard) -> Value {
    let mut message = Value::Null;
    let mut open: Option<usize> = None;
    let mut partial = String::new();
    for event in heard.events() {
        let index = || usize::try_from(event["index"].as_u64().unwrap()).unwrap();
        match event["type"].as_str().unwrap() {
            "message_start" => message = event["message"].clone(),
            "ping" => {}
            "content_block_start" => {
                assert!(open.is_none(), "blocks interleave");
                assert_eq!(index(), message["content"].as_array().unwrap().len());
                message["content"]
                    .as_array_mut()
                    .unwrap()
                    .push(event["content_block"].clone());
                open = Some(index());
                partial.clear();
            }
            "content_block_delta" => {
                assert_eq!(open, Some(index()));
                let (block, delta) = (&mut message["content"][index()], &event["delta"]);
                for name in ["text", "thinking", "signature"] {
                    if let Some(more) = delta[name].as_str() {
                        let text = format!("{}{more}", block[name].as_str().unwrap());
                        block[name] = text.into();
                    }
                }
                partial.push_str(delta["partial_json"].as_str().unwrap_or_default());
                if delta["type"] == "citations_delta" {
                    block["citations"]
                        .as_array_mut()
                        .unwrap()
                        .push(delta["citation"].clone());
                }
            }
            "content_block_stop" => {
                let block = &mut message["content"][index()];
                if block["type"] == "tool_use" && !partial.is_empty() {
                    block["input"] = serde_json::from_str(&partial).unwrap();
                }
                assert_eq!(open.take(), Some(index()));
            }
            "message_delta" => {
                message["stop_reason"] = event["delta"]["stop_reason"].clone();
                message["stop_sequence"] = event["delta"]["stop_sequence"].clone();
                message["usage"] = event["usage"].clone();
            }
            "message_stop" => assert!(open.is_none()),
            other => panic!("unexpected event {other}"),
        }
    }
    message
}

#[actix_rt::test]
async fn streams_and_plain_answers_hold_the_same() {
    let trial = trial();
    let more = json!({"tools": tools(), "stop_sequences": ["END"]});
    for model in [
        "claude-x",
        "sim-tools",
        "sim-text-tools",
        "sim-noargs-tool",
        "sim-think-tools",
        "sim-think",
        "sim-redacted",
        "sim-cached+think",
        "sim-citations",
        "sim-refuse",
        "sim-filter",
        "sim-length",
        "sim-stop-seq",
        "sim-json",
        "sim-long-50",
        "sim-params",
    ] {
        let body = with(ask(model, "seed:7 what now?"), &more.clone());
        let mut plain = say(&trial, &body).await;
        let heard = stream(&trial, &body).await;
        let mut streamed = assembled(&heard);
        assert!(heard.text.ends_with("\n\n"));
        if model == "sim-params" {
            // the one difference that was asked for
            plain["content"] = Value::Null;
            plain["usage"] = Value::Null;
            streamed["content"] = Value::Null;
            streamed["usage"] = Value::Null;
        }
        assert_eq!(plain, streamed, "{model}");
    }
}

#[actix_rt::test]
async fn an_answer_has_its_parts_and_headers() {
    let trial = trial();
    let heard = trial.post(PATH, &ask("claude-x", "seed:7")).await;
    let message = heard.json();
    assert!(
        message["content"][0]["text"]
            .as_str()
            .unwrap()
            .starts_with("7-0 7-1 ")
    );
    assert_eq!(message["stop_reason"], "end_turn");
    assert_eq!(message["usage"]["input_tokens"], 11);
    assert_eq!(heard.headers.get("request-id").unwrap(), "req_sim");
    let reset = heard
        .headers
        .get("anthropic-ratelimit-tokens-reset")
        .unwrap();
    assert!(chrono::DateTime::parse_from_rfc3339(reset.to_str().unwrap()).is_ok());
    let heard = stream(&trial, &ask("sim-stream-3", "hi")).await;
    let events = heard.events();
    let names: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "message_start",
            "ping",
            "content_block_start",
            "content_block_delta",
            "content_block_delta",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
    );
    let stats = trial.sim.script().stats();
    assert_eq!(
        (
            stats.path(PATH),
            stats.token("sk-a"),
            stats.model("claude-x")
        ),
        (2, 2, 1)
    );
    let last = trial.sim.script().last_request(PATH).unwrap();
    assert_eq!(last.json()["model"], "sim-stream-3");
    assert_eq!(last.header("x-api-key"), "sk-a");
    let kilobyte = trial.post(PATH, &ask("sim-1k", "hi")).await;
    assert_eq!(kilobyte.text.len(), 1024);
}

#[actix_rt::test]
async fn calls_are_made_and_their_results_quoted() {
    let trial = trial();
    let body = with(ask("sim-tools", "Paris?"), &json!({"tools": tools()}));
    let message = say(&trial, &body).await;
    let calls = message["content"].clone();
    assert_eq!(message["stop_reason"], "tool_use");
    assert_eq!(
        (&calls[0]["name"], &calls[0]["input"]),
        (&json!("weather"), &json!({"city": "value-1"}))
    );
    assert_eq!(
        (&calls[1]["name"], &calls[1]["input"]),
        (&json!("clock"), &json!({"zone": "value-2"}))
    );
    let ids = [&calls[0]["id"], &calls[1]["id"]].map(|id| id.as_str().unwrap().to_owned());
    assert_ne!(ids[0], ids[1]);
    let mut next = body.clone();
    next["messages"] = json!([
        body["messages"][0], {"role": "assistant", "content": calls},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": ids[1], "content": "noon"},
            {"type": "tool_result", "tool_use_id": ids[0], "is_error": true,
             "content": [{"type": "text", "text": "no weather"}]},
        ]},
    ]);
    let text = say(&trial, &next).await["content"][0]["text"].clone();
    assert_eq!(
        text,
        format!("{} said: noon\n{} failed: no weather", ids[1], ids[0])
    );
    for (choice, count) in [
        (
            json!({"type": "auto", "disable_parallel_tool_use": true}),
            1,
        ),
        (json!({"type": "none"}), 0),
        (json!({"type": "tool", "name": "clock"}), 2),
    ] {
        let message = say(&trial, &with(body.clone(), &json!({"tool_choice": choice}))).await;
        let calls = message["content"].as_array().unwrap().iter();
        let calls: Vec<_> = calls.filter(|block| block["type"] == "tool_use").collect();
        assert_eq!(calls.len(), count, "{choice}");
        assert!(choice["name"].is_null() || calls[0]["name"] == "clock");
    }
}

#[actix_rt::test]
async fn thoughts_come_back_to_their_maker_only() {
    let trial = trial();
    let thinking =
        json!({"thinking": {"type": "enabled", "budget_tokens": 1024}, "tools": tools()});
    for model in ["sim-think-tools", "sim-redacted+tools"] {
        let body = with(ask(model, "Paris?"), &thinking.clone());
        let content = say(&trial, &body).await["content"].clone();
        let results: Vec<Value> = [1, 2]
            .iter()
            .map(|at| json!({"type": "tool_result", "tool_use_id": content[*at]["id"], "content": "x"}))
            .collect();
        let turns = |content: &Value| {
            json!({"messages": [body["messages"][0], {"role": "assistant", "content": content},
                                {"role": "user", "content": results}]})
        };
        assert_eq!(
            trial
                .post(PATH, &with(body.clone(), &turns(&content)))
                .await
                .status,
            200
        );
        // another account
        let stranger = Trial::new(&[("x-api-key", "sk-b"), ("anthropic-version", "2023-06-01")]);
        let heard = stranger
            .post(PATH, &with(body.clone(), &turns(&content)))
            .await;
        assert_eq!(heard.status, 400);
        assert!(
            heard
                .complaint()
                .starts_with("messages.1.content.0: Invalid `"),
            "{}",
            heard.text
        );
        let bare = json!([content[1], content[2]]);
        let heard = trial.post(PATH, &with(body.clone(), &turns(&bare))).await;
        assert!(
            heard
                .complaint()
                .contains("Expected `thinking` or `redacted_thinking`, but found `tool_use`")
        );
        let mut calm = with(body.clone(), &turns(&bare));
        calm["thinking"] = json!({"type": "disabled"});
        assert_eq!(trial.post(PATH, &calm).await.status, 200);
    }
}

#[actix_rt::test]
async fn shows_what_arrived() {
    let trial = trial();
    let image = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}});
    let link = json!({"type": "image", "source": {"type": "url", "url": "https://a/b.png"}});
    let body = with(
        ask("sim-image-echo", "x"),
        &json!({"messages": [
        {"role": "user", "content": [image, {"type": "text", "text": "and"}, link]}]}),
    );
    let text = say(&trial, &body).await["content"][0]["text"].clone();
    let print = fingerprint(b"hi");
    assert_eq!(
        text,
        format!("image/png 2 bytes {print}\nurl https://a/b.png")
    );
    let body = with(
        ask("sim-params", "x"),
        &json!({"temperature": 0.5, "system": "s"}),
    );
    let text = say(&trial, &body).await["content"][0]["text"].clone();
    let params: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    assert_eq!(
        params,
        json!({"max_tokens": 4096, "model": "sim-params", "system": "s", "temperature": 0.5})
    );
    let body = ask("sim-mirror", "é🎭");
    let text = say(&trial, &body).await["content"][0]["text"].clone();
    assert_eq!(text, body.to_string());
    let form = json!({"output_config": {"format": {"type": "json_schema", "schema":
        {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}}});
    let text = say(&trial, &with(ask("sim-json", "x"), &form)).await["content"][0]["text"].clone();
    assert_eq!(text, r#"{"n":1}"#);
    let events = stream(&trial, &ask("sim-long-200", "one")).await.events();
    assert_eq!(joined(&events, "/delta/text"), long_text("one", 200));
    let usage = say(&trial, &ask("sim-cached", "x")).await["usage"].clone();
    assert_eq!(usage["input_tokens"], 11);
    assert_eq!(
        (
            &usage["cache_read_input_tokens"],
            &usage["cache_creation_input_tokens"]
        ),
        (&json!(1024), &json!(256))
    );
    let mut counted = ask("claude-x", "x");
    counted.as_object_mut().unwrap().remove("max_tokens");
    let heard = trial
        .post("/v1/messages/count_tokens?beta=true", &counted)
        .await;
    assert_eq!(heard.json(), json!({"input_tokens": 11}));
}

#[actix_rt::test]
async fn lists_models_page_by_page() {
    let trial = trial();
    trial.sim.script().models(["a", "b", "c"]);
    let page = trial.get("/v1/models?limit=2").await.json();
    assert_eq!(
        (&page["data"][1]["id"], &page["has_more"], &page["last_id"]),
        (&json!("b"), &json!(true), &json!("b"))
    );
    let page = trial.get("/v1/models?after_id=b").await.json();
    assert_eq!(
        (&page["data"][0]["type"], &page["has_more"]),
        (&json!("model"), &json!(false))
    );
    assert_eq!(trial.get("/v1/models/c").await.json()["display_name"], "c");
    assert_eq!(
        trial.get("/v1/models/d").await.json()["error"]["type"],
        "not_found_error"
    );
}
