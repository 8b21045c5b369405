//! Counting a request's tokens before it is sent.

use serde::{Deserialize, Serialize};

use super::request::{Body, Writer};
use crate::chat::{ChatRequest, ConvertError, Encoded, Encoding};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CountRequest<'a> {
    generate_content_request: Body<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counted {
    total_tokens: u64,
}

/// Writes a request for `:countTokens`, which then counts instructions and tools too.
///
/// # Errors
/// As [`super::write_request`].
pub fn write_count(
    request: &ChatRequest,
    encoding: &Encoding<'_>,
) -> Result<Encoded, ConvertError> {
    let mut writer = Writer::new(request, encoding);
    let mut body = writer.body()?;
    let name = encoding.model;
    body.model = Some(match name.starts_with("models/") {
        true => name.to_owned(),
        false => format!("models/{name}"),
    });
    let count = CountRequest {
        generate_content_request: body,
    };
    Ok(writer.finish(&count))
}

/// The tokens that an answer of `:countTokens` tells; none where it tells nothing.
#[must_use]
pub fn read_count(body: &[u8]) -> Option<u64> {
    let counted: Counted = serde_json::from_slice(body).ok()?;
    Some(counted.total_tokens)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{chat::Part, dialect::Dialect};

    #[test]
    fn the_whole_request_is_counted() {
        let mut request = ChatRequest::new(Dialect::Anthropic, "fast");
        request.system.push(Part::text("be brief"));
        let encoding = Encoding {
            model: "gemini-2.5-flash",
            keep_thinking: true,
            ..Encoding::default()
        };
        let encoded = write_count(&request, &encoding).unwrap();
        let body: Value = serde_json::from_slice(&encoded.body).unwrap();
        let expected = json!({"generateContentRequest": {
            "model": "models/gemini-2.5-flash",
            "contents": [{"role": "user", "parts": [{"text": "be brief"}]}],
        }});
        assert_eq!(body, expected);
    }

    #[test]
    fn the_answer_is_a_number_or_nothing() {
        let answer =
            br#"{"totalTokens": 31, "promptTokensDetails": [{"modality":"TEXT","tokenCount":31}]}"#;
        assert_eq!(read_count(answer), Some(31));
        for other in [&b"{}"[..], b"", br#"{"totalTokens":"31"}"#, b"31"] {
            assert_eq!(read_count(other), None);
        }
    }
}
