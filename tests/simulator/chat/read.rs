//! A chat request as a scene sees it.

use serde_json::Value;

use crate::scene::{Ask, Choice, Outcome, Tool, base64_medium, medium_at, params};

/// Reads what is there; nothing of it is an error here.
pub(super) fn read(body: &Value) -> Ask {
    let messages = body["messages"].as_array().map_or(&[][..], Vec::as_slice);
    Ask {
        prompt: last_text(messages),
        turns: messages.len(),
        tools: list(&body["tools"]).iter().map(tool).collect(),
        choice: choice(&body["tool_choice"]),
        one_call: body["parallel_tool_calls"] == false,
        outcomes: outcomes(messages),
        media: messages
            .iter()
            .flat_map(|message| list(&message["content"]))
            .filter_map(medium)
            .collect(),
        schema: body["response_format"]["json_schema"]
            .get("schema")
            .cloned(),
        stop: stop(&body["stop"]),
        params: params(body, &["messages", "tools"]),
        raw: String::new(),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn tool(tool: &Value) -> Tool {
    let function = &tool["function"];
    Tool {
        name: function["name"].as_str().unwrap_or_default().to_owned(),
        schema: function["parameters"].clone(),
    }
}

fn choice(choice: &Value) -> Choice {
    match choice["function"]["name"].as_str() {
        Some(name) => Choice::Only(name.to_owned()),
        None if choice == "none" => Choice::Never,
        None => Choice::Free,
    }
}

/// One string or several; the first counts.
fn stop(stop: &Value) -> Option<String> {
    let first = stop.as_str().or_else(|| stop[0].as_str());
    first.map(str::to_owned)
}

/// A message's text: a string, or all text parts joined.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        parts => list(parts)
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
    }
}

fn last_text(messages: &[Value]) -> String {
    let mut users = messages
        .iter()
        .rev()
        .filter(|message| message["role"] == "user");
    users
        .next()
        .map(|message| text(&message["content"]))
        .unwrap_or_default()
}

fn outcomes(messages: &[Value]) -> Vec<Outcome> {
    let last_turn = messages
        .iter()
        .rposition(|message| message["role"] == "assistant");
    let since = messages
        .get(last_turn.map_or(0, |at| at + 1)..)
        .unwrap_or_default();
    let results = since.iter().filter(|message| message["role"] == "tool");
    results
        .map(|message| Outcome {
            id: message["tool_call_id"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            content: text(&message["content"]),
            failed: false,
        })
        .collect()
}

/// An image, a sound or a file among a message's parts.
fn medium(part: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match part["type"].as_str()? {
        "image_url" => Some(medium_at(&text(&part["image_url"]["url"]))),
        "input_audio" => {
            let audio = &part["input_audio"];
            let media_type = format!("audio/{}", text(&audio["format"]));
            Some(base64_medium(&media_type, &text(&audio["data"])))
        }
        "file" => match part["file"]["file_data"].as_str() {
            Some(data) => Some(medium_at(data)),
            None => Some(format!("file {}", text(&part["file"]["file_id"]))),
        },
        _ => None,
    }
}
