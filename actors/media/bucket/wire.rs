//! The store's requests over the thread's own HTTP client, so that there is one client, one set of time-outs
//! and one set of certificates. That client stays on its thread while the library's futures may move: a
//! task on the thread that asks carries the bytes and hands them over.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{HeaderName, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
        HttpResponse, HttpResponseBody, HttpService,
    },
};
use tokio::sync::{mpsc, oneshot};

use crate::providers::client::client;

/// Makes the library use our client.
#[derive(Debug)]
pub struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service))
    }
}

#[derive(Debug)]
struct Service;

const CONNECT: Duration = Duration::from_secs(5);
/// From the request, with a part of a file, to the answer's headers.
const ANSWER: Duration = Duration::from_secs(60);
/// Pieces that wait for who reads slowly.
const AHEAD: usize = 4;

type Answered = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send>>;

impl HttpService for Service {
    fn call<'s, 'a>(
        &'s self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>
    where
        's: 'a,
        Self: 'a,
    {
        let (head, answered) = oneshot::channel();
        actix_rt::spawn(carry(request, head));
        let answered: Answered = Box::pin(async {
            match answered.await {
                Ok(answered) => answered,
                Err(gone) => Err(HttpError::new(HttpErrorKind::Interrupted, gone)),
            }
        });
        answered
    }
}

/// Sends the request, hands the answer's head over, and then its body, until it ends or nobody reads.
async fn carry(request: HttpRequest, head: oneshot::Sender<Result<HttpResponse, HttpError>>) {
    let mut response = match send(request).await {
        Ok(response) => response,
        Err(error) => {
            // nobody waits any more
            let _ = head.send(Err(error));
            return;
        }
    };
    let (pieces, body) = mpsc::channel(AHEAD);
    let answer = HttpResponse::new(HttpResponseBody::new(Pieces(body)));
    if head.send(Ok(with_head(answer, &response))).is_err() {
        return;
    }
    while let Some(piece) = response.next().await {
        let piece = piece.map_err(|error| failed(HttpErrorKind::Interrupted, &error));
        if pieces.send(piece).await.is_err() {
            return;
        }
    }
}

async fn send(
    request: HttpRequest,
) -> Result<
    awc::ClientResponse<
        impl futures_util::Stream<Item = Result<Bytes, awc::error::PayloadError>> + Unpin,
    >,
    HttpError,
> {
    let (parts, body) = request.into_parts();
    let body = whole(body).await?;
    let method = awc::http::Method::from_bytes(parts.method.as_str().as_bytes())
        .map_err(|error| failed(HttpErrorKind::Unknown, &error))?;
    let mut ours = client(CONNECT)
        .request(method, parts.uri.to_string())
        .timeout(ANSWER);
    for (name, value) in &parts.headers {
        // the client says itself how long the body is
        if name != http::header::CONTENT_LENGTH {
            ours = ours.append_header((name.as_str(), value.as_bytes()));
        }
    }
    ours.no_decompress().send_body(body).await.map_err(|error| {
        let kind = match &error {
            awc::error::SendRequestError::Connect(_) => HttpErrorKind::Connect,
            awc::error::SendRequestError::Timeout => HttpErrorKind::Timeout,
            _ => HttpErrorKind::Request,
        };
        failed(kind, &error)
    })
}

/// The request's body, which is in memory already, most often as one piece.
async fn whole(mut body: HttpRequestBody) -> Result<Bytes, HttpError> {
    if let Some(bytes) = body.as_bytes() {
        return Ok(bytes.clone());
    }
    let mut whole = BytesMut::with_capacity(body.content_length());
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(piece) = frame?.into_data() {
            whole.extend_from_slice(&piece);
        }
    }
    Ok(whole.freeze())
}

/// The answer with the status and the headers of what came.
fn with_head<S>(mut answer: HttpResponse, came: &awc::ClientResponse<S>) -> HttpResponse {
    if let Ok(status) = http::StatusCode::from_u16(came.status().as_u16()) {
        *answer.status_mut() = status;
    }
    for (name, value) in came.headers() {
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        let value = HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            answer.headers_mut().append(name, value);
        }
    }
    answer
}

fn failed(kind: HttpErrorKind, error: &dyn std::fmt::Display) -> HttpError {
    HttpError::new(kind, std::io::Error::other(error.to_string()))
}

/// A body whose pieces come from another task.
struct Pieces(mpsc::Receiver<Result<Bytes, HttpError>>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let piece = self.0.poll_recv(context);
        piece.map(|piece| Some(piece?.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
