//! Embeddings as the built-in demo provider reads and writes them.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::request_error::{RequestError, missing, parse_typed};
use crate::json;

/// The most inputs of one request.
pub const MAX_INPUTS: usize = 2_048;

/// An embeddings request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingsRequest {
    /// What to embed: one at least, [`MAX_INPUTS`] at most.
    pub inputs: Vec<EmbeddingInput>,
    /// How the vectors are to be written.
    pub encoding: Encoding,
    /// The wanted length of each vector.
    pub dimensions: Option<u32>,
}

/// One thing to embed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum EmbeddingInput {
    /// A text.
    Text(String),
    /// A text that the client has cut into tokens.
    Tokens(Vec<u32>),
}

/// How a vector is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// A list of numbers.
    #[default]
    Float,
    /// Base64 of little-endian 32-bit floats.
    Base64,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    input: Option<Input>,
    #[serde(default)]
    encoding_format: Option<Encoding>,
    #[serde(default)]
    dimensions: Option<u32>,
}

/// A list of numbers is one input; it must be tried before the list of inputs.
#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    One(EmbeddingInput),
    Many(Vec<EmbeddingInput>),
}

impl EmbeddingsRequest {
    /// Reads a request's body.
    ///
    /// # Errors
    /// Where a field is missing, of the wrong type or out of range.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let fields: Fields = parse_typed(body)?;
        let inputs = match fields.input.ok_or_else(|| missing("input"))? {
            // an empty list reads as no tokens
            Input::One(EmbeddingInput::Tokens(tokens)) if tokens.is_empty() => Vec::new(),
            Input::One(input) => vec![input],
            Input::Many(inputs) => inputs,
        };
        if inputs.is_empty() || inputs.len() > MAX_INPUTS {
            return Err(RequestError::invalid(
                "input",
                "it must have 1 to 2048 entries",
            ));
        }
        if fields.dimensions == Some(0) {
            return Err(RequestError::invalid("dimensions", "it must be 1 at least"));
        }
        Ok(Self {
            inputs,
            encoding: fields.encoding_format.unwrap_or_default(),
            dimensions: fields.dimensions,
        })
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    object: &'static str,
    data: Vec<Entry<'a>>,
    model: &'a str,
    usage: EmbeddingsUsage,
}

#[derive(Serialize)]
struct Entry<'a> {
    object: &'static str,
    index: usize,
    embedding: Vector<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Vector<'a> {
    Float(&'a [f32]),
    Base64(String),
}

#[derive(Serialize)]
struct EmbeddingsUsage {
    prompt_tokens: u64,
    total_tokens: u64,
}

/// The answer with one vector for each input, in their order.
#[must_use]
pub fn render_embeddings(
    model: &str,
    vectors: &[Vec<f32>],
    encoding: Encoding,
    prompt_tokens: u64,
) -> Bytes {
    let entries = vectors.iter().enumerate().map(|(index, vector)| Entry {
        object: "embedding",
        index,
        embedding: written(vector, encoding),
    });
    let answer = Answer {
        object: "list",
        data: entries.collect(),
        model,
        usage: EmbeddingsUsage {
            prompt_tokens,
            total_tokens: prompt_tokens,
        },
    };
    let mut out = Vec::new();
    json::append(&mut out, &answer);
    out.into()
}

fn written(vector: &[f32], encoding: Encoding) -> Vector<'_> {
    match encoding {
        Encoding::Float => Vector::Float(vector),
        Encoding::Base64 => {
            let bytes: Vec<u8> = vector
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            Vector::Base64(BASE64_STANDARD.encode(bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::usage::Usage;

    #[test]
    fn inputs_in_all_forms() {
        let text = |text: &str| EmbeddingInput::Text(text.to_owned());
        let tokens = |tokens: &[u32]| EmbeddingInput::Tokens(tokens.to_vec());
        let cases = [
            (r#""a""#, vec![text("a")]),
            (r#"["a","b"]"#, vec![text("a"), text("b")]),
            ("[1,2]", vec![tokens(&[1, 2])]),
            ("[[1],[2,3]]", vec![tokens(&[1]), tokens(&[2, 3])]),
        ];
        for (input, expected) in cases {
            let body =
                format!(r#"{{"model":"m","input":{input},"encoding_format":"base64","user":"u"}}"#);
            let request = EmbeddingsRequest::parse(body.as_bytes()).unwrap();
            assert_eq!(
                (request.inputs, request.encoding),
                (expected, Encoding::Base64),
                "{input}"
            );
        }
    }

    #[test]
    fn refusals_name_the_field() {
        let many = format!(r#"{{"input":{:?}}}"#, vec!["x"; MAX_INPUTS + 1]);
        let cases = [
            ("{}", "input"),
            (r#"{"input":[]}"#, "input"),
            (r#"{"input":{"a":1}}"#, "input"),
            (r#"{"input":["a",1]}"#, "input"),
            (&many, "input"),
            (
                r#"{"input":"a","encoding_format":"hex"}"#,
                "encoding_format",
            ),
            (r#"{"input":"a","dimensions":0}"#, "dimensions"),
            (r#"{"input":"a","dimensions":-4}"#, "dimensions"),
        ];
        for (body, param) in cases {
            let error = EmbeddingsRequest::parse(body.as_bytes()).unwrap_err();
            assert_eq!(error.param(), Some(param), "{error}");
        }
    }

    #[test]
    fn vectors_in_both_encodings() {
        let vectors = [vec![1.0, -0.5], vec![0.25]];
        let answer = render_embeddings("m", &vectors, Encoding::Float, 7);
        assert_eq!(Usage::from_openai_body(&answer).unwrap().prompt, 7);
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["data"][0]["embedding"], json!([1.0, -0.5]));
        assert_eq!(answer["data"][1]["index"], 1);
        let answer = render_embeddings("m", &vectors, Encoding::Base64, 7);
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["data"][0]["embedding"], "AACAPwAAAL8=");
    }
}
