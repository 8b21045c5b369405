//! The body that carries an upstream's answer to the client.
//!
//! Bytes pass through as they come. On the way a tap reads the usage, the call record is written
//! before the last byte goes out, the lease is reported, and a break is told in the client's dialect.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use tokio_util::sync::WaitForCancellationFutureOwned;
use troupe_actors::{
    accounts::calls::Outcome,
    credentials::{Lease, Outcome as LeaseOutcome},
    providers::body::{BodyFault, UpstreamBody},
};
use troupe_protocol::{
    failure::FailureKind,
    openai::{
        error::{ErrorCode, render_sse},
        stream::StreamTap,
    },
    usage::Usage,
};

use super::call::Call;

/// See the module's head.
pub struct Relay {
    body: UpstreamBody,
    tap: Tap,
    /// Gone once the call is recorded.
    open: Option<Open>,
    status: u16,
    /// Bytes still to come, where the length is known and nothing is cut out.
    left: Option<u64>,
    size: BodySize,
    /// Told to the connection when the rest of a value of known shape is missing: it is closed, so that
    /// the client does not take the half for the whole.
    broken: Option<BodyFault>,
    /// Rings when a drain has waited long enough.
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    ended: bool,
}

struct Open {
    call: Call,
    lease: Lease,
}

/// How the passing bytes are read.
#[expect(
    clippy::large_enum_variant,
    reason = "one per answer under way, in its relay: a box saves nothing"
)]
pub enum Tap {
    /// A stream of events.
    Events(StreamTap),
    /// One JSON value; its end holds the usage.
    Tail(Vec<u8>),
}

/// How much of a long answer's end is kept to find the usage in.
const TAIL: usize = 8 << 10;

/// How the relay ends.
enum End {
    Complete,
    Broken(BodyFault),
    EventTooLong,
    Drained,
}

impl Relay {
    /// Takes over a call whose answer's headers are about to go out.
    pub fn new(
        call: Call,
        lease: Lease,
        body: UpstreamBody,
        tap: Tap,
        status: u16,
        cut: WaitForCancellationFutureOwned,
    ) -> Self {
        let length = match tap {
            Tap::Events(_) => None,
            Tap::Tail(_) => body.length(),
        };
        Self {
            body,
            tap,
            open: Some(Open { call, lease }),
            status,
            left: length,
            size: length.map_or(BodySize::Stream, BodySize::Sized),
            broken: None,
            cut: Box::pin(cut),
            ended: false,
        }
    }

    fn piece(&mut self, piece: Bytes) -> Result<Bytes, End> {
        if let Some(open) = &mut self.open {
            open.call.first_byte();
        }
        let out = match &mut self.tap {
            Tap::Events(tap) => tap.push(piece).map_err(|_| End::EventTooLong)?,
            Tap::Tail(tail) => {
                keep_tail(tail, &piece);
                piece
            }
        };
        if let Some(open) = &mut self.open {
            open.call.sent(out.len());
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(out.len() as u64);
        }
        if self.is_last() {
            self.settle(&End::Complete);
        }
        Ok(out)
    }

    /// Whether the client has everything once it has the present piece.
    fn is_last(&self) -> bool {
        match &self.tap {
            Tap::Events(tap) => tap.done(),
            Tap::Tail(_) => self.left == Some(0),
        }
    }

    /// Ends the relay; what is returned goes out as the last piece.
    fn end(&mut self, end: &End) -> Option<Bytes> {
        self.ended = true;
        if let Tap::Tail(tail) = &self.tap {
            self.broken = match end {
                End::Broken(fault) => Some(*fault),
                End::Complete if self.left == Some(0) => None,
                End::Complete if self.left.is_none() && closes(tail) => None,
                End::Complete | End::EventTooLong | End::Drained => Some(BodyFault::Cut),
            };
            let end = self.broken.map_or(End::Complete, End::Broken);
            self.settle(&end);
            return None;
        }
        let Tap::Events(tap) = &mut self.tap else {
            return None;
        };
        let rest = match end {
            End::Complete => tap.finish(),
            _ => Bytes::new(),
        };
        let half = tap.forwarded_half_event();
        let code = self.settle(end);
        match code {
            Some((code, id)) => Some(last_words(code, &id, half)),
            None => (!rest.is_empty()).then_some(rest),
        }
    }

    /// Records the call and reports the lease, once. The code and request id of the error, if it is one.
    fn settle(&mut self, end: &End) -> Option<(ErrorCode, String)> {
        let Open { mut call, lease } = self.open.take()?;
        call.used(self.tap.usage());
        let verdict = self.tap.verdict(end);
        lease.report(match verdict.blame {
            None => LeaseOutcome::Success,
            Some(kind) => LeaseOutcome::Failure(kind),
        });
        let told = verdict.code.map(|code| (code, call.id().to_owned()));
        let code = verdict.code.or(verdict.upstream_code);
        call.finish(verdict.outcome, self.status, code.map(ErrorCode::as_str));
        told
    }
}

/// What an end means.
struct Verdict {
    outcome: Outcome,
    /// Told to the client as a last event.
    code: Option<ErrorCode>,
    /// The upstream told the client itself.
    upstream_code: Option<ErrorCode>,
    /// What it means for the credential.
    blame: Option<FailureKind>,
}

impl Verdict {
    fn told(outcome: Outcome, code: ErrorCode, blame: Option<FailureKind>) -> Self {
        Self {
            outcome,
            code: Some(code),
            upstream_code: None,
            blame,
        }
    }
}

