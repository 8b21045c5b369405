//! The body that carries an upstream's answer to the client.
//!
//! Bytes pass through as they come, or are converted as they come. On the way a tap reads the usage, the
//! call record is written before the last byte goes out, the lease is reported, a silent stream is kept
//! alive, and a break is told in the client's dialect.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use tokio_util::sync::WaitForCancellationFutureOwned;
use troupe_actors::{
    credentials::{Lease, Outcome as LeaseOutcome},
    providers::body::{BodyFault, UpstreamBody},
};
use troupe_protocol::{chat::StreamFault, openai::error::ErrorCode};

use super::{
    call::Call,
    heartbeat::Heartbeat,
    tap::Tap,
    verdict::{End, Verdict},
};

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
    heartbeat: Option<Heartbeat>,
    keep: Option<Keep>,
    /// The last piece, while what must be kept of the answer is being stored.
    holding: Option<(LocalBoxFuture<'static, ()>, Bytes)>,
    ended: bool,
}

struct Open {
    call: Call,
    lease: Lease,
}

/// Stores a whole answer; the client gets its last byte only after that.
pub type Keep = Box<dyn FnOnce(&[u8]) -> LocalBoxFuture<'static, ()>>;

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
            Tap::Tail(_) => body.length(),
            _ => None,
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
            heartbeat: None,
            keep: None,
            holding: None,
            ended: false,
        }
    }

    /// Keeps a silent stream alive: an event that says nothing after so long without any. Zero = never.
    pub fn with_heartbeat(mut self, every: Duration) -> Self {
        if !matches!(self.tap, Tap::Tail(_)) {
            self.heartbeat = Heartbeat::new(every);
        }
        self
    }

    /// Hands the whole answer to `keep` before its last byte goes out.
    pub fn keeping(mut self, keep: Option<Keep>) -> Self {
        self.keep = keep;
        self
    }

    fn piece(&mut self, piece: Bytes) -> Result<Bytes, End> {
        if let Some(open) = &mut self.open {
            open.call.first_byte();
        }
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.sent();
        }
        let out = self.tap.push(piece).map_err(|_| End::EventTooLong)?;
        if let Some(open) = &mut self.open {
            open.call.sent(out.len());
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(out.len() as u64);
        }
        Ok(out)
    }

    /// Whether the client has everything once it has the present piece.
    fn is_last(&self) -> bool {
        self.tap.done() || self.left == Some(0)
    }

    /// Lets the last piece go: at once, or when the answer has been stored.
    fn last(&mut self, piece: Bytes) -> Option<Bytes> {
        if let Some(keep) = self.keep.take()
            && let Some(answer) = self.tap.whole_answer()
        {
            self.holding = Some((keep(answer), piece));
            return None;
        }
        self.settle(&End::Complete);
        Some(piece)
    }

    /// Ends the relay; what is returned goes out as the last piece, unless that is held.
    fn end(&mut self, end: &End) -> Option<Bytes> {
        self.ended = true;
        if let Tap::Tail(tail) = &self.tap {
            self.broken = match end {
                End::Broken(fault) => Some(*fault),
                End::Complete if self.left == Some(0) => None,
                End::Complete if self.left.is_none() && tail.closes() => None,
                End::Complete | End::EventTooLong | End::Drained => Some(BodyFault::Cut),
            };
            let end = self.broken.map_or(End::Complete, End::Broken);
            self.settle(&end);
            return None;
        }
        let rest = match end {
            End::Complete => self.tap.finish(),
            _ => Bytes::new(),
        };
        if let Some(open) = &mut self.open {
            open.call.sent(rest.len());
        }
        if self.tap.done() {
            return self.last(rest);
        }
        let told = self.settle(end);
        let Some((code, id)) = told else {
            return (!rest.is_empty()).then_some(rest);
        };
        let error = self.tap.seen().and_then(|seen| seen.error.as_ref());
        let upstream_words = error.and_then(|error| error.message.clone());
        let fault = StreamFault {
            code,
            message: upstream_words.as_deref().unwrap_or(last_words(end, code)),
            request_id: &id,
        };
        Some([rest, self.tap.fail(&fault)].concat().into())
    }

    /// Records the call and reports the lease, once. The code and request id of the error, if it is one
    /// that the client must be told.
    fn settle(&mut self, end: &End) -> Option<(ErrorCode, String)> {
        let Open { mut call, lease } = self.open.take()?;
        call.used(self.tap.usage());
        let verdict = Verdict::of(&self.tap, end);
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

/// Words for the error event that ends a broken stream.
fn last_words(end: &End, code: ErrorCode) -> &'static str {
    match (end, code) {
        (End::Broken(BodyFault::Total), _) => "the upstream took too long in all",
        (_, ErrorCode::ShuttingDown) => "the gateway is being restarted, send the request again",
        (_, ErrorCode::UpstreamTimeout) => "the upstream sent nothing for too long",
        (_, ErrorCode::UpstreamCut) => "the upstream broke off before the end of its answer",
        (_, ErrorCode::UpstreamError) => "the upstream failed in the middle of its answer",
        _ => "the upstream's stream cannot be passed on",
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // the client left: what the upstream has told of the usage until now is kept
        if let Some(open) = &mut self.open {
            open.call.used(self.tap.usage());
        }
    }
}

impl Relay {
    /// What is to be done while the upstream has nothing ready.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<Idle> {
        if let Some(heartbeat) = &mut self.heartbeat
            && heartbeat.poll(cx).is_ready()
            && self.tap.between_events()
        {
            return Poll::Ready(Idle::Ping);
        }
        self.cut.as_mut().poll(cx).map(|()| Idle::Drained)
    }
}

enum Idle {
    Ping,
    Drained,
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
            if let Some((stored, piece)) = &mut this.holding {
                ready!(stored.as_mut().poll(cx));
                let piece = std::mem::take(piece);
                this.holding = None;
                this.settle(&End::Complete);
                return Poll::Ready(Some(Ok(piece)));
            }
            if this.ended {
                return Poll::Ready(this.broken.take().map(Err));
            }
            let end = match this.body.poll_piece(cx) {
                Poll::Ready(Some(Ok(piece))) => match this.piece(piece) {
                    Ok(out) if this.is_last() => match this.last(out) {
                        Some(out) if !out.is_empty() => return Poll::Ready(Some(Ok(out))),
                        Some(_) | None => continue,
                    },
                    // an event of ours was cut out, or is not complete
                    Ok(out) if out.is_empty() => match this.upstream_failed() {
                        true => End::Complete,
                        false => continue,
                    },
                    Ok(out) => return Poll::Ready(Some(Ok(out))),
                    Err(end) => end,
                },
                Poll::Ready(Some(Err(fault))) => End::Broken(fault),
                Poll::Ready(None) => End::Complete,
                Poll::Pending => match ready!(this.poll_idle(cx)) {
                    Idle::Ping => return Poll::Ready(Some(Ok(this.tap.ping()))),
                    Idle::Drained => End::Drained,
                },
            };
            if let Some(last) = this.end(&end) {
                return Poll::Ready(Some(Ok(last)));
            }
        }
    }
}

impl Relay {
    /// Whether a converted stream has met its upstream's error: what comes after it is of no use.
    fn upstream_failed(&self) -> bool {
        let converted = matches!(self.tap, Tap::Converted(_));
        converted && self.tap.seen().is_some_and(|seen| seen.error.is_some())
    }
}
