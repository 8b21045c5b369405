//! Reads an HTTP/1.1 answer from pieces of any size: status, framing and body. Pure, no socket.

use derive_more::{Display, Error};
use memchr::{memchr, memmem};

use crate::chunks::Chunks;

/// Longer heads are refused.
const MAX_HEAD: usize = 16 * 1024;

/// What is not an HTTP/1.1 answer.
#[derive(Debug, Display, Error, PartialEq, Eq)]
pub enum Malformed {
    #[display("malformed answer: status line")]
    Status,
    #[display("malformed answer: content-length")]
    Length,
    #[display("malformed answer: chunk framing")]
    Chunk,
    #[display("malformed answer: head over 16 KiB")]
    HeadTooLong,
    #[display("malformed answer: bytes after its end")]
    Surplus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    /// So many bytes of a body of known length are still to come.
    Sized(u64),
    /// The body lasts until the connection closes.
    UntilClose,
    Chunked(Chunks),
    Done,
}

/// One answer as far as it has arrived.
#[derive(Debug)]
pub struct Answer {
    state: State,
    head: Vec<u8>,
    status: u16,
    close: bool,
}

impl Answer {
    /// An answer of which nothing has arrived.
    pub fn new() -> Self {
        Self {
            state: State::Head,
            head: Vec::new(),
            status: 0,
            close: false,
        }
    }

    /// 0 until the head is complete.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the last byte of the body has arrived.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether the connection cannot be used again.
    pub fn closes(&self) -> bool {
        self.close
    }

    /// Takes the end of the connection. False when the answer was cut.
    pub fn end_of_input(&mut self) -> bool {
        if self.state == State::UntilClose {
            self.state = State::Done;
        }
        self.is_done()
    }

    /// Takes the next bytes and hands the body's share of them to `body`.
    pub fn feed(&mut self, mut input: &[u8], mut body: impl FnMut(&[u8])) -> Result<(), Malformed> {
        while !input.is_empty() {
            input = match self.state {
                State::Head => self.take_head(input)?,
                State::UntilClose => {
                    body(input);
                    &[]
                }
                State::Sized(left) => {
                    let (piece, rest) = split(input, left);
                    body(piece);
                    self.state = sized(left - piece.len() as u64);
                    rest
                }
                State::Chunked(chunks) => {
                    let (chunks, rest) = chunks.feed(input, &mut body)?;
                    self.state = match chunks {
                        Chunks::Done => State::Done,
                        chunks => State::Chunked(chunks),
                    };
                    rest
                }
                State::Done => return Err(Malformed::Surplus),
            };
        }
        Ok(())
    }

    /// Gathers the head and returns what follows it.
    fn take_head<'a>(&mut self, input: &'a [u8]) -> Result<&'a [u8], Malformed> {
        // Nearly always the head is in the first piece as a whole, and then it is not copied.
        if self.head.is_empty()
            && let Some(end) = memmem::find(input, b"\r\n\r\n")
        {
            self.read_head(&input[..end])?;
            return Ok(&input[end + 4..]);
        }
        let before = self.head.len();
        self.head.extend_from_slice(input);
        let Some(end) = memmem::find(&self.head, b"\r\n\r\n") else {
            return if self.head.len() > MAX_HEAD {
                Err(Malformed::HeadTooLong)
            } else {
                Ok(&[])
            };
        };
        let head = std::mem::take(&mut self.head);
        self.read_head(&head[..end])?;
        Ok(&input[end + 4 - before..])
    }

    fn read_head(&mut self, head: &[u8]) -> Result<(), Malformed> {
        let mut lines = Lines(head);
        let first = lines.next().unwrap_or_default();
        let status = first
            .strip_prefix(b"HTTP/1.")
            .and_then(|rest| rest.get(2..5))
            .ok_or(Malformed::Status)?;
        self.status = u16::try_from(decimal(status).ok_or(Malformed::Status)?)
            .map_err(|_| Malformed::Status)?;
        self.close = first.starts_with(b"HTTP/1.0");
        self.state = State::UntilClose;
        for line in lines {
            let Some(colon) = memchr(b':', line) else {
                continue;
            };
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"content-length") {
                self.state = sized(decimal(value).ok_or(Malformed::Length)?);
            } else if name.eq_ignore_ascii_case(b"transfer-encoding")
                && value.eq_ignore_ascii_case(b"chunked")
            {
                self.state = State::Chunked(Chunks::start());
            } else if name.eq_ignore_ascii_case(b"connection")
                && value.eq_ignore_ascii_case(b"close")
            {
                self.close = true;
            }
        }
        self.close |= self.state == State::UntilClose;
        Ok(())
    }
}