impl Tap {
    /// A tap for a stream, from which the usage is cut out where only the gateway asked for it.
    pub fn events(strip_usage: bool, max_event: usize) -> Self {
        Self::Events(StreamTap::new(strip_usage, max_event))
    }

    /// A tap for one JSON value.
    pub fn tail() -> Self {
        Self::Tail(Vec::new())
    }

    fn usage(&self) -> Option<Usage> {
        match self {
            Self::Events(tap) => tap.usage(),
            Self::Tail(tail) => Usage::from_openai_body(tail),
        }
    }

    fn verdict(&self, end: &End) -> Verdict {
        match end {
            End::Complete => self.complete(),
            End::Broken(fault) => {
                let outcome = match fault {
                    BodyFault::Idle | BodyFault::Total => Outcome::Timeout,
                    BodyFault::Cut | BodyFault::TooLarge => Outcome::UpstreamCut,
                };
                let code = match fault {
                    BodyFault::Idle | BodyFault::Total => ErrorCode::UpstreamTimeout,
                    BodyFault::Cut | BodyFault::TooLarge => ErrorCode::UpstreamCut,
                };
                Verdict::told(outcome, code, Some(fault.kind()))
            }
            End::EventTooLong => {
                let blame = Some(FailureKind::Upstream);
                Verdict::told(Outcome::UpstreamError, ErrorCode::UpstreamError, blame)
            }
            End::Drained => Verdict::told(Outcome::Drained, ErrorCode::ShuttingDown, None),
        }
    }

    /// The upstream ended its answer in order; a stream may still be cut short, or tell of an error.
    fn complete(&self) -> Verdict {
        let ok = Verdict {
            outcome: Outcome::Ok,
            code: None,
            upstream_code: None,
            blame: None,
        };
        let Self::Events(tap) = self else { return ok };
        let seen = tap.seen();
        match &seen.error {
            Some(error) => Verdict {
                outcome: Outcome::UpstreamError,
                code: None,
                upstream_code: Some(ErrorCode::from(error.kind)),
                blame: Some(error.kind),
            },
            None if seen.done || seen.finish_reason => ok,
            None => Verdict::told(
                Outcome::UpstreamCut,
                ErrorCode::UpstreamCut,
                Some(FailureKind::Network),
            ),
        }
    }
}

/// The error event that ends a broken stream, clear of a half event before it.
fn last_words(code: ErrorCode, request_id: &str, after_half_event: bool) -> Bytes {
    let message = match code {
        ErrorCode::ShuttingDown => "the gateway is being restarted, send the request again",
        ErrorCode::UpstreamTimeout => "the upstream sent nothing for too long",
        ErrorCode::UpstreamCut => "the upstream broke off before the end of its answer",
        _ => "the upstream's stream cannot be passed on",
    };
    let event = render_sse(code, message, None, request_id);
    if after_half_event {
        [b"\n\n", &event[..]].concat().into()
    } else {
        event
    }
}

/// Whether a JSON answer without a length has come to its end, as far as its last byte tells.
fn closes(tail: &[u8]) -> bool {
    matches!(tail.trim_ascii_end().last(), Some(b'}' | b']'))
}

fn keep_tail(tail: &mut Vec<u8>, piece: &[u8]) {
    if piece.len() >= TAIL {
        tail.clear();
        tail.extend_from_slice(&piece[piece.len() - TAIL..]);
        return;
    }
    let surplus = (tail.len() + piece.len()).saturating_sub(TAIL);
    tail.drain(..surplus);
    tail.extend_from_slice(piece);
}

impl Drop for Relay {
    fn drop(&mut self) {
        // the client left: what the upstream has told of the usage until now is kept
        if let Some(open) = &mut self.open {
            open.call.used(self.tap.usage());
        }
    }
}

impl MessageBody for Relay {
    type Error = BodyFault;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        loop {
            if this.ended {
                return Poll::Ready(this.broken.take().map(Err));
            }
            let end = match this.body.poll_piece(cx) {
                Poll::Ready(Some(Ok(piece))) => match this.piece(piece) {
                    // an event of ours was cut out, or is not complete
                    Ok(out) if out.is_empty() => continue,
                    Ok(out) => return Poll::Ready(Some(Ok(out))),
                    Err(end) => end,
                },
                Poll::Ready(Some(Err(fault))) => End::Broken(fault),
                Poll::Ready(None) => End::Complete,
                Poll::Pending => {
                    ready!(this.cut.as_mut().poll(cx));
                    End::Drained
                }
            };
            if let Some(last) = this.end(&end) {
                return Poll::Ready(Some(Ok(last)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_end_of_all_pieces() {
        let mut tail = Vec::new();
        for piece in [&[1; TAIL][..], &[2; 10], &[3; 5]] {
            keep_tail(&mut tail, piece);
        }
        assert_eq!(tail.len(), TAIL);
        assert_eq!(tail[TAIL - 15..], [[2; 10].as_slice(), &[3; 5]].concat());
        keep_tail(&mut tail, &[4; 3 * TAIL]);
        assert_eq!(tail, [4; TAIL]);
    }

    #[test]
    fn a_half_event_is_closed_before_the_error() {
        let event = last_words(ErrorCode::UpstreamCut, "id", true);
        assert!(event.starts_with(b"\n\ndata: {\"error\":"));
        assert!(last_words(ErrorCode::UpstreamCut, "id", false).starts_with(b"data: "));
    }
}
