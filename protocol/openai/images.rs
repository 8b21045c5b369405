//! Image requests, as far as the gateway reads them, and answers, whose pictures it may have to put
//! elsewhere. Requests go upstream as they came; these types are never written back to them.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{
    request_error::{RequestError, missing, parse_typed},
    upstream_error::MalformedAnswer,
};
use crate::json;

/// An image request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ImageRequest {
    /// What to draw; never blank.
    #[serde(default)]
    pub prompt: String,
    /// How many pictures; 1 where it was left out.
    #[serde(default)]
    pub n: Option<u32>,
    /// `1024x1024`, `auto`, …; see [`ImageRequest::pixels`].
    #[serde(default)]
    pub size: Option<String>,
    /// How the client wants the pictures; many upstreams have a default of their own.
    #[serde(default)]
    pub response_format: Option<ImageFormat>,
    /// Makes the same prompt give the same picture, where the upstream can.
    #[serde(default)]
    pub seed: Option<u64>,
    /// The client's own user.
    #[serde(default)]
    pub user: Option<String>,
}

/// How a picture is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageFormat {
    /// A link.
    Url,
    /// The picture itself, in base64.
    B64Json,
}

impl ImageRequest {
    /// Reads a request's body.
    ///
    /// # Errors
    /// Where a field is missing or of the wrong type. What an upstream may allow or not, such as
    /// the largest `n`, is left to it.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let request: Self = parse_typed(body)?;
        if request.prompt.trim().is_empty() {
            return Err(missing("prompt"));
        }
        if request.n == Some(0) {
            return Err(RequestError::invalid("n", "it must be 1 at least"));
        }
        Ok(request)
    }

    /// Width and height; `None` where the choice is left to the provider.
    ///
    /// # Errors
    /// When `size` is neither `WIDTHxHEIGHT` nor `auto`.
    pub fn pixels(&self) -> Result<Option<(u32, u32)>, RequestError> {
        let Some(size) = self.size.as_deref().filter(|size| *size != "auto") else {
            return Ok(None);
        };
        let side = |text: &str| text.parse::<u32>().ok().filter(|side| *side > 0);
        size.split_once(['x', 'X', '*'])
            .and_then(|(width, height)| Some((side(width)?, side(height)?)))
            .map(Some)
            .ok_or_else(|| {
                RequestError::invalid("size", "write WIDTHxHEIGHT, such as 1024x1024, or auto")
            })
    }
}

/// The answer to an image request. Fields that are not read here are kept.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct ImageAnswer<'a> {
    /// Unix seconds.
    #[serde(default)]
    pub created: u64,
    /// The pictures.
    #[serde(borrow)]
    pub data: Vec<ImageItem<'a>>,
    /// `usage` and the like.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// One picture: a link or the picture itself.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
pub struct ImageItem<'a> {
    /// Where it is.
    #[serde(
        borrow,
        default,
        deserialize_with = "borrowed",
        skip_serializing_if = "Option::is_none"
    )]
    pub url: Option<Cow<'a, str>>,
    /// The picture in base64.
    #[serde(
        borrow,
        default,
        deserialize_with = "borrowed",
        skip_serializing_if = "Option::is_none"
    )]
    pub b64_json: Option<Cow<'a, str>>,
    /// `revised_prompt` and the like.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// serde copies the text of an `Option<Cow<str>>`, even where it could be borrowed.
fn borrowed<'de, D: Deserializer<'de>>(json: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    let text = Option::<Text<'de>>::deserialize(json)?;
    Ok(text.map(|Text(text)| text))
}

impl<'a> ImageAnswer<'a> {
    /// Reads an upstream's answer; pictures are borrowed from it.
    ///
    /// # Errors
    /// When the answer has no list of pictures.
    pub fn parse(body: &'a [u8]) -> Result<Self, MalformedAnswer> {
        serde_json::from_slice(body).map_err(|error| MalformedAnswer {
            reason: error.to_string().chars().take(200).collect(),
        })
    }

    /// Writes the answer for the client.
    #[must_use]
    pub fn render(&self) -> Bytes {
        let pictures = self.data.iter().flat_map(|item| &item.b64_json);
        let size: usize = pictures.map(|picture| picture.len()).sum();
        let mut out = Vec::with_capacity(size + 256 * (self.data.len() + 1));
        json::append(&mut out, self);
        out.into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(body: &Value) -> Result<ImageRequest, RequestError> {
        ImageRequest::parse(body.to_string().as_bytes())
    }

    #[test]
    fn a_full_request() {
        let body = json!({
            "prompt": "a cat", "n": 2, "size": "640x480", "response_format": "b64_json",
            "seed": u64::MAX, "user": "u", "background": "transparent",
        });
        let request = parse(&body).unwrap();
        assert_eq!((request.n, request.seed), (Some(2), Some(u64::MAX)));
        assert_eq!(request.response_format, Some(ImageFormat::B64Json));
        assert_eq!(request.pixels(), Ok(Some((640, 480))));
        let least = parse(&json!({"prompt": "p", "n": null, "size": null})).unwrap();
        assert_eq!((least.n, least.pixels()), (None, Ok(None)));
    }

    #[test]
    fn refusals_name_the_field() {
        let cases = [
            (json!({}), "prompt"),
            (json!({"prompt": " "}), "prompt"),
            (json!({"prompt": ["p"]}), "prompt"),
            (json!({"prompt": "p", "n": 0}), "n"),
            (json!({"prompt": "p", "n": "2"}), "n"),
            (
                json!({"prompt": "p", "response_format": "png"}),
                "response_format",
            ),
            (json!({"prompt": "p", "seed": -1}), "seed"),
        ];
        for (body, param) in cases {
            assert_eq!(parse(&body).unwrap_err().param(), Some(param), "{body}");
        }
        for size in ["", "big", "0x10", "10x", "-1x5", "99999999999x1", "1x2x3"] {
            let request = parse(&json!({"prompt": "p", "size": size})).unwrap();
            assert_eq!(
                request.pixels().unwrap_err().param(),
                Some("size"),
                "{size}"
            );
        }
        let auto = parse(&json!({"prompt": "p", "size": "auto"})).unwrap();
        assert_eq!(auto.pixels(), Ok(None));
    }

    #[test]
    fn an_answer_keeps_what_is_not_read() {
        let body = json!({
            "created": 5, "background": "opaque", "usage": {"input_tokens": 1},
            "data": [{"b64_json": "QUJD", "revised_prompt": "r"}, {"url": "https://x/y"}],
        });
        let text = body.to_string();
        let mut answer = ImageAnswer::parse(text.as_bytes()).unwrap();
        assert!(matches!(
            answer.data[0].b64_json,
            Some(Cow::Borrowed("QUJD"))
        ));
        assert_eq!(
            serde_json::from_slice::<Value>(&answer.render()).unwrap(),
            body
        );
        answer.data[0].b64_json = None;
        answer.data[0].url = Some("https://gateway/media/1.png".into());
        let changed: Value = serde_json::from_slice(&answer.render()).unwrap();
        let item = json!({"url": "https://gateway/media/1.png", "revised_prompt": "r"});
        assert_eq!(changed["data"][0], item);
        assert!(ImageAnswer::parse(b"{}").is_err());
    }
}
