//! An answer of the gateway, read as a client reads it.

use std::pin::Pin;

use awc::{
    ClientRequest, ClientResponse,
    error::{PayloadError, SendRequestError},
    http::header::HeaderMap,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, future::LocalBoxFuture};
use serde_json::Value;

use super::{SOON, chat};

/// An answer whose body is read at the test's own pace. Dropping it closes the connection.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    body: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>,
    unread: Vec<u8>,
}

impl Answer {
    /// Sends a request, with a JSON body where there is one.
    ///
    /// # Errors
    /// If no head of an answer came.
    pub async fn of(
        request: ClientRequest,
        body: Option<&Value>,
    ) -> Result<Self, SendRequestError> {
        let sent: LocalBoxFuture<'_, _> = match body {
            Some(body) => Box::pin(request.send_json(body)),
            None => Box::pin(request.send()),
        };
        Ok(Self::new(sent.await?))
    }

    /// An answer whose head is here.
    pub fn new<S>(response: ClientResponse<S>) -> Self
    where
        S: Stream<Item = Result<Bytes, PayloadError>> + Unpin + 'static,
    {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: Box::pin(response),
            unread: Vec::new(),
        }
    }

    /// A header's text; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The next piece of the body, `None` at its end.
    ///
    /// # Panics
    /// If the connection breaks, or nothing comes for [`SOON`].
    pub async fn piece(&mut self) -> Option<Bytes> {
        let piece = tokio::time::timeout(SOON, self.body.next()).await;
        let piece = piece.expect("the body stands still")?;
        Some(piece.expect("the connection broke"))
    }

    /// The data of the next event of a stream, `None` at its end.
    pub async fn event(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\n\n") {
                let frame: Vec<u8> = self.unread.drain(..end + 2).collect();
                let frame = String::from_utf8(frame).expect("events are UTF-8");
                if let Some(data) = frame.lines().find_map(|line| line.strip_prefix("data: ")) {
                    return Some(data.to_owned());
                }
                continue;
            }
            let piece = self.piece().await?;
            self.unread.extend_from_slice(&piece);
        }
    }

    /// The data of all events that are left.
    pub async fn events(mut self) -> Vec<String> {
        let mut events = Vec::new();
        while let Some(event) = self.event().await {
            events.push(event);
        }
        events
    }

    /// The whole text of a stream.
    pub async fn streamed_text(self) -> String {
        let events = self.events().await;
        events
            .iter()
            .filter_map(|event| chat::text(event))
            .collect()
    }

    /// The whole body.
    pub async fn bytes(mut self) -> Vec<u8> {
        let mut all = std::mem::take(&mut self.unread);
        while let Some(piece) = self.piece().await {
            all.extend_from_slice(&piece);
        }
        all
    }

    /// The whole body, `None` if the connection broke before its end.
    pub async fn try_bytes(mut self) -> Option<Vec<u8>> {
        let mut all = std::mem::take(&mut self.unread);
        while let Some(piece) = self.body.next().await {
            all.extend_from_slice(&piece.ok()?);
        }
        Some(all)
    }

    /// The whole body as text.
    pub async fn text(self) -> String {
        String::from_utf8(self.bytes().await).expect("text is UTF-8")
    }

    /// The whole body as JSON.
    pub async fn json(self) -> Value {
        let status = self.status;
        let text = self.text().await;
        let body = serde_json::from_str(&text);
        body.unwrap_or_else(|error| panic!("{status} without JSON ({error}): {text}"))
    }

    /// The body of an answer that must be a success.
    pub async fn ok(self) -> Vec<u8> {
        let status = self.status;
        let body = self.bytes().await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        body
    }

    /// The body of an error that has the given status and code.
    pub async fn error(self, status: u16, code: &str) -> Value {
        let found = self.status;
        let body = self.json().await;
        assert_eq!(
            (found, body["error"]["code"].as_str()),
            (status, Some(code)),
            "{body}"
        );
        body["error"].clone()
    }
}
