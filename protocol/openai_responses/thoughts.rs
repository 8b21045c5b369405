//! A request without the thoughts of earlier turns, for an upstream that could not read them.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::{
    chat::seal,
    openai::request_error::{RequestError, parse_typed},
};

/// The body without any reasoning items.
///
/// # Errors
/// When the body is no JSON object.
pub fn without_thoughts(body: &[u8]) -> Result<Bytes, RequestError> {
    without(body, is_thought)
}

/// The same without those alone that other providers have sealed.
///
/// # Errors
/// When the body is no JSON object.
pub fn without_foreign_thoughts(body: &[u8]) -> Result<Bytes, RequestError> {
    without(body, |item| {
        let sealed = item.get("encrypted_content").and_then(Value::as_str);
        is_thought(item) && sealed.is_some_and(seal::is_marked)
    })
}

fn is_thought(item: &Value) -> bool {
    item.get("type").and_then(Value::as_str) == Some("reasoning")
}

fn without(body: &[u8], goes: impl Fn(&Value) -> bool) -> Result<Bytes, RequestError> {
    let mut request: Map<String, Value> = parse_typed(body)?;
    if let Some(items) = request.get_mut("input").and_then(Value::as_array_mut) {
        items.retain(|item| !goes(item));
    }
    Ok(Value::Object(request).to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_goes_and_all_else_stays() {
        let body = br#"{"model":"m","input":[{"type":"reasoning","encrypted_content":"x"},{"role":"user","content":"q"}],"x":[1]}"#;
        let left = r#"{"model":"m","input":[{"role":"user","content":"q"}],"x":[1]}"#;
        assert_eq!(without_thoughts(body).unwrap(), left);
        let foreign = br#"{"input":[{"type":"reasoning","encrypted_content":"troupe.gemini..x"},{"type":"reasoning","encrypted_content":"own"}]}"#;
        let own = r#"{"input":[{"type":"reasoning","encrypted_content":"own"}]}"#;
        assert_eq!(without_foreign_thoughts(foreign).unwrap(), own);
        let text = br#"{"input":"q"}"#;
        assert_eq!(without_thoughts(text).unwrap(), &text[..]);
    }
}
