//! The dialect over real sockets.

use serde_json::{Value, json};

use crate::{
    fingerprint, long_text,
    trial::{Heard, Trial, joined, with},
};

const PATH: &str = "/v1/responses";

fn trial() -> Trial {
    Trial::new(&[("authorization", "Bearer sk-a")])
}

fn ask(model: &str, input: Value) -> Value {
    json!({"model": model, "input": input})
}

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    json!([{"type": "function", "name": "weather", "parameters": schema},
           {"type": "web_search"}])
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

/// The text of a plain answer.
fn text(response: &Value) -> &str {
    let output = response["output"].as_array().unwrap();
    let message = output
        .iter()
        .find(|item| item["type"] == "message")
        .unwrap();
    message["content"][0]["text"].as_str().unwrap()
}

/// The output as the events build it up, their rules checked on the way.
fn assembled(events: &[Value]) -> Vec<Value> {
    let mut output: Vec<Value> = Vec::new();
    let mut built = String::new();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number, "{event}");
        let kind = event["type"].as_str().unwrap();
        match kind {
            "response.output_item.added" => {
                assert_eq!(event["output_index"], output.len());
                output.push(event["item"].clone());
                built.clear();
            }
            "response.output_item.done" => {
                let last = output.last_mut().unwrap();
                assert_eq!(last["id"], event["item"]["id"]);
                *last = event["item"].clone();
            }
            _ if kind.ends_with(".delta") => {
                assert_eq!(event["item_id"], output.last().unwrap()["id"]);
                built.push_str(event["delta"].as_str().unwrap());
            }
            _ if kind.ends_with("_part.added") || kind.ends_with("_part.done") => {}
            _ if kind.ends_with(".done") => {
                let whole = ["text", "arguments", "refusal"].map(|name| event[name].as_str());
                assert_eq!(whole.into_iter().flatten().next(), Some(built.as_str()));
            }
            _ => {}
        }
    }
    output
}

#[actix_rt::test]
async fn streams_and_plain_answers_hold_the_same() {
    let trial = trial();
    for (model, end) in [
        ("gpt-x", "completed"),
        ("sim-tools", "completed"),
        ("sim-text-tools", "completed"),
        ("sim-think-tools", "completed"),
        ("sim-think", "completed"),
        ("sim-redacted", "completed"),
        ("sim-cached", "completed"),
        ("sim-citations+logprobs", "completed"),
        ("sim-refuse", "completed"),
        ("sim-filter", "incomplete"),
        ("sim-length", "incomplete"),
    ] {
        let body = with(ask(model, json!("seed:7")), &json!({"tools": tools()}));
        let plain = say(&trial, &body).await;
        let events = stream(&trial, &body).await.events();
        let last = events.last().unwrap();
        assert_eq!(last["type"], format!("response.{end}"), "{model}");
        assert_eq!(last["response"], plain, "{model}");
        assert_eq!(Value::from(assembled(&events)), plain["output"], "{model}");
        let names: Vec<_> = events
            .iter()
            .map(|event| event["type"].as_str().unwrap())
            .collect();
        assert_eq!(names[..2], ["response.created", "response.in_progress"]);
    }
}

#[actix_rt::test]
async fn usage_and_details_are_in_their_places() {
    let trial = trial();
    let response = say(&trial, &ask("sim-cached+length", json!("x"))).await;
    let usage = &response["usage"];
    assert_eq!(usage["input_tokens"], 11 + 1024 + 256);
    assert_eq!(usage["input_tokens_details"]["cached_tokens"], 1024);
    assert_eq!(usage["output_tokens_details"]["reasoning_tokens"], 32);
    assert_eq!(
        response["incomplete_details"]["reason"],
        "max_output_tokens"
    );
    let response = say(&trial, &ask("sim-refuse", json!("x"))).await;
    assert_eq!(response["output"][0]["content"][0]["type"], "refusal");
    let body = ask("sim-noargs-tool", json!("x"));
    let response = say(&trial, &with(body, &json!({"tools": tools()}))).await;
    assert_eq!(response["output"][0]["arguments"], "{}");
}

#[actix_rt::test]
async fn calls_are_made_and_their_results_quoted() {
    let trial = trial();
    let user = json!({"role": "user", "content": "Paris?"});
    let body = with(
        ask("sim-think-tools", json!([user])),
        &json!({"tools": tools()}),
    );
    let output = say(&trial, &body).await["output"].clone();
    let kinds: Vec<_> = output
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["reasoning", "function_call", "function_call"]);
    assert_eq!(output[2]["arguments"], r#"{"city":"value-2"}"#);
    let result = |at: usize, text: &str| json!({"type": "function_call_output", "call_id": output[at]["call_id"], "output": text});
    let next = with(
        body.clone(),
        &json!({"input":
        [user, output[0], output[1], output[2], result(2, "two"), result(1, "one")]}),
    );
    let response = say(&trial, &next).await;
    let ids = [1, 2].map(|at| output[at]["call_id"].as_str().unwrap());
    assert_eq!(
        text(&response),
        format!("{} said: two\n{} said: one", ids[1], ids[0])
    );
    let stranger = Trial::new(&[("authorization", "Bearer sk-b")]);
    let heard = stranger.post(PATH, &next).await;
    assert_eq!(
        (heard.status, &heard.json()["error"]["code"]),
        (400, &json!("invalid_encrypted_content"))
    );
    for (members, calls) in [
        (json!({"parallel_tool_calls": false}), 1),
        (json!({"tool_choice": "none"}), 0),
    ] {
        let output = say(&trial, &with(body.clone(), &members)).await["output"].clone();
        let made = output
            .as_array()
            .unwrap()
            .iter()
            .filter(|item| item["type"] == "function_call");
        assert_eq!(made.count(), calls, "{members}");
    }
}

