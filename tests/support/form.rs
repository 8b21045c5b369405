//! Forms as HTTP clients send them.

use super::{Answer, App};

const BOUNDARY: &str = "boundary-of-the-tests-0123456789";

/// A form, its fields in the order in which they are added.
#[derive(Default)]
pub struct Form(Vec<u8>);

impl Form {
    /// One with these texts.
    pub fn of(texts: &[(&str, &str)]) -> Self {
        let texts = texts.iter();
        texts.fold(Self::default(), |form, (name, text)| form.text(name, text))
    }

    /// Adds a text.
    pub fn text(self, name: &str, text: &str) -> Self {
        self.part(&format!("name=\"{name}\"\r\n"), text.as_bytes())
    }

    /// Adds a PNG file.
    pub fn file(self, name: &str, file: &[u8]) -> Self {
        let head = format!("name=\"{name}\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n");
        self.part(&head, file)
    }

    fn part(mut self, head: &str, content: &[u8]) -> Self {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n");
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(content);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    /// POSTs it with the API key.
    pub async fn post(mut self, app: &App, path: &str) -> Answer {
        self.0
            .extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let request = app.client().post(app.url(path)).bearer_auth(App::API_KEY);
        let request = request.insert_header(("content-type", kind));
        Answer::new(request.send_body(self.0).await.expect("an answer"))
    }
}
