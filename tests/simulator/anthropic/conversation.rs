//! Checks of a request's messages: their blocks, and calls with their results.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

use crate::scene::{is_signed, signed_by};

use super::{
    blocks::{Turn, ids, turns},
    check::{Checked, is_plain, only},
    voice::invalid,
};

/// The members of each type of block; types of the service's own tools are not looked at.
const MEMBERS: [(&str, &[&str]); 7] = [
    ("text", &["type", "text", "citations", "cache_control"]),
    ("image", &["type", "source", "cache_control"]),
    (
        "document",
        &[
            "type",
            "source",
            "title",
            "context",
            "citations",
            "cache_control",
        ],
    ),
    ("thinking", &["type", "thinking", "signature"]),
    ("redacted_thinking", &["type", "data"]),
    (
        "tool_use",
        &["type", "id", "name", "input", "cache_control", "caller"],
    ),
    (
        "tool_result",
        &[
            "type",
            "tool_use_id",
            "content",
            "is_error",
            "cache_control",
        ],
    ),
];

const SERVICES_OWN: [&str; 4] = [
    "search_result",
    "server_tool_use",
    "web_search_tool_result",
    "container_upload",
];

/// Objects to the first thing that is wrong; `token` is whose signatures are good.
pub(super) fn check(body: &Value, token: &str) -> Checked {
    let Some(messages) = body["messages"].as_array() else {
        return Err(invalid("messages: Field required"));
    };
    if messages.is_empty() {
        return Err(invalid("messages: at least one message is required"));
    }
    for (at, message) in messages.iter().enumerate() {
        one_message(message, at, at + 1 == messages.len(), token)?;
    }
    if messages
        .first()
        .is_some_and(|message| message["role"] != "user")
    {
        return Err(invalid(
            "messages: first message must use the \"user\" role",
        ));
    }
    let turns = turns(body);
    no_trailing_blank(&turns)?;
    calls_are_answered(&turns)?;
    if body["thinking"]["type"] == "enabled" {
        thought_comes_first(&turns)?;
    }
    breakpoints(body)
}

fn one_message(message: &Value, at: usize, last: bool, token: &str) -> Checked {
    only(message, &["role", "content"], &format!("messages.{at}."))?;
    match message["role"].as_str() {
        Some("user" | "assistant") => {}
        Some("system") => {
            return Err(invalid(
                "messages: Unexpected role \"system\". The Messages API accepts a top-level \
                 `system` parameter, not \"system\" as an input message role.",
            ));
        }
        _ => {
            let text = format!("messages.{at}.role: Input should be 'user' or 'assistant'");
            return Err(invalid(&text));
        }
    }
    let by_model = message["role"] == "assistant";
    let empty = match &message["content"] {
        Value::String(text) => text.is_empty(),
        Value::Array(blocks) => blocks.is_empty(),
        _ => return Err(invalid(&format!("messages.{at}.content: Field required"))),
    };
    if empty && !(last && by_model) {
        return Err(invalid(&format!(
            "messages.{at}: all messages must have non-empty content except for the optional \
             final assistant message"
        )));
    }
    for (index, block) in message["content"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        one_block(block, &format!("messages.{at}.content.{index}"), token)?;
    }
    Ok(())
}

fn one_block(block: &Value, place: &str, token: &str) -> Checked {
    let kind = block["type"].as_str().unwrap_or_default();
    match MEMBERS.iter().find(|(known, _)| *known == kind) {
        Some((_, members)) => only(block, members, &format!("{place}.{kind}."))?,
        None if SERVICES_OWN.contains(&kind) => return Ok(()),
        None => {
            return Err(invalid(&format!(
                "{place}: Input tag '{kind}' found using 'type' does not match any of the \
                 expected tags"
            )));
        }
    }
    match kind {
        "text" if block["text"] == "" => {
            Err(invalid("messages: text content blocks must be non-empty"))
        }
        "image" => image(&block["source"], place),
        "tool_result" => result(block, place, token),
        _ => match complaint(block, kind, token) {
            Some(complaint) => Err(invalid(&format!("{place}{complaint}"))),
            None => Ok(()),
        },
    }
}

/// What is wrong with a block, to be put behind its place.
fn complaint(block: &Value, kind: &str, token: &str) -> Option<&'static str> {
    let text = |name: &str| block[name].as_str().unwrap_or_default();
    match kind {
        "text" if !block["text"].is_string() => Some(".text.text: Field required"),
        "thinking" if block.get("signature").is_none() => {
            Some(".thinking.signature: Field required")
        }
        "thinking" if !is_signed(text("signature"), token, text("thinking")) => {
            Some(": Invalid `signature` in `thinking` block")
        }
        "redacted_thinking" if !signed_by(text("data"), token) => {
            Some(": Invalid `data` in `redacted_thinking` block")
        }
        "tool_use" if !is_plain(text("id")) => {
            Some(".tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
        }
        "tool_use" if !block["input"].is_object() => {
            Some(".tool_use.input: Input should be a valid dictionary")
        }
        _ => None,
    }
}