#[actix_rt::test]
async fn shows_what_arrived() {
    let trial = trial();
    let content = json!([
        {"type": "input_text", "text": "look"},
        {"type": "input_image", "image_url": "data:image/png;base64,aGk="},
        {"type": "input_file", "file_id": "file-1"},
    ]);
    let body = ask(
        "sim-image-echo",
        json!([{"role": "user", "content": content}]),
    );
    let print = fingerprint(b"hi");
    assert_eq!(
        text(&say(&trial, &body).await),
        format!("image/png 2 bytes {print}\nfile file-1")
    );
    let body = with(
        ask("sim-params", json!("x")),
        &json!({"instructions": "i", "top_p": 0.5}),
    );
    let params: Value = serde_json::from_str(text(&say(&trial, &body).await)).unwrap();
    assert_eq!(
        params,
        json!({"instructions": "i", "model": "sim-params", "top_p": 0.5})
    );
    let events = stream(&trial, &ask("sim-long-100", json!("one")))
        .await
        .events();
    assert_eq!(joined(&events, "/delta"), long_text("one", 100));
    let last = trial.sim.script().last_request(PATH).unwrap();
    assert_eq!(last.json()["stream"], true);
}

#[actix_rt::test]
async fn objects_in_the_words_of_the_real_service() {
    let trial = trial();
    let call = json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"});
    let output = json!({"type": "function_call_output", "call_id": "c", "output": "x"});
    let long = "c".repeat(65);
    for (members, code, words) in [
        (
            json!({"max_tokens": 5}),
            "unknown_parameter",
            "Unknown parameter: 'max_tokens'.",
        ),
        (
            json!({"input": null}),
            "missing_required_parameter",
            "'input'",
        ),
        (
            json!({"max_output_tokens": 5}),
            "integer_below_min_value",
            "Expected a value >= 16, but got 5",
        ),
        (
            json!({"input": [output]}),
            "",
            "No tool call found for function call output with call_id c.",
        ),
        (
            json!({"input": [call]}),
            "",
            "No tool output found for function call c.",
        ),
        (
            json!({"input": [with(call.clone(), &json!({"call_id": long}))]}),
            "string_above_max_length",
            "maximum length 64",
        ),
        (
            json!({"input": [with(call.clone(), &json!({"id": "call_1"}))]}),
            "invalid_value",
            "begins with 'fc'",
        ),
        (
            json!({"input": [with(call.clone(), &json!({"arguments": {}}))]}),
            "invalid_type",
            "but got an object",
        ),
        (
            json!({"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]}),
            "invalid_value",
            "Supported values are: 'output_text', 'refusal'",
        ),
        (
            json!({"input": [{"role": "tool", "content": "x"}]}),
            "invalid_value",
            "'tool'",
        ),
        (
            json!({"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]}),
            "",
            "without its required following item",
        ),
        (
            json!({"tools": [{"type": "function", "function": {"name": "f"}}]}),
            "missing_required_parameter",
            "'tools[0].name'",
        ),
        (
            json!({"tool_choice": {"type": "function", "function": {"name": "f"}}}),
            "unknown_parameter",
            "tool_choice.function",
        ),
        (
            json!({"text": {"format": {"type": "json_schema", "schema": {}}}}),
            "missing_required_parameter",
            "text.format.name",
        ),
    ] {
        let heard = trial
            .post(PATH, &with(ask("gpt-x", json!("x")), &members))
            .await;
        assert_eq!(heard.status, 400, "{members}");
        assert!(
            heard.complaint().contains(words),
            "{members}: {}",
            heard.complaint()
        );
        assert_eq!(
            heard.json()["error"]["code"].as_str().unwrap_or_default(),
            code,
            "{members}"
        );
    }
}

#[actix_rt::test]
async fn misbehaves_in_its_own_shape() {
    let trial = trial();
    let heard = trial
        .post(PATH, &ask("sim-status-429-after-7", json!("x")))
        .await;
    assert_eq!(heard.headers.get("retry-after").unwrap(), "7");
    assert_eq!(
        heard.headers.get("x-ratelimit-remaining-requests").unwrap(),
        "0"
    );
    for after in [0, 2] {
        let model = format!("sim-error-after-{after}");
        let events = stream(&trial, &ask(&model, json!("seed:7"))).await.events();
        assert_eq!(
            joined(&events, "/delta"),
            ["7-0 ", "7-1 "][..after].concat()
        );
        let (last, before) = events.split_last().unwrap();
        assert_eq!(
            (&last["type"], &last["code"]),
            (&json!("error"), &json!("server_error"))
        );
        assert_eq!(last["sequence_number"], before.len());
    }
    let events = stream(&trial, &ask("sim-no-done", json!("x")))
        .await
        .events();
    assert_eq!(events.last().unwrap()["type"], "response.output_item.done");
    let heard = stream(&trial, &ask("sim-line-64k", json!("x"))).await;
    let long = heard
        .text
        .lines()
        .find(|line| line.len() == 64 << 10)
        .unwrap();
    let event: Value = serde_json::from_str(long.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(event["type"], "response.output_text.delta");
    let heard = stream(&trial, &ask("sim-cut-after-2", json!("seed:7"))).await;
    assert_eq!(joined(&heard.events(), "/delta"), "7-0 7-1 ");
}
