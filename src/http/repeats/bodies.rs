//! The bodies that carry one answer to each who waits for it.

use actix_web::{
    HttpResponse,
    body::{BodyStream, BoxBody, SizedStream},
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
    web::Bytes,
};
use derive_more::{Display, Error};
use futures_util::{Stream, stream::unfold};
use tokio::sync::mpsc;
use troupe_actors::{
    accounts::calls::Outcome,
    answers::{End, Head, Reader, Step},
};
use troupe_protocol::openai::error::ErrorCode;

use crate::http::call::Call;

/// The answer ends before its end. The connection is closed, so that nobody takes the half for the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
#[display("the answer broke off")]
pub struct Broken;

/// What comes to the first reader of an answer that is too large to be recorded.
pub enum Rest {
    Piece(Bytes),
    /// All of it has come.
    End,
}

/// The body of the client that asked first: what is recorded, and then the rest.
pub fn own(reader: Reader, rest: mpsc::Receiver<Rest>, length: Option<u64>) -> BoxBody {
    let pieces = unfold((reader, rest), |(mut reader, mut rest)| async {
        let piece = match reader.next().await {
            Step::Piece(piece) | Step::Last(piece, _) => Some(Ok(piece)),
            Step::End(End::Complete(_)) => None,
            Step::End(End::TooLarge) => match rest.recv().await {
                Some(Rest::Piece(piece)) => Some(Ok(piece)),
                Some(Rest::End) => None,
                None => Some(Err(Broken)),
            },
            Step::End(End::Broken | End::Refused(_)) => Some(Err(Broken)),
        };
        piece.map(|piece| (piece, (reader, rest)))
    });
    boxed(pieces, length)
}

/// The answer to another request, `mark`ed as such and under a record of its own.
pub fn shared(
    call: Call,
    head: &Head,
    mark: (HeaderName, HeaderValue),
    reader: Reader,
) -> HttpResponse {
    let status = StatusCode::from_u16(head.status).unwrap_or(StatusCode::OK);
    let mut response = call.response(status);
    for (name, value) in &head.headers {
        response.insert_header((name.as_str(), value.as_str()));
    }
    response.insert_header(mark);
    call.observe_overhead();
    let shared = Shared {
        reader,
        call: Some(call),
        status: head.status,
        is_stream: head
            .headers
            .iter()
            .any(|(name, value)| name == "content-type" && value.starts_with("text/event-stream")),
    };
    let pieces = unfold(shared, async |mut shared| {
        let piece = shared.next().await?;
        Some((piece, shared))
    });
    response.body(boxed(pieces, head.length))
}

struct Shared {
    reader: Reader,
    /// Gone once it is recorded.
    call: Option<Call>,
    status: u16,
    is_stream: bool,
}

impl Shared {
    async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        let step = self.reader.next().await;
        if let (Step::Piece(piece) | Step::Last(piece, _), Some(call)) = (&step, &mut self.call) {
            call.first_byte();
            call.sent(piece.len());
        }
        match step {
            Step::Piece(piece) => Some(Ok(piece)),
            Step::Last(piece, outcome) => {
                self.finish(outcome, None);
                Some(Ok(piece))
            }
            Step::End(End::Complete(outcome)) => {
                self.finish(outcome, None);
                None
            }
            Step::End(End::TooLarge) => self.break_off(Outcome::GatewayError, &TOO_LARGE),
            Step::End(End::Broken | End::Refused(_)) => self.break_off(Outcome::UpstreamCut, &CUT),
        }
    }

    /// The record is written before the last byte goes out.
    fn finish(&mut self, outcome: Outcome, code: Option<ErrorCode>) {
        if let Some(call) = self.call.take() {
            call.finish(outcome, self.status, code.map(ErrorCode::as_str));
        }
    }

    /// A stream ends with an error event, anything else with its connection.
    fn break_off(&mut self, outcome: Outcome, why: &Why) -> Option<Result<Bytes, Broken>> {
        let call = self.call.as_ref()?;
        let event = call.error_event(why.code, why.message);
        self.finish(outcome, Some(why.code));
        if !self.is_stream {
            return Some(Err(Broken));
        }
        // clear of a half event before it
        Some(Ok([b"\n\n", &event[..]].concat().into()))
    }
}

struct Why {
    code: ErrorCode,
    message: &'static str,
}

const TOO_LARGE: Why = Why {
    code: ErrorCode::AnswerNotKept,
    message: "the answer that this request shared has grown too large to be shared, send it again alone",
};
const CUT: Why = Why {
    code: ErrorCode::UpstreamCut,
    message: "the answer that this request shared broke off, send it again",
};

fn boxed(
    pieces: impl Stream<Item = Result<Bytes, Broken>> + 'static,
    length: Option<u64>,
) -> BoxBody {
    match length {
        Some(length) => BoxBody::new(SizedStream::new(length, pieces)),
        None => BoxBody::new(BodyStream::new(pieces)),
    }
}
