//! A request as a scene sees it.

use serde_json::{Value, json};

use crate::scene::{Ask, Choice, Outcome, Tool, medium_at, params};

use super::items::kind;

/// Reads a request that was found to be sound.
pub(super) fn read(body: &Value) -> Ask {
    let items = items(&body["input"]);
    Ask {
        prompt: last_text(&items),
        turns: items.len(),
        tools: tools(&body["tools"]),
        choice: choice(&body["tool_choice"]),
        one_call: body["parallel_tool_calls"] == false,
        outcomes: outcomes(&items),
        media: items.iter().flat_map(media).collect(),
        schema: body["text"]["format"].get("schema").cloned(),
        stop: None,
        params: params(body, &["input", "tools"]),
        raw: String::new(),
    }
}

/// A string stands for one message of the user.
fn items(input: &Value) -> Vec<Value> {
    match input {
        Value::String(text) => vec![json!({"role": "user", "content": text})],
        Value::Array(items) => items.clone(),
        _ => Vec::new(),
    }
}

fn tools(tools: &Value) -> Vec<Tool> {
    let functions = tools
        .as_array()
        .into_iter()
        .flatten()
        .filter(|tool| tool["type"] == "function");
    functions
        .map(|tool| Tool {
            name: tool["name"].as_str().unwrap_or_default().to_owned(),
            schema: tool["parameters"].clone(),
        })
        .collect()
}

fn choice(choice: &Value) -> Choice {
    match choice["name"].as_str() {
        Some(name) => Choice::Only(name.to_owned()),
        None if choice == "none" => Choice::Never,
        None => Choice::Free,
    }
}

fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        parts => {
            let parts = parts.as_array().into_iter().flatten();
            parts.filter_map(|part| part["text"].as_str()).collect()
        }
    }
}

fn last_text(items: &[Value]) -> String {
    let last = items.iter().rfind(|item| item["role"] == "user");
    last.map(|item| text(&item["content"])).unwrap_or_default()
}

fn outcomes(items: &[Value]) -> Vec<Outcome> {
    let by_model = |item: &Value| item["role"] == "assistant" || kind(item) == "function_call";
    let last = items.iter().rposition(by_model);
    let since = items.get(last.map_or(0, |at| at + 1)..).unwrap_or_default();
    let outputs = since
        .iter()
        .filter(|item| kind(item) == "function_call_output");
    outputs
        .map(|item| Outcome {
            id: item["call_id"].as_str().unwrap_or_default().to_owned(),
            content: text(&item["output"]),
            failed: false,
        })
        .collect()
}

fn media(item: &Value) -> Vec<String> {
    let parts = [&item["content"], &item["output"]]
        .into_iter()
        .filter_map(Value::as_array);
    parts.flatten().filter_map(medium).collect()
}

fn medium(part: &Value) -> Option<String> {
    let (at, id) = match part["type"].as_str()? {
        "input_image" => (&part["image_url"], &part["file_id"]),
        "input_file" => match part["file_url"].as_str() {
            Some(_) => (&part["file_url"], &part["file_id"]),
            None => (&part["file_data"], &part["file_id"]),
        },
        _ => return None,
    };
    Some(match at.as_str() {
        Some(at) => medium_at(at),
        None => format!("file {}", id.as_str().unwrap_or_default()),
    })
}
