//! A request without the thoughts of earlier turns, for an upstream that would refuse their signatures.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::{
    chat::seal,
    openai::request_error::{RequestError, parse_typed},
};

/// The body without any thinking blocks. Where the conversation ends in tool results, thinking is switched
/// off as well: with it, the turn before would have to begin with a thinking block.
///
/// # Errors
/// When the body is no JSON object.
pub fn without_thoughts(body: &[u8]) -> Result<Bytes, RequestError> {
    without(body, is_thought)
}

/// The same without those alone that other providers have sealed, or nobody has.
///
/// # Errors
/// When the body is no JSON object.
pub fn without_foreign_thoughts(body: &[u8]) -> Result<Bytes, RequestError> {
    without(body, |block| {
        let sealed = block.get("signature").or_else(|| block.get("data"));
        let sealed = sealed.and_then(Value::as_str).unwrap_or_default();
        is_thought(block) && (sealed.is_empty() || seal::is_marked(sealed))
    })
}

fn without(body: &[u8], goes: impl Fn(&Value) -> bool) -> Result<Bytes, RequestError> {
    let mut request: Map<String, Value> = parse_typed(body)?;
    if let Some(messages) = request.get_mut("messages").and_then(Value::as_array_mut) {
        messages.retain_mut(|message| says_more(message, &goes));
    }
    if ends_in_results(&request) {
        request.remove("thinking");
    }
    Ok(Value::Object(request).to_string().into())
}

/// Takes the thoughts out of a message; false for one that held nothing else, which must not stay empty.
fn says_more(message: &mut Value, goes: impl Fn(&Value) -> bool) -> bool {
    let Some(blocks) = message.get_mut("content").and_then(Value::as_array_mut) else {
        return true;
    };
    let before = blocks.len();
    blocks.retain(|block| !goes(block));
    !blocks.is_empty() || before == 0
}

fn kind(block: &Value) -> &str {
    block
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn is_thought(block: &Value) -> bool {
    matches!(kind(block), "thinking" | "redacted_thinking")
}

fn ends_in_results(request: &Map<String, Value>) -> bool {
    let messages = request.get("messages").and_then(Value::as_array);
    let last = messages.and_then(|messages| messages.last()?.get("content")?.as_array());
    last.is_some_and(|blocks| blocks.iter().any(|block| kind(block) == "tool_result"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn thoughts_go_and_all_else_stays() {
        let thinking = json!({"type": "enabled", "budget_tokens": 2048});
        let turns = |last: Value| {
            json!({"model": "m", "thinking": thinking, "x": 1, "messages": [
                {"role": "user", "content": "q"},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "t", "signature": "s"},
                    {"type": "redacted_thinking", "data": "d"},
                    {"type": "tool_use", "id": "c", "name": "f", "input": {"b": 1, "a": 2}},
                ]},
                last,
            ]})
        };
        let after = |last: Value| -> Value {
            let body = turns(last).to_string();
            serde_json::from_slice(&without_thoughts(body.as_bytes()).unwrap()).unwrap()
        };
        let result = json!({"type": "tool_result", "tool_use_id": "c", "content": "r"});
        let in_loop = after(json!({"role": "user", "content": [result]}));
        assert_eq!(
            in_loop["messages"][1]["content"].as_array().unwrap().len(),
            1
        );
        assert_eq!(in_loop.get("thinking"), None);
        assert_eq!(in_loop["x"], 1);
        let ended = after(json!({"role": "user", "content": "more"}));
        assert_eq!(ended["thinking"], thinking);
        assert!(without_thoughts(b"[").is_err());
    }

    #[test]
    fn only_foreign_thoughts_go() {
        let thought =
            |signature: &str| json!({"type": "thinking", "thinking": "t", "signature": signature});
        let blocks = [thought("own"), thought(""), thought("troupe.gemini..x")];
        let body = json!({"messages": [{"role": "assistant", "content": blocks}]}).to_string();
        let left = without_foreign_thoughts(body.as_bytes()).unwrap();
        let left: Value = serde_json::from_slice(&left).unwrap();
        assert_eq!(left["messages"][0]["content"], json!([thought("own")]));
    }
}
