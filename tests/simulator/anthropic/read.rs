//! A request as a scene sees it.

use serde_json::Value;

use crate::scene::{Ask, Choice, Outcome, Tool, base64_medium, fingerprint, params};

use super::blocks::{Turn, blocks, turns};

/// Reads a request that was found to be sound.
pub(super) fn read(body: &Value) -> Ask {
    let turns = turns(body);
    let all = turns.iter().flat_map(|turn| &turn.blocks);
    Ask {
        prompt: last_text(&turns),
        turns: turns.len(),
        tools: body["tools"]
            .as_array()
            .into_iter()
            .flatten()
            .map(tool)
            .collect(),
        choice: choice(&body["tool_choice"]),
        one_call: body["tool_choice"]["disable_parallel_tool_use"] == true,
        outcomes: outcomes(&turns),
        media: all.flat_map(media).collect(),
        schema: body["output_config"]["format"].get("schema").cloned(),
        stop: body["stop_sequences"][0].as_str().map(str::to_owned),
        params: params(body, &["messages", "tools"]),
        raw: String::new(),
    }
}

fn tool(tool: &Value) -> Tool {
    Tool {
        name: tool["name"].as_str().unwrap_or_default().to_owned(),
        schema: tool["input_schema"].clone(),
    }
}

fn choice(choice: &Value) -> Choice {
    match (choice["type"].as_str(), choice["name"].as_str()) {
        (Some("tool"), Some(name)) => Choice::Only(name.to_owned()),
        (Some("none"), _) => Choice::Never,
        _ => Choice::Free,
    }
}

fn last_text(turns: &[Turn]) -> String {
    let blocks = turns
        .iter()
        .filter(|turn| turn.role == "user")
        .flat_map(|turn| &turn.blocks);
    let mut texts = blocks.filter(|block| block["type"] == "text");
    let last = texts.next_back().and_then(|block| block["text"].as_str());
    last.unwrap_or_default().to_owned()
}

fn outcomes(turns: &[Turn]) -> Vec<Outcome> {
    let last = turns.last().into_iter().flat_map(|turn| &turn.blocks);
    let results = last.filter(|block| block["type"] == "tool_result");
    results
        .map(|block| Outcome {
            id: block["tool_use_id"].as_str().unwrap_or_default().to_owned(),
            content: content(&block["content"]),
            failed: block["is_error"] == true,
        })
        .collect()
}

/// A result's texts, and in their places what else it holds.
fn content(content: &Value) -> String {
    let parts = blocks(content)
        .into_iter()
        .map(|block| match block["text"].as_str() {
            Some(text) => text.to_owned(),
            None => media(&block).concat(),
        });
    parts.collect()
}

/// The images and documents of a block, of those inside a tool's result too.
fn media(block: &Value) -> Vec<String> {
    match block["type"].as_str() {
        Some("image" | "document") => vec![medium(&block["source"])],
        Some("tool_result") => blocks(&block["content"]).iter().flat_map(media).collect(),
        _ => Vec::new(),
    }
}

fn medium(source: &Value) -> String {
    let text = |name: &str| source[name].as_str().unwrap_or_default();
    match text("type") {
        "base64" => base64_medium(text("media_type"), text("data")),
        "text" => {
            let data = text("data");
            let print = fingerprint(data.as_bytes());
            format!("text/plain {} bytes {print}", data.len())
        }
        "file" => format!("file {}", text("file_id")),
        _ => format!("url {}", text("url")),
    }
}
