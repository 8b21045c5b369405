//! The body of an upstream's answer, under its time-outs.

use std::{
    collections::VecDeque,
    future::Future as _,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_rt::time::{Instant, Sleep, sleep_until};
use awc::{
    ClientResponse,
    error::PayloadError,
    http::header::{self, HeaderMap},
};
use bytes::{Bytes, BytesMut};
use derive_more::{Display, Error};
use futures_util::{Stream, StreamExt as _};
use troupe_protocol::failure::FailureKind;

/// Why a body broke off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
pub enum BodyFault {
    #[display("the upstream sent nothing for too long")]
    Idle,
    #[display("the upstream took too long in all")]
    Total,
    #[display("the upstream's connection broke off")]
    Cut,
    #[display("the upstream's answer is larger than the limit")]
    TooLarge,
}

impl BodyFault {
    /// What it means for the credential.
    #[must_use]
    pub fn kind(self) -> FailureKind {
        match self {
            Self::Idle | Self::Total => FailureKind::Timeout,
            Self::Cut => FailureKind::Network,
            Self::TooLarge => FailureKind::Upstream,
        }
    }
}

/// The rest of an answer. Dropping it closes the upstream's connection.
pub struct UpstreamBody {
    /// Read already, to be handed out first.
    ahead: VecDeque<Bytes>,
    source: Source,
    length: Option<u64>,
    /// Bytes that came over the network.
    received: u64,
    /// The most of them.
    limit: u64,
    alarm: Alarm,
}

enum Source {
    Http(ClientResponse),
    Local(Paced),
}

/// Pieces that are here already, given out at a pace.
#[derive(Default)]
struct Paced {
    pieces: VecDeque<Bytes>,
    pace: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(timer) = &mut self.timer {
            std::task::ready!(timer.as_mut().poll(cx));
        }
        let piece = self.pieces.pop_front();
        let more = !self.pace.is_zero() && !self.pieces.is_empty();
        self.timer = more.then(|| Box::pin(sleep_until(Instant::now() + self.pace)));
        Poll::Ready(piece)
    }
}

impl UpstreamBody {
    pub(crate) fn http(response: ClientResponse, length: Option<u64>, alarm: Alarm) -> Self {
        let source = Source::Http(response);
        Self {
            ahead: VecDeque::new(),
            source,
            length,
            received: 0,
            limit: u64::MAX,
            alarm,
        }
    }

    pub(crate) fn local(pieces: Vec<Bytes>, pace: Duration, alarm: Alarm) -> Self {
        let length = pieces.iter().map(|piece| piece.len() as u64).sum();
        Self {
            ahead: VecDeque::new(),
            source: Source::Local(Paced {
                pieces: pieces.into(),
                pace,
                timer: None,
            }),
            length: Some(length),
            received: 0,
            limit: u64::MAX,
            alarm,
        }
    }

    /// The same, broken off with [`BodyFault::TooLarge`] beyond `limit` bytes from the network.
    pub(crate) fn at_most(self, limit: u64) -> Self {
        Self { limit, ..self }
    }

    /// The same, with what was read of it before what is still to come.
    pub(super) fn with(self, ahead: VecDeque<Bytes>) -> Self {
        Self { ahead, ..self }
    }

    /// The same, once it was read to its end: these pieces are all.
    pub(super) fn with_all_of(self, ahead: VecDeque<Bytes>) -> Self {
        let source = Source::Local(Paced::default());
        Self {
            source,
            ..self.with(ahead)
        }
    }

    /// Its whole length, where the upstream said it.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next piece, under the time-outs. After an error or `None` it must not be asked again.
    pub fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyFault>>> {
        if let Some(piece) = self.ahead.pop_front() {
            return Poll::Ready(Some(Ok(piece)));
        }
        let polled = match &mut self.source {
            Source::Local(paced) => return paced.poll(cx).map(|piece| piece.map(Ok)),
            Source::Http(response) => response.poll_next_unpin(cx),
        };
        match polled {
            Poll::Ready(piece) => {
                self.alarm.heard();
                Poll::Ready(self.checked(piece))
            }
            Poll::Pending => self.alarm.poll(cx).map(|fault| Some(Err(fault))),
        }
    }

    /// awc takes a connection that closes too early for the end of the body; the length tells.
    fn checked(
        &mut self,
        piece: Option<Result<Bytes, PayloadError>>,
    ) -> Option<Result<Bytes, BodyFault>> {
        match piece {
            Some(Ok(piece)) => {
                self.received += piece.len() as u64;
                let within = self.received <= self.limit;
                Some(within.then_some(piece).ok_or(BodyFault::TooLarge))
            }
            Some(Err(error)) => Some(Err(fault(&error))),
            None if self.length.is_some_and(|length| self.received < length) => {
                Some(Err(BodyFault::Cut))
            }
            None => None,
        }
    }

    /// The whole rest, no more than `limit` bytes.
    ///
    /// # Errors
    /// [`BodyFault`].
    pub async fn collect(self, limit: usize) -> Result<Bytes, BodyFault> {
        match self.read_ahead(limit).await? {
            ReadAhead::Whole(body) => Ok(body),
            ReadAhead::More(_) => Err(BodyFault::TooLarge),
        }
    }

