//! The messages of a request as the service sees them: blocks, with one turn for messages of one role in a row.

use serde_json::{Value, json};

/// A content: a string stands for one block of text.
pub(super) fn blocks(content: &Value) -> Vec<Value> {
    match content {
        Value::String(text) => vec![json!({"type": "text", "text": text})],
        Value::Array(blocks) => blocks.clone(),
        _ => Vec::new(),
    }
}

/// Messages of one role in a row, joined.
#[derive(Debug)]
pub(super) struct Turn {
    pub role: String,
    /// The first message's place.
    pub at: usize,
    pub blocks: Vec<Value>,
}

/// The turns of a conversation.
pub(super) fn turns(body: &Value) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    for (at, message) in body["messages"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let role = message["role"].as_str().unwrap_or_default();
        let blocks = blocks(&message["content"]);
        match turns.last_mut() {
            Some(turn) if turn.role == role => turn.blocks.extend(blocks),
            _ => turns.push(Turn {
                role: role.to_owned(),
                at,
                blocks,
            }),
        }
    }
    turns
}

/// The ids under `name` of all blocks of a type.
pub(super) fn ids(blocks: &[Value], kind: &str, name: &str) -> Vec<String> {
    let found = blocks.iter().filter(|block| block["type"] == kind);
    let ids = found.map(|block| block[name].as_str().unwrap_or_default().to_owned());
    ids.collect()
}
