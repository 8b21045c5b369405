//! Reading a request without parsing it: an answer from the stock must cost next to nothing.

use actix_web::{HttpRequest, http::header};
use memchr::memmem;

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

/// The bearer token, where the request carries one.
pub(crate) fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?;
    value.to_str().ok()?.strip_prefix("Bearer ")
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
    }
}
