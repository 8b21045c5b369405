//! The last request to each path, kept so that a test sees what arrived.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::request;

/// The most paths; it starts afresh when it is full.
const PATHS: usize = 256;

/// The most bytes of a body.
const LARGEST: usize = 4 << 20;

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Received {
    /// Without the query.
    pub path: String,
    /// Without the question mark.
    pub query: String,
    /// By their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The first 4 MiB of the body.
    pub body: String,
}

impl Received {
    /// The body as JSON; `null` if it is not JSON or too long.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// A header's value; empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// The last requests.
#[derive(Debug, Default)]
pub(crate) struct Archive(BTreeMap<String, Received>);

impl Archive {
    pub(crate) fn keep(&mut self, request: &HttpRequest, body: &Bytes) {
        if self.0.len() == PATHS && !self.0.contains_key(request.path()) {
            self.0.clear();
        }
        let body = body.slice(..body.len().min(LARGEST));
        let received = Received {
            path: request.path().to_owned(),
            query: request.query_string().to_owned(),
            headers: request::headers(request),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        self.0.insert(received.path.clone(), received);
    }

    pub(crate) fn last(&self, path: &str) -> Option<&Received> {
        self.0.get(path)
    }
}
