//! What the dialects' tests share: a simulator, and a client that speaks to it over a real socket.

use std::time::Duration;

use awc::{Client, http::header::HeaderMap};
use serde_json::Value;

use crate::Simulator;

/// How long anything may take.
const SOON: Duration = Duration::from_secs(10);

/// The largest answer.
const LARGEST: usize = 16 << 20;

/// A simulator and what every request to it carries.
pub(crate) struct Trial {
    pub sim: Simulator,
    headers: Vec<(&'static str, String)>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Heard {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Trial {
    pub(crate) fn new(headers: &[(&'static str, &str)]) -> Self {
        let owned = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        Self {
            sim: Simulator::start(),
            headers: owned.collect(),
        }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Heard {
        self.send(self.request("POST", path), body.to_string())
            .await
    }

    /// The same with headers that belong to this body.
    pub(crate) async fn post_with(
        &self,
        path: &str,
        body: &Value,
        headers: &[(&str, String)],
    ) -> Heard {
        let request = headers
            .iter()
            .fold(self.request("POST", path), |request, (name, value)| {
                request.insert_header((*name, value.as_str()))
            });
        self.send(request, body.to_string()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Heard {
        self.send(self.request("GET", path), String::new()).await
    }

    /// The bytes of an answer that is no text.
    pub(crate) async fn post_raw(&self, path: &str, body: &Value) -> Vec<u8> {
        Self::raw(self.request("POST", path), body.to_string()).await
    }

    /// The same of a question.
    pub(crate) async fn get_raw(&self, path: &str) -> Vec<u8> {
        Self::raw(self.request("GET", path), String::new()).await
    }

    async fn raw(request: awc::ClientRequest, body: String) -> Vec<u8> {
        let mut answer = request.send_body(body).await.unwrap();
        answer.body().limit(LARGEST).await.unwrap().to_vec()
    }

    /// Sends a form of texts, and of files that hold `file`.
    pub(crate) async fn post_form(
        &self,
        path: &str,
        texts: &[(&str, &str)],
        files: &[&str],
    ) -> Heard {
        let text = |(name, value): &(&str, &str)| format!("name=\"{name}\"\r\n\r\n{value}");
        let file = |name: &&str| format!("name=\"{name}\"; filename=\"a.png\"\r\n\r\nfile");
        let parts = texts.iter().map(text).chain(files.iter().map(file));
        let parts = parts.map(|part| format!("--x\r\ncontent-disposition: form-data; {part}\r\n"));
        let request = self.request("POST", path);
        let kind = ("content-type", "multipart/form-data; boundary=x");
        let body = parts.collect::<String>() + "--x--\r\n";
        self.send(request.insert_header(kind), body).await
    }

    fn request(&self, method: &str, path: &str) -> awc::ClientRequest {
        // awc's connector needs one even where no TLS is spoken; another test may have been first
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(SOON).finish();
        let url = format!("http://{}{path}", self.sim.address());
        let request = client.request(method.parse().unwrap(), url);
        self.headers.iter().fold(request, |request, (name, value)| {
            request.insert_header((*name, value.as_str()))
        })
    }

    async fn send(&self, request: awc::ClientRequest, body: String) -> Heard {
        let mut answer = request.send_body(body).await.unwrap();
        Heard {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            text: String::from_utf8(answer.body().limit(LARGEST).await.unwrap().to_vec()).unwrap(),
        }
    }
}

impl Heard {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// The data of an event stream's frames; all but `[DONE]` is JSON.
    pub(crate) fn events(&self) -> Vec<Value> {
        let data = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("data: "));
        data.filter(|data| *data != "[DONE]")
            .map(|data| serde_json::from_str(data).unwrap_or_else(|_| panic!("not JSON: {data}")))
            .collect()
    }

    /// The message of an error in any dialect.
    pub(crate) fn complaint(&self) -> String {
        self.json()["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

/// The texts at a pointer of all events, joined.
pub(crate) fn joined(events: &[Value], pointer: &str) -> String {
    events
        .iter()
        .filter_map(|event| event.pointer(pointer)?.as_str())
        .collect()
}

/// A body with other members, or more of them.
pub(crate) fn with(mut body: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}
