//! Checks the body of an answer while it passes: server-sent events are counted, the end is looked at. Keeps nothing.

use derive_more::{Display, Error};
use memchr::memchr;

/// So much of each line is looked at: enough for `event: message_stop` and its line end.
const PREFIX: usize = 24;

/// Why a body is not a whole answer, though its framing is.
#[derive(Debug, Display, Error, PartialEq, Eq)]
pub enum Incomplete {
    #[display("json body without its end")]
    Json,
    #[display("stream without [DONE] or message_stop as its last event")]
    NotDone,
    #[display("stream with an error event")]
    ErrorEvent,
    #[display("stream with too few events")]
    TooFewEvents,
}

/// What is known of a body so far.
#[derive(Debug, Default)]
pub struct Body {
    line: [u8; PREFIX],
    line_length: usize,
    events: u64,
    bytes: u64,
    last_byte: u8,
    /// Whether the event under way is Anthropic's last one.
    last: bool,
    done: bool,
    error_event: bool,
}

impl Body {
    /// `data:` lines so far, the last event's included.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Bytes so far, without the transfer coding.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the next piece of a JSON body.
    pub fn take_json(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        if let Some(last) = piece.iter().rev().find(|byte| !byte.is_ascii_whitespace()) {
            self.last_byte = *last;
        }
    }

    /// Takes the next piece of an event stream.
    pub fn take_stream(&mut self, mut piece: &[u8]) {
        self.bytes += piece.len() as u64;
        while let Some(end) = memchr(b'\n', piece) {
            self.keep_prefix(&piece[..end]);
            self.end_of_line();
            piece = &piece[end + 1..];
        }
        self.keep_prefix(piece);
    }

    fn keep_prefix(&mut self, part: &[u8]) {
        let length = part.len().min(PREFIX - self.line_length);
        self.line[self.line_length..self.line_length + length].copy_from_slice(&part[..length]);
        self.line_length += length;
    }

    fn end_of_line(&mut self) {
        let line = self.line[..self.line_length].trim_ascii_end();
        self.line_length = 0;
        if let Some(data) = line.strip_prefix(b"data:") {
            self.events += 1;
            let last = std::mem::take(&mut self.last);
            self.done = last || data.trim_ascii_start() == b"[DONE]";
            self.error_event |= data.trim_ascii_start().starts_with(b"{\"error\"");
        } else if let Some(name) = line.strip_prefix(b"event:") {
            self.last = name.trim_ascii_start() == b"message_stop";
            self.error_event |= name.trim_ascii_start() == b"error";
        }
    }

    /// Whether a JSON body came to its end.
    pub fn check_json(&self) -> Result<(), Incomplete> {
        match self.last_byte {
            b'}' => Ok(()),
            _ => Err(Incomplete::Json),
        }
    }

    /// Whether a stream came to its end, with at least so many `data:` lines before its last one.
    pub fn check_stream(&self, min_events: u64) -> Result<(), Incomplete> {
        if self.error_event {
            Err(Incomplete::ErrorEvent)
        } else if !self.done {
            Err(Incomplete::NotDone)
        } else if self.events <= min_events {
            Err(Incomplete::TooFewEvents)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Body {
        let mut body = Body::default();
        for piece in pieces {
            body.take_stream(piece);
        }
        body
    }

    #[test]
    fn counts_events_in_any_pieces() {
        let wire = b": hello\n\ndata: {\"a\":\"data: x\"}\r\n\r\nevent: x\ndata:{\"b\":2}\n\ndata: [DONE]\n\n";
        for first in 0..wire.len() {
            let (head, rest) = wire.split_at(first);
            for second in 0..rest.len() {
                let (middle, end) = rest.split_at(second);
                let body = stream([head, middle, end]);
                assert_eq!(body.events(), 3);
                assert_eq!(body.bytes(), wire.len() as u64);
                assert_eq!(body.check_stream(2), Ok(()));
                assert_eq!(body.check_stream(3), Err(Incomplete::TooFewEvents));
            }
        }
    }

    #[test]
    fn a_stream_must_end_with_done() {
        for wire in [
            "data: 1\n\n",
            "data: [DONE]\n\ndata: 1\n\n",
            "data: [DONE",
            "data: [DONE] x\n\n",
            "",
        ] {
            assert_eq!(
                stream([wire.as_bytes()]).check_stream(0),
                Err(Incomplete::NotDone),
                "{wire}"
            );
        }
    }

    #[test]
    fn a_claude_stream_ends_with_its_last_message() {
        let wire = b"event: message_start\ndata: {}\n\nevent: message_stop\r\ndata: {\"type\":\"message_stop\"}\r\n\r\n";
        for first in 0..wire.len() {
            let (head, rest) = wire.split_at(first);
            assert_eq!(stream([head, rest]).check_stream(1), Ok(()));
        }
        for cut in ["\n\nevent: message_stop\n", "\n\ndata: {}\n\n"] {
            let wire = ["event: message_start\ndata: {}", cut].concat();
            let body = stream([wire.as_bytes()]);
            assert_eq!(body.check_stream(0), Err(Incomplete::NotDone), "{wire}");
        }
    }

    #[test]
    fn an_error_event_is_noticed() {
        for event in [
            "data: {\"error\":{\"code\":\"x\"}}",
            "event: error\ndata: {}",
        ] {
            let wire = format!("data: 1\n\n{event}\n\ndata: [DONE]\n\n");
            let body = stream([wire.as_bytes()]);
            assert_eq!(body.check_stream(0), Err(Incomplete::ErrorEvent), "{wire}");
        }
    }

    #[test]
    fn a_json_body_must_close_its_object() {
        let mut body = Body::default();
        body.take_json(b"{\"a\":");
        assert_eq!(body.check_json(), Err(Incomplete::Json));
        body.take_json(b"1}");
        body.take_json(b"\n");
        assert_eq!(body.check_json(), Ok(()));
    }
}