fn result(block: &Value, place: &str, token: &str) -> Checked {
    for (index, part) in block["content"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        one_block(part, &format!("{place}.tool_result.content.{index}"), token)?;
    }
    Ok(())
}

fn image(source: &Value, place: &str) -> Checked {
    if source["type"] != "base64" {
        return Ok(());
    }
    let place = format!("{place}.image.source.base64");
    let types = ["image/jpeg", "image/png", "image/gif", "image/webp"];
    if !types.iter().any(|known| source["media_type"] == *known) {
        return Err(invalid(&format!(
            "{place}.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or \
             'image/webp'"
        )));
    }
    match BASE64_STANDARD.decode(source["data"].as_str().unwrap_or_default()) {
        Ok(bytes) if !bytes.is_empty() => Ok(()),
        _ => Err(invalid(&format!("{place}: invalid base64 data"))),
    }
}

/// Each call has its result at the head of the very next turn, and each result its call in the turn before.
fn calls_are_answered(turns: &[Turn]) -> Checked {
    let nothing = Vec::new();
    for (place, turn) in turns.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| turns.get(before));
        let called = before.map_or(&nothing[..], |turn| &turn.blocks);
        let called = ids(called, "tool_use", "id");
        for (index, id) in ids(&turn.blocks, "tool_result", "tool_use_id")
            .iter()
            .enumerate()
        {
            if !called.contains(id) {
                return Err(invalid(&format!(
                    "messages.{}.content.{index}: unexpected `tool_use_id` found in `tool_result` \
                     blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` \
                     block in the previous message.",
                    turn.at
                )));
            }
        }
        let calls = ids(&turn.blocks, "tool_use", "id");
        let next = turns
            .get(place + 1)
            .map_or(&nothing[..], |next| &next.blocks);
        let results = next.split(|block| block["type"] != "tool_result").next();
        let answered = ids(results.unwrap_or_default(), "tool_result", "tool_use_id");
        let open: Vec<String> = calls
            .into_iter()
            .filter(|id| !answered.contains(id))
            .collect();
        if !open.is_empty() {
            return Err(invalid(&format!(
                "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately \
                 after: {}. Each `tool_use` block must have a corresponding `tool_result` block \
                 in the next message.",
                turn.at,
                open.join(", ")
            )));
        }
    }
    Ok(())
}

/// The beginning of an answer, where the request has one, does not end with a blank.
fn no_trailing_blank(turns: &[Turn]) -> Checked {
    let begun = turns.last().filter(|turn| turn.role == "assistant");
    let last = begun.and_then(|turn| turn.blocks.last());
    match last.and_then(|block| block["text"].as_str()) {
        Some(text) if text.ends_with(char::is_whitespace) => Err(invalid(
            "messages: final assistant content cannot end with trailing whitespace",
        )),
        _ => Ok(()),
    }
}

/// With thinking enabled, the turn whose calls are being answered begins with its thought.
fn thought_comes_first(turns: &[Turn]) -> Checked {
    let [.., turn, results] = turns else {
        return Ok(());
    };
    let answers = results
        .blocks
        .iter()
        .any(|block| block["type"] == "tool_result");
    let Some(first) = turn.blocks.first().and_then(|block| block["type"].as_str()) else {
        return Ok(());
    };
    if !answers || first == "thinking" || first == "redacted_thinking" {
        return Ok(());
    }
    Err(invalid(&format!(
        "messages.{}.content.0.type: Expected `thinking` or `redacted_thinking`, but found \
         `{first}`. When `thinking` is enabled, a final `assistant` message must start with a \
         thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). To \
         avoid this requirement, disable `thinking`.",
        turn.at
    )))
}

/// At most four places of the request are marked for the cache.
fn breakpoints(body: &Value) -> Checked {
    let found = marks(body);
    if found <= 4 {
        return Ok(());
    }
    Err(invalid(&format!(
        "A maximum of 4 blocks with cache_control may be provided. Found {found}."
    )))
}

fn marks(value: &Value) -> usize {
    match value {
        Value::Object(members) => {
            let own = usize::from(members.get("cache_control").is_some_and(Value::is_object));
            own + members.values().map(marks).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(marks).sum(),
        _ => 0,
    }
}