    /// The whole rest if it has no more than `limit` bytes, else the body as if nothing had been read.
    ///
    /// # Errors
    /// [`BodyFault`].
    pub async fn read_ahead(mut self, limit: usize) -> Result<ReadAhead, BodyFault> {
        let mut pieces = VecDeque::new();
        let mut read = 0;
        while read <= limit {
            match self.next().await {
                None => return Ok(ReadAhead::Whole(joined(pieces, read))),
                Some(piece) => {
                    let piece = piece?;
                    read += piece.len();
                    pieces.push_back(piece);
                }
            }
        }
        Ok(ReadAhead::More(self.with(pieces)))
    }
}

/// What came of reading ahead.
#[expect(
    clippy::large_enum_variant,
    reason = "made once an answer and taken apart at once"
)]
pub enum ReadAhead {
    Whole(Bytes),
    More(UpstreamBody),
}

/// Most small answers come in one piece, which is then not copied.
fn joined(mut pieces: VecDeque<Bytes>, length: usize) -> Bytes {
    if pieces.len() <= 1 {
        return pieces.pop_front().unwrap_or_default();
    }
    let mut whole = BytesMut::with_capacity(length);
    for piece in pieces {
        whole.extend_from_slice(&piece);
    }
    whole.freeze()
}

impl Stream for UpstreamBody {
    type Item = Result<Bytes, BodyFault>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_piece(cx)
    }
}

fn fault(error: &PayloadError) -> BodyFault {
    match error {
        PayloadError::Overflow => BodyFault::TooLarge,
        _ => BodyFault::Cut,
    }
}

/// The length that an answer's headers tell.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// The idle and total time-outs of a body. Hearing something costs one reading of the clock; the
/// timer itself is only moved when it rings too early.
pub(crate) struct Alarm {
    idle: Duration,
    heard: Instant,
    end: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Alarm {
    /// `total` is what is left of the whole attempt's time.
    pub fn new(idle: Duration, total: Duration) -> Self {
        let heard = Instant::now();
        let end = heard + total;
        let timer = Box::pin(sleep_until(end.min(heard + idle)));
        Self {
            idle,
            heard,
            end,
            timer,
        }
    }

    fn heard(&mut self) {
        self.heard = Instant::now();
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<BodyFault> {
        loop {
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            if now >= self.end {
                return Poll::Ready(BodyFault::Total);
            }
            let due = self.heard + self.idle;
            if now >= due {
                return Poll::Ready(BodyFault::Idle);
            }
            self.timer.as_mut().reset(due.min(self.end));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[actix_rt::test]
    async fn collects_up_to_the_limit() {
        let body = |pieces: &[&'static str]| {
            let pieces = pieces
                .iter()
                .map(|piece| Bytes::from_static(piece.as_bytes()));
            let alarm = Alarm::new(Duration::from_secs(1), Duration::from_secs(1));
            UpstreamBody::local(pieces.collect(), Duration::ZERO, alarm)
        };
        assert_eq!(body(&["ab", "cd"]).collect(4).await.unwrap(), "abcd");
        assert_eq!(body(&["abcd"]).collect(4).await.unwrap(), "abcd");
        assert_eq!(
            body(&["ab", "cd"]).collect(3).await,
            Err(BodyFault::TooLarge)
        );
        assert_eq!(body(&["abcd"]).collect(3).await, Err(BodyFault::TooLarge));
        assert_eq!(body(&[]).collect(3).await.unwrap(), "");
        let Ok(ReadAhead::More(long)) = body(&["ab", "cd", "ef"]).read_ahead(3).await else {
            panic!("too long to be whole");
        };
        assert_eq!(long.collect(6).await.unwrap(), "abcdef");
    }

    #[actix_rt::test]
    async fn local_pieces_keep_their_pace() {
        tokio::time::pause();
        let alarm = Alarm::new(Duration::from_secs(9), Duration::from_secs(9));
        let pieces = vec![Bytes::from_static(b"a"); 4];
        let body = UpstreamBody::local(pieces, Duration::from_millis(100), alarm);
        let begun = Instant::now();
        assert_eq!(body.collect(4).await.unwrap(), "aaaa");
        // the runtime's timers count whole milliseconds
        assert!((300..310).contains(&begun.elapsed().as_millis()));
    }

    #[actix_rt::test]
    async fn the_alarm_rings_idle_then_total() {
        tokio::time::pause();
        let mut alarm = Alarm::new(Duration::from_secs(2), Duration::from_secs(5));
        tokio::time::advance(Duration::from_secs(1)).await;
        alarm.heard();
        let begun = Instant::now();
        assert_eq!(poll_fn(|cx| alarm.poll(cx)).await, BodyFault::Idle);
        assert_eq!(begun.elapsed().as_secs(), 2);
        alarm.heard();
        alarm.idle = Duration::from_secs(60);
        assert_eq!(poll_fn(|cx| alarm.poll(cx)).await, BodyFault::Total);
    }
}
