//! Requests to a store behind an HTTP API with a bearer token.

use std::time::Duration;

use awc::{
    Client, ClientRequest,
    error::PayloadError,
    http::{Method, StatusCode, header::HeaderMap},
};
use bytes::Bytes;

use crate::{providers::client, secrets::Secret, storage::error::first_line};

use super::KvError;

/// The most that is shown of what a store says, in characters.
const SAID: usize = 200;

/// One store's API, as this thread reaches it.
pub(super) struct Api {
    client: Client,
    token: Secret,
}

/// A whole answer.
pub(super) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Api {
    /// Connections are made as needed, each within `connect_timeout`.
    pub fn new(token: Secret, connect_timeout: Duration) -> Self {
        Self {
            client: client::client(connect_timeout),
            token,
        }
    }

    /// A request that carries the token.
    pub fn request(&self, method: Method, url: &str) -> ClientRequest {
        self.client
            .request(method, url)
            .bearer_auth(self.token.expose())
    }
}

/// Sends `request` and reads an answer of at most `limit` bytes.
///
/// # Errors
/// [`KvError::Unavailable`] if there is no whole answer; any status is an answer.
pub(super) async fn send(
    request: ClientRequest,
    body: Bytes,
    limit: usize,
) -> Result<Reply, KvError> {
    let sent = request.send_body(body).await;
    let mut response = sent.map_err(|error| unavailable(&error.to_string()))?;
    let body = response.body().limit(limit).await;
    let body = body.map_err(|error: PayloadError| unavailable(&error.to_string()))?;
    Ok(Reply {
        status: response.status(),
        headers: response.headers().clone(),
        body,
    })
}

/// [`KvError::Unavailable`] with what was said, cut short.
pub(super) fn unavailable(text: &str) -> KvError {
    KvError::Unavailable(said(text))
}

/// The beginning of what a store says.
pub(super) fn said(text: &str) -> String {
    first_line(text).chars().take(SAID).collect()
}
