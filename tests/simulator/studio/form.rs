//! The fields of a request, be it JSON or a form.

use actix_web::{HttpRequest, http::header::CONTENT_TYPE};
use bytes::Bytes;
use memchr::memmem;
use serde_json::Value;

/// What was sent, by name.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    texts: Vec<(String, String)>,
    files: Vec<(String, Bytes)>,
}

impl Sent {
    /// Reads a form where the type says so, else JSON; nothing at all where it makes no sense.
    pub(crate) fn of(request: &HttpRequest, body: &Bytes) -> Self {
        let kind = request.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        match kind.split_once("boundary=") {
            Some((_, boundary)) if kind.starts_with("multipart/form-data") => {
                Self::of_form(body, boundary.trim_matches('"'))
            }
            _ => Self::of_json(body),
        }
    }

    fn of_json(body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let fields = json.as_object().into_iter().flatten();
        let texts = fields.map(|(name, value)| match value {
            Value::String(text) => (name.clone(), text.clone()),
            value => (name.clone(), value.to_string()),
        });
        Self {
            texts: texts.collect(),
            files: Vec::new(),
        }
    }

    fn of_form(body: &Bytes, boundary: &str) -> Self {
        let mut sent = Self::default();
        let mark = format!("--{boundary}");
        let mut starts = memmem::find_iter(body, mark.as_bytes()).map(|at| at + mark.len());
        let Some(mut start) = starts.next() else {
            return sent;
        };
        for next in starts {
            let end = next.saturating_sub(mark.len() + 2);
            sent.take(&body.slice(start.min(end)..end));
            start = next;
        }
        sent
    }

    /// A part: headers, an empty line, content.
    fn take(&mut self, part: &Bytes) {
        let Some(at) = memmem::find(part, b"\r\n\r\n") else {
            return;
        };
        let head = String::from_utf8_lossy(&part[..at]).into_owned();
        let content = part.slice(at + 4..);
        let Some(name) = quoted(&head, "; name=\"") else {
            return;
        };
        match quoted(&head, "; filename=\"") {
            Some(_) => self.files.push((name, content)),
            None => {
                let text = String::from_utf8_lossy(&content).into_owned();
                self.texts.push((name, text));
            }
        }
    }

    /// A text; numbers of JSON are their digits.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let mut texts = self.texts.iter();
        texts
            .find(|(known, _)| known == name)
            .map(|(_, text)| text.as_str())
    }

    /// A whole number.
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.text(name)?.parse().ok()
    }

    /// The first file of that name.
    pub(crate) fn file(&self, name: &str) -> Option<&Bytes> {
        let mut files = self.files.iter();
        files.find(|(known, _)| known == name).map(|(_, file)| file)
    }

    /// Whether there is a text or a file of that name that is not empty.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| !text.is_empty())
            || self.file(name).is_some_and(|file| !file.is_empty())
    }
}

fn quoted(head: &str, before: &str) -> Option<String> {
    let (_, rest) = head.split_once(before)?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn forms_and_json_are_read_alike() {
        let form = "--x-1\r\ncontent-disposition: form-data; name=\"prompt\"\r\n\r\na cat\r\n\
                    --x-1\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\
                    content-type: image/png\r\n\r\n\u{1}\r\n\u{2}\r\n--x-1--\r\n";
        let request = TestRequest::default()
            .insert_header((CONTENT_TYPE, "multipart/form-data; boundary=x-1"))
            .to_http_request();
        let sent = Sent::of(&request, &Bytes::from(form));
        assert_eq!(sent.text("prompt"), Some("a cat"));
        assert_eq!(sent.file("image").unwrap(), "\u{1}\r\n\u{2}");
        assert!(sent.has("image") && !sent.has("mask"));

        let request = TestRequest::default().to_http_request();
        let sent = Sent::of(&request, &Bytes::from(r#"{"prompt":"a cat","n":2}"#));
        assert_eq!(
            (sent.text("prompt"), sent.number("n")),
            (Some("a cat"), Some(2))
        );
        let nonsense = Sent::of(&request, &Bytes::from("nonsense"));
        assert!(!nonsense.has("prompt"));
    }
}
