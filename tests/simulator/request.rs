//! Reading a request without parsing it: an answer from the stock must cost next to nothing.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, http::header};
use memchr::memmem;
use serde::Deserialize;

/// The value of `"name":` in a JSON text, from its first byte on. Inside a JSON string every quote is
/// escaped, so a quoted name with a colon behind it can only be a key; at which depth is not looked at.
pub(crate) fn value<'a>(body: &'a [u8], quoted_name: &str) -> Option<&'a [u8]> {
    memmem::find_iter(body, quoted_name).find_map(|at| {
        let rest = body.get(at + quoted_name.len()..)?.trim_ascii_start();
        Some(rest.strip_prefix(b":")?.trim_ascii_start())
    })
}

/// A string value, its escapes left as they are; `None` where there is none.
pub(crate) fn string<'a>(body: &'a [u8], quoted_name: &str) -> Option<&'a str> {
    let text = value(body, quoted_name)?.strip_prefix(b"\"")?;
    let end = memchr::memchr(b'"', text)?;
    std::str::from_utf8(text.get(..end)?).ok()
}

/// Whether a value is `true`.
pub(crate) fn is_true(body: &[u8], quoted_name: &str) -> bool {
    value(body, quoted_name).is_some_and(|value| value.starts_with(b"true"))
}

/// An unsigned number.
pub(crate) fn number(body: &[u8], quoted_name: &str) -> Option<usize> {
    digits(value(body, quoted_name)?)
}

/// The number behind the last `seed:` of the messages, which makes the answer's text distinct.
pub(crate) fn seed(body: &[u8]) -> Option<usize> {
    let at = memmem::rfind(body, b"seed:")?;
    digits(body.get(at + 5..)?)
}

fn digits(text: &[u8]) -> Option<usize> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    let text = text.get(..end.unwrap_or(text.len()))?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// What is read of a body before it is looked at as a whole. Unlike [`value`] this parses it, so that a tool
/// with a parameter `model` does no harm.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Head {
    #[serde(default)]
    pub model: String,
    #[serde(default)]
    pub stream: bool,
}

impl Head {
    /// The head of a body; empty where the body makes no sense.
    pub(crate) fn of(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }
}

/// The credential: a bearer token, or the key of Anthropic's header or of Gemini's.
pub(crate) fn token(request: &HttpRequest) -> Option<&str> {
    let text = |name| request.headers().get(name)?.to_str().ok();
    let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    bearer
        .or_else(|| text(header::HeaderName::from_static("x-api-key")))
        .or_else(|| text(header::HeaderName::from_static("x-goog-api-key")))
}

/// All headers; the last one of a name that comes twice.
pub(crate) fn headers(request: &HttpRequest) -> BTreeMap<String, String> {
    let headers = request.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.to_string(), value.into_owned())
    });
    headers.collect()
}

/// A value of the query, as it stands there.
pub(crate) fn query<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let pairs = request.query_string().split('&');
    let mut found = pairs.filter_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name));
    found.next().map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_fields_wherever_blanks_are() {
        let body =
            br#"{"messages":[{"content":"\"model\":\"no\" seed:7"}], "model" : "m","stream":true,
            "stream_options":{"include_usage": true},"n":2}"#;
        assert_eq!(string(body, "\"model\""), Some("m"));
        assert!(is_true(body, "\"stream\""));
        assert!(is_true(body, "\"include_usage\""));
        assert_eq!(number(body, "\"n\""), Some(2));
        assert_eq!(seed(body), Some(7));
        assert_eq!(string(b"{\"model\":", "\"model\""), None);
        assert_eq!(string(b"not json", "\"model\""), None);
        let nested = br#"{"tools":[{"model":"x","stream":true}],"model":"m"}"#;
        let head = Head::of(nested);
        assert_eq!((head.model.as_str(), head.stream), ("m", false));
        assert_eq!(Head::of(b"not json").model, "");
    }
}
