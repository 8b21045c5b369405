//! A stream whose upstream takes long to begin: its headers go out before the upstream's are here, so that no
//! proxy on the way gives up. From then on a failure can only be told inside the stream.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_rt::time::timeout;
use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    http::{StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use troupe_protocol::{chat::StreamFault, dialect::Client, openai::error::ErrorCode};

use crate::http::{
    error::{error_event, request_id_headers},
    heartbeat::Heartbeat,
    passing::unbuffered,
};

/// What keeps a stream alive before its first event, in any dialect.
const PING: Bytes = Bytes::from_static(b": ping\n\n");

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until the headers go out without the upstream's; zero = for ever.
    pub headers: Duration,
    /// Between two signs of life.
    pub ping: Duration,
}

/// The answer that `work` makes, or one that begins without it.
pub async fn in_time(
    mut work: LocalBoxFuture<'static, HttpResponse>,
    patience: Patience,
    client: Client,
    request_id: &str,
) -> HttpResponse {
    if patience.headers.is_zero() {
        return work.await;
    }
    if let Ok(answer) = timeout(patience.headers, &mut work).await {
        return answer;
    }
    let mut response = HttpResponse::build(StatusCode::OK);
    response.insert_header((header::CONTENT_TYPE, "text/event-stream"));
    for header in request_id_headers(client, request_id) {
        response.insert_header(header);
    }
    unbuffered(&mut response);
    response.body(Early {
        stage: Stage::Waiting(work),
        heartbeat: Heartbeat::new(patience.ping),
        client,
        request_id: request_id.to_owned(),
    })
}

/// The body of an answer that has begun before its upstream.
struct Early {
    stage: Stage,
    heartbeat: Option<Heartbeat>,
    client: Client,
    request_id: String,
}

enum Stage {
    Waiting(LocalBoxFuture<'static, HttpResponse>),
    /// The upstream's stream.
    Passing(BoxBody),
    /// An error as it would have been told without a stream, and what of it is read.
    Failing(BoxBody, BytesMut),
    Over,
}

impl Early {
    fn answered(&mut self, answer: HttpResponse) {
        let is_good = answer.status().is_success();
        let body = answer.into_body();
        self.stage = match is_good {
            true => Stage::Passing(body),
            false => Stage::Failing(body, BytesMut::new()),
        };
    }

    /// The error as an event, in the form that it has in the middle of a stream.
    fn failure(&mut self, error: &[u8]) -> Bytes {
        self.stage = Stage::Over;
        let told: Value = serde_json::from_slice(error).unwrap_or_default();
        let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
        let (code, message) = (
            text(&told["error"]["code"]),
            text(&told["error"]["message"]),
        );
        let code = ErrorCode::ALL.iter().find(|known| known.as_str() == code);
        let fault = StreamFault {
            code: code.copied().unwrap_or(ErrorCode::InternalError),
            message: &message,
            request_id: &self.request_id,
        };
        error_event(self.client, &fault)
    }
}

type Piece = Option<Result<Bytes, Box<dyn std::error::Error>>>;

impl MessageBody for Early {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Piece> {
        let this = self.get_mut();
        loop {
            match &mut this.stage {
                Stage::Waiting(work) => match work.as_mut().poll(cx) {
                    Poll::Ready(answer) => this.answered(answer),
                    Poll::Pending => {
                        let Some(heartbeat) = &mut this.heartbeat else {
                            return Poll::Pending;
                        };
                        ready!(heartbeat.poll(cx));
                        return Poll::Ready(Some(Ok(PING)));
                    }
                },
                Stage::Passing(body) => return Pin::new(body).poll_next(cx),
                Stage::Failing(body, read) => match ready!(Pin::new(body).poll_next(cx)) {
                    Some(Ok(piece)) => read.extend_from_slice(&piece),
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => {
                        let error = read.split().freeze();
                        return Poll::Ready(Some(Ok(this.failure(&error))));
                    }
                },
                Stage::Over => return Poll::Ready(None),
            }
        }
    }
}
