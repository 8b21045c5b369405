//! A request without the thoughts of earlier turns, for an upstream that cannot read them.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::openai::request_error::{RequestError, parse_typed};

/// The body without reasoning items.
///
/// # Errors
/// When the body is no JSON object.
pub fn without_thoughts(body: &[u8]) -> Result<Bytes, RequestError> {
    let mut request: Map<String, Value> = parse_typed(body)?;
    if let Some(items) = request.get_mut("input").and_then(Value::as_array_mut) {
        items.retain(|item| item.get("type").and_then(Value::as_str) != Some("reasoning"));
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
        let text = br#"{"input":"q"}"#;
        assert_eq!(without_thoughts(text).unwrap(), &text[..]);
    }
}
