//! The beginning of a stream, read before its attempt counts as made.
//!
//! Some upstreams send the headers of a good answer, and tell in the first event that they failed. While
//! nothing has gone to the client that is a failed attempt like any other: another credential may do, or
//! another target. Only what comes together with the first event is looked at, so nothing of an answer is
//! held back.

use std::{collections::VecDeque, time::Duration};

use actix_rt::time::timeout;
use awc::http::header::HeaderValue;
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use troupe_protocol::{dialect::Dialect, openai::stream::StreamError, opening::Opening};

use super::body::{BodyFault, UpstreamBody};

/// A first event that is longer goes to the client as it comes.
const LIMIT: usize = 256 << 10;

/// Whether an answer is a stream of events.
#[must_use]
pub fn is_event_stream(content_type: Option<&HeaderValue>) -> bool {
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

/// The stream as if nothing had been read, once its first event is here or `patience` is over.
///
/// # Errors
/// What it begins with instead of an answer, or how it broke off before one.
pub(super) async fn opened(
    mut body: UpstreamBody,
    dialect: Dialect,
    patience: Duration,
) -> Result<UpstreamBody, StreamError> {
    if patience.is_zero() {
        return Ok(body);
    }
    let mut opening = Opening::new(dialect, LIMIT);
    let mut ahead = VecDeque::new();
    let ended = match timeout(patience, read(&mut body, &mut opening, &mut ahead)).await {
        Ok(ended) => ended.map_err(broken)?,
        Err(_) => false,
    };
    if ended {
        opening.end();
        if !opening.has_begun() {
            return Err(broken(BodyFault::Cut));
        }
    }
    match opening.into_error() {
        Some(error) => Err(error),
        None if ended => Ok(body.with_all_of(ahead)),
        None => Ok(body.with(ahead)),
    }
}

/// Reads until there is an event, and what is here already behind it. Whether the body has ended.
async fn read(
    body: &mut UpstreamBody,
    opening: &mut Opening,
    ahead: &mut VecDeque<Bytes>,
) -> Result<bool, BodyFault> {
    loop {
        let next = match opening.has_begun() {
            false => body.next().await,
            true => match body.next().now_or_never() {
                Some(next) => next,
                None => return Ok(false),
            },
        };
        let Some(piece) = next.transpose()? else {
            return Ok(true);
        };
        let is_over = opening.take(&piece);
        ahead.push_back(piece);
        if is_over {
            return Ok(false);
        }
    }
}

fn broken(fault: BodyFault) -> StreamError {
    StreamError {
        kind: fault.kind(),
        message: Some(fault.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use actix_rt::time::Instant;
    use troupe_protocol::failure::FailureKind;

    use super::{super::body::Alarm, *};

    const SECOND: Duration = Duration::from_secs(1);
    const WORD: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n";
    const ERROR: &str = "data: {\"error\":{\"message\":\"Overloaded\",\"code\":503}}\n\n";

    /// A stream of these pieces, a second between two.
    fn body(pieces: &[&'static str]) -> UpstreamBody {
        let pieces = pieces
            .iter()
            .map(|piece| Bytes::from_static(piece.as_bytes()));
        let alarm = Alarm::new(60 * SECOND, 60 * SECOND);
        UpstreamBody::local(pieces.collect(), SECOND, alarm)
    }

    /// What is left of the stream after its opening, and how long that took.
    async fn rest(
        pieces: &[&'static str],
        patience: Duration,
    ) -> (Result<String, StreamError>, u64) {
        let begun = Instant::now();
        let opened = opened(body(pieces), Dialect::OpenaiChat, patience).await;
        let took = begun.elapsed().as_secs();
        let rest = match opened {
            Ok(body) => Ok(body.collect(1 << 20).await.expect("no fault")),
            Err(error) => Err(error),
        };
        let text = rest.map(|rest| String::from_utf8(rest.to_vec()).expect("UTF-8"));
        (text, took)
    }

    #[actix_rt::test]
    async fn nothing_of_a_good_stream_is_lost_or_waited_for() {
        tokio::time::pause();
        let pieces = [": wait\n\n", &WORD[..9], &WORD[9..], ERROR];
        let (rest, took) = rest(&pieces, 60 * SECOND).await;
        assert_eq!((rest.as_deref(), took), (Ok(&*pieces.concat()), 2));
    }

    #[actix_rt::test]
    async fn a_stream_that_begins_with_an_error_has_failed() {
        tokio::time::pause();
        let (rest, _) = rest(&[": wait\n\n", ERROR], 60 * SECOND).await;
        let error = rest.expect_err("an error");
        assert_eq!(error.kind, FailureKind::Overloaded { retry_after: None });
        assert_eq!(error.message.as_deref(), Some("Overloaded"));
    }

    #[actix_rt::test]
    async fn patience_ends() {
        tokio::time::pause();
        let pieces = [": wait\n\n", ": wait\n\n", ": wait\n\n", ERROR];
        let (all, took) = rest(&pieces, SECOND * 3 / 2).await;
        assert_eq!((all.as_deref(), took), (Ok(&*pieces.concat()), 1));
        let (all, took) = rest(&[ERROR], Duration::ZERO).await;
        assert_eq!((all.as_deref(), took), (Ok(ERROR), 0));
    }

    #[actix_rt::test]
    async fn a_stream_without_an_event_broke_off() {
        tokio::time::pause();
        for pieces in [&[][..], &[": wait\n\n"]] {
            let (rest, _) = rest(pieces, 60 * SECOND).await;
            assert_eq!(rest.expect_err("an error").kind, FailureKind::Network);
        }
    }

    #[actix_rt::test]
    async fn a_last_event_without_its_blank_line_is_one() {
        tokio::time::pause();
        let pieces = [&WORD[..9], WORD[9..].trim_end()];
        let (all, _) = rest(&pieces, 60 * SECOND).await;
        assert_eq!(all.as_deref(), Ok(WORD.trim_end()));
        let (all, _) = rest(&[ERROR.trim_end()], 60 * SECOND).await;
        assert!(all.is_err());
    }
}
