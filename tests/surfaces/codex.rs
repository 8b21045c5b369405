//! What coding agents send: free-text tools, tools of OpenAI's own, long names.

use serde_json::{Value, json};
use troupe_simulator::Simulator;

use super::{RESPONSES, response, text};
use crate::pairs::{Speaker, app, streaming};

/// As Codex asks.
fn codex(model: &str) -> Value {
    json!({
        "model": model, "instructions": "You are a coding agent.", "store": false, "stream": true,
        "parallel_tool_calls": false, "tool_choice": "auto", "prompt_cache_key": "session-1",
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "medium", "summary": "auto"},
        "tools": [
            {"type": "custom", "name": "apply_patch", "description": "Edits files.",
             "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}},
            {"type": "web_search"},
            {"type": "local_shell"},
        ],
        "input": [
            {"type": "message", "role": "developer",
             "content": [{"type": "input_text", "text": "sandbox: read-only"}]},
            {"type": "message", "role": "user",
             "content": [{"type": "input_text", "text": "fix the bug"}]},
        ],
    })
}

#[actix_rt::test]
async fn free_text_tools_are_called_with_plain_text() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    for (kind, stream) in [
        ("openai", true),
        ("openai", false),
        ("anthropic", true),
        ("anthropic", false),
        ("gemini", true),
        ("gemini", false),
    ] {
        let mut body = streaming(codex(&format!("{kind}/sim-one-tool")), stream);
        let answer = app.post(RESPONSES, &body).await;
        let dropped = answer.header("x-troupe-dropped").to_owned();
        for tool in ["tools[1]", "tools[2]"] {
            assert!(dropped.contains(tool), "{kind}: {dropped}");
        }
        let first = response(answer).await;
        let output = first["output"].as_array().unwrap();
        let call = output
            .iter()
            .find(|item| item["type"] == "custom_tool_call");
        let call = call.unwrap_or_else(|| panic!("{kind}: {first}"));
        assert_eq!(call["name"], "apply_patch");
        let written = call["input"].as_str().unwrap();
        assert!(
            !written.is_empty() && !written.contains(['{', '"']),
            "{call}"
        );

        let turns = body["input"].as_array_mut().unwrap();
        turns.extend(output.iter().cloned());
        turns.push(
            json!({"type": "custom_tool_call_output", "call_id": call["call_id"],
            "output": "patched"}),
        );
        let second = response(app.post(RESPONSES, &body).await).await;
        let said = text(Speaker::Responses, &second);
        assert!(said.contains("patched"), "{kind}: {second}");
    }
}

#[actix_rt::test]
async fn a_free_text_tools_stream_tells_the_text_piece_by_piece() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    let answer = app.post(RESPONSES, &codex("openai/sim-one-tool")).await;
    let events = answer.events().await;
    let events: Vec<Value> = events
        .iter()
        .map(|event| serde_json::from_str(event).unwrap())
        .collect();
    let of = |kind: &'static str| events.iter().filter(move |event| event["type"] == kind);
    let pieces = of("response.custom_tool_call_input.delta");
    let told: String = pieces
        .map(|event| event["delta"].as_str().unwrap())
        .collect();
    let done = of("response.custom_tool_call_input.done").next().unwrap();
    assert_eq!(done["input"], told);
    assert_eq!(of("response.function_call_arguments.delta").count(), 0);
    let numbers = events
        .iter()
        .map(|event| event["sequence_number"].as_u64().unwrap());
    assert!(numbers.eq(0..events.len() as u64));
}

#[actix_rt::test]
async fn long_tool_names_come_back_whole() {
    let simulator = Simulator::start();
    let app = app(&simulator).await;
    let long = |tail: &str| {
        format!(
            "mcp__plugin_{}__{tail}",
            "a-rather-long-server-name".repeat(4)
        )
    };
    let names = [long("read_file"), long("write_file")];
    let tools = names.each_ref().map(|name| {
        json!({"name": name, "input_schema": {"type": "object", "properties": {"path": {"type": "string"}},
            "required": ["path"]}})
    });
    for (model, stream) in [
        ("openai/sim-tools+strict", false),
        ("openai/sim-tools+strict", true),
        ("openai_responses/sim-tools", false),
        ("openai_responses/sim-tools", true),
        ("gemini/sim-tools", true),
    ] {
        let speaker = Speaker::Messages;
        let mut body = streaming(speaker.asks(model, "read and write"), stream);
        body["tools"] = json!(tools);
        let heard = speaker.hears(&app, &body).await;
        let called: Vec<_> = heard.calls.iter().map(|call| call.1.clone()).collect();
        assert_eq!(called, names, "{model}");
        speaker.answers_calls(&mut body, &heard);
        body["tool_choice"] = json!({"type": "tool", "name": names[1]});
        let told = speaker.hears(&app, &body).await;
        assert!(told.text.contains("result of mcp__"), "{model}: {told:?}");
    }
}
