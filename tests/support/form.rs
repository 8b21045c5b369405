//! Forms as HTTP clients send them.

use super::{Answer, App};

const BOUNDARY: &str = "boundary-of-the-tests-0123456789";

/// A form, its fields in the order in which they are added.
#[derive(Default, Clone)]
pub struct Form(Vec<(String, Vec<u8>)>);

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
        let head = format!("Content-Disposition: form-data; {head}\r\n");
        self.0.push((head, content.to_vec()));
        self
    }

    /// POSTs it with the API key.
    pub async fn post(self, app: &App, path: &str) -> Answer {
        self.post_with(app, path, BOUNDARY, &[]).await
    }

    /// The same with a boundary of its own, and more headers.
    pub async fn post_with(
        self,
        app: &App,
        path: &str,
        boundary: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let kind = format!("multipart/form-data; boundary={boundary}");
        let request = app.client().post(app.url(path)).bearer_auth(App::API_KEY);
        let request = request.insert_header(("content-type", kind));
        let request = headers
            .iter()
            .fold(request, |request, header| request.insert_header(*header));
        let body = self.rendered(boundary);
        Answer::new(request.send_body(body).await.expect("an answer"))
    }

    fn rendered(self, boundary: &str) -> Vec<u8> {
        let mut body = Vec::new();
        for (head, content) in self.0 {
            body.extend_from_slice(format!("--{boundary}\r\n{head}").as_bytes());
            body.extend_from_slice(&content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        body
    }
}
