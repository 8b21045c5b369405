//! How a stream begins, looked at before any of it is passed on: some upstreams answer with 200, and tell in
//! the first event that they failed.

use crate::{
    anthropic,
    dialect::Dialect,
    gemini,
    openai::stream::{self, StreamError, StreamSeen},
    openai_responses,
    sse::{SseEvent, SseScanner},
};

/// The beginning of one stream.
#[derive(Debug)]
pub struct Opening {
    dialect: Dialect,
    scanner: SseScanner,
    seen: StreamSeen,
    /// Bytes that may still be looked at.
    left: usize,
}

impl Opening {
    /// The beginning of a stream in `dialect`, of no more than `limit` bytes.
    #[must_use]
    pub fn new(dialect: Dialect, limit: usize) -> Self {
        Self {
            dialect,
            scanner: SseScanner::new(limit),
            seen: StreamSeen::default(),
            left: limit,
        }
    }

    /// Takes the next chunk. Whether that was the whole beginning: there are words of an answer, an end or an
    /// error, or it has become too long for one.
    pub fn take(&mut self, chunk: &[u8]) -> bool {
        let (dialect, seen) = (self.dialect, &mut self.seen);
        let fed = self
            .scanner
            .feed(chunk, |event| watch(dialect, &event, seen));
        self.left = self.left.saturating_sub(chunk.len());
        fed.is_err() || self.left == 0 || is_over(&self.seen)
    }

    /// The stream has ended: an event without its blank line is one too.
    pub fn end(&mut self) {
        let (dialect, seen) = (self.dialect, &mut self.seen);
        self.scanner.finish(|event| watch(dialect, &event, seen));
    }

    /// Whether there is an event.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.seen.events > 0 || self.seen.done
    }

    /// The error that it begins with, where nothing of an answer stands before that.
    #[must_use]
    pub fn into_error(self) -> Option<StreamError> {
        self.seen.error
    }
}

fn is_over(seen: &StreamSeen) -> bool {
    seen.content || seen.done || seen.error.is_some()
}

/// Nothing behind an answer's first words, its end or an error is part of the beginning.
fn watch(dialect: Dialect, event: &SseEvent<'_>, seen: &mut StreamSeen) {
    if is_over(seen) {
        return;
    }
    match dialect {
        Dialect::OpenaiChat => stream::watch(event, seen),
        Dialect::OpenaiResponses => openai_responses::watch(event, seen),
        Dialect::Anthropic => anthropic::watch::watch(event, seen),
        Dialect::Gemini => gemini::watch(event, seen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureKind;

    const CHAT: &str = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n";
    const WORD: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n";
    const CHAT_ERROR: &str = "data: {\"error\":{\"message\":\"Overloaded\",\"code\":503}}\n\n";

    /// The first event of each dialect, and its error.
    const EACH: [(Dialect, &str, &str); 4] = [
        (Dialect::OpenaiChat, CHAT, CHAT_ERROR),
        (
            Dialect::OpenaiResponses,
            "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"error\":null}}\n\n",
            "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"Overloaded\"}}}\n\n",
        ),
        (
            Dialect::Anthropic,
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\"}}\n\n",
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
        ),
        (
            Dialect::Gemini,
            "data: {\"usageMetadata\":{\"promptTokenCount\":5},\"modelVersion\":\"gemini\"}\n\n",
            "data: {\"error\":{\"code\":503,\"message\":\"Overloaded\",\"status\":\"UNAVAILABLE\"}}\n\n",
        ),
    ];

    /// Whether each chunk was the whole beginning, and the error.
    fn opened(dialect: Dialect, chunks: &[&str]) -> (Vec<bool>, Option<StreamError>) {
        let mut opening = Opening::new(dialect, 1 << 10);
        let whole = chunks.iter().map(|chunk| opening.take(chunk.as_bytes()));
        (whole.collect(), opening.into_error())
    }

    #[test]
    fn an_error_is_found_alone_and_behind_what_is_no_answer_yet() {
        for (dialect, first, error) in EACH {
            let behind = [first, error].concat();
            for chunks in [&[error][..], &[first, error], &[&behind]] {
                let (whole, found) = opened(dialect, chunks);
                assert_eq!(whole.iter().filter(|whole| **whole).count(), 1, "{dialect}");
                let found = found.expect("an error");
                assert_eq!(found.message.as_deref(), Some("Overloaded"), "{dialect}");
                assert!(found.kind.worth_another_credential(), "{dialect}");
            }
        }
    }

    #[test]
    fn what_is_no_answer_yet_has_begun() {
        for (dialect, first, _) in EACH {
            let mut opening = Opening::new(dialect, 1 << 10);
            assert!(!opening.take(b": wait\n\n") && !opening.has_begun());
            assert!(!opening.take(first.as_bytes()) && opening.has_begun());
        }
    }

    #[test]
    fn an_error_in_halves_is_one() {
        let (head, rest) = CHAT_ERROR.split_at(20);
        let (whole, error) = opened(Dialect::OpenaiChat, &[head, rest]);
        assert_eq!(whole, [false, true]);
        let error = error.expect("an error");
        assert_eq!(error.kind, FailureKind::Overloaded { retry_after: None });
    }

    #[test]
    fn an_error_behind_an_answers_words_is_none_of_its_beginning() {
        let both = [WORD, CHAT_ERROR].concat();
        for chunks in [&[&*both][..], &[WORD, CHAT_ERROR]] {
            let (whole, error) = opened(Dialect::OpenaiChat, chunks);
            assert_eq!((whole[0], error), (true, None));
        }
    }

    #[test]
    fn a_long_beginning_is_not_waited_for() {
        let line = format!("data: {}", "x".repeat(1 << 10));
        assert_eq!(opened(Dialect::OpenaiChat, &[&line]), (vec![true], None));
        let comment = format!(": {}\n\n", "x".repeat(600));
        let comments = [&*comment, &comment];
        assert_eq!(
            opened(Dialect::OpenaiChat, &comments),
            (vec![false, true], None)
        );
    }

    #[test]
    fn the_last_event_may_lack_its_blank_line() {
        let mut opening = Opening::new(Dialect::OpenaiChat, 1 << 10);
        assert!(!opening.take(CHAT_ERROR.trim_end().as_bytes()) && !opening.has_begun());
        opening.end();
        assert!(opening.has_begun() && opening.into_error().is_some());
    }

    #[test]
    fn an_end_is_an_event() {
        let mut opening = Opening::new(Dialect::OpenaiChat, 1 << 10);
        assert!(opening.take(b"data: [DONE]\n\n") && opening.has_begun());
    }
}