fn sized(left: u64) -> State {
    match left {
        0 => State::Done,
        left => State::Sized(left),
    }
}

/// Cuts off at most `left` bytes.
pub fn split(input: &[u8], left: u64) -> (&[u8], &[u8]) {
    let at = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
    input.split_at(at)
}

fn decimal(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The lines of a head, without their ends.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let (line, rest) = match memchr(b'\n', self.0) {
            Some(at) => (&self.0[..at], &self.0[at + 1..]),
            None => (self.0, &self.0[self.0.len()..]),
        };
        self.0 = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `pieces`; returns the body and the answer.
    fn read<'a>(
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(Vec<u8>, Answer), Malformed> {
        let (mut answer, mut body) = (Answer::new(), Vec::new());
        for piece in pieces {
            answer.feed(piece, |part| body.extend_from_slice(part))?;
        }
        Ok((body, answer))
    }

    /// Reads `wire` byte by byte, as a whole, and cut in two and in three at every place.
    fn in_any_pieces(wire: &[u8], check: impl Fn(&[u8], &Answer)) {
        let run = |pieces: &mut dyn Iterator<Item = &'_ [u8]>| {
            let (body, answer) = read(pieces).unwrap();
            check(&body, &answer);
        };
        run(&mut wire.chunks(1));
        for first in 0..wire.len() {
            let (head, rest) = wire.split_at(first);
            run(&mut [head, rest].into_iter());
            for second in 0..rest.len() {
                let (middle, end) = rest.split_at(second);
                run(&mut [head, middle, end].into_iter());
            }
        }
    }

    #[test]
    fn reads_a_sized_body() {
        let wire = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nContent-Length:  7\r\n\r\n{\"a\":1}";
        in_any_pieces(wire, |body, answer| {
            assert_eq!(body, b"{\"a\":1}");
            assert!(answer.is_done() && !answer.closes());
            assert_eq!(answer.status(), 200);
        });
    }

    #[test]
    fn reads_chunks_with_extensions_and_trailers() {
        let wire = b"HTTP/1.1 429 Too Many Requests\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
            5;a=b\r\nhel\r\n\r\n00A\r\n0123456789\r\n0\r\nx-late: 1\r\n\r\n";
        in_any_pieces(wire, |body, answer| {
            assert_eq!(body, b"hel\r\n0123456789");
            assert!(answer.is_done() && answer.closes());
            assert_eq!(answer.status(), 429);
        });
    }

    #[test]
    fn a_body_without_length_lasts_until_the_close() {
        let wire = b"HTTP/1.0 200 OK\r\n\r\nabc";
        let (body, mut answer) = read([&wire[..]]).unwrap();
        assert_eq!(body, b"abc");
        assert!(!answer.is_done() && answer.closes());
        assert!(answer.end_of_input());
    }

    #[test]
    fn a_cut_answer_is_not_complete() {
        let sized = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabcd";
        let chunked =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n";
        for wire in [&sized[..], &chunked[..]] {
            for length in 0..wire.len() {
                let (_, mut answer) = read([&wire[..length]]).unwrap();
                assert!(!answer.end_of_input(), "cut at {length}");
            }
        }
    }

    #[test]
    fn an_empty_body_is_complete_with_its_head() {
        let (body, answer) = read([&b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"[..]]).unwrap();
        assert!(body.is_empty() && answer.is_done());
    }

    #[test]
    fn refuses_what_is_not_http() {
        let long = [b'x'; MAX_HEAD + 1];
        for (wire, expected) in [
            (&b"SSH-2.0-OpenSSH\r\n\r\n"[..], Malformed::Status),
            (b"HTTP/1.1 abc\r\n\r\n", Malformed::Status),
            (
                b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
                Malformed::Length,
            ),
            (
                b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab",
                Malformed::Surplus,
            ),
            (
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\n",
                Malformed::Chunk,
            ),
            (
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
                Malformed::Chunk,
            ),
            (
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                Malformed::Chunk,
            ),
            (
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab",
                Malformed::Chunk,
            ),
            (&long, Malformed::HeadTooLong),
        ] {
            assert_eq!(read([wire]).unwrap_err(), expected);
        }
    }
}
