//! Bodies of chat requests.

use serde_json::{Value, json};

/// A plain request.
pub fn plain(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "hello"}]})
}

/// A streamed request.
pub fn stream(model: &str) -> Value {
    json!({"model": model, "stream": true, "messages": [{"role": "user", "content": "hello"}]})
}

/// A streamed request whose answer is `7-0 7-1 7-2 …` for seed 7.
pub fn seeded(model: &str, seed: usize) -> Value {
    let content = format!("seed:{seed}");
    json!({"model": model, "stream": true, "messages": [{"role": "user", "content": content}]})
}

/// The text of one event of a stream, where it has any.
pub fn text(event: &str) -> Option<String> {
    let event: Value = serde_json::from_str(event).ok()?;
    let text = event["choices"][0]["delta"]["content"].as_str()?;
    Some(text.to_owned())
}
