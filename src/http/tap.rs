//! How the bytes of an answer are read on their way to the client, in the client's dialect.

use bytes::Bytes;
use troupe_protocol::{
    anthropic,
    chat::StreamFault,
    dialect::Client,
    openai::stream::{StreamSeen, StreamTap},
    openai_responses,
    sse::{EventTooLong, SseEvent, SseScanner},
    stream_converter::StreamConverter,
    usage::Usage,
};

use super::error::error_event;

/// What a piece of the body goes through.
pub enum Tap {
    /// Events of `openai_chat` that pass through.
    Chat(StreamTap),
    /// Events of another dialect that pass through.
    Watched(Watched),
    /// Events that are converted.
    Converted(StreamConverter),
    /// One JSON value; its end holds the usage.
    Tail(Tail),
}

/// The longest event of a stream.
pub const MAX_EVENT: usize = 8 << 20;
/// How much of a long answer's end is kept to find the usage in.
const TAIL: usize = 8 << 10;

impl Tap {
    /// For a stream that passes through; the usage is cut out where only the gateway asked for it.
    pub fn passing(client: Client, strip_usage: bool) -> Self {
        match client {
            Client::OpenaiChat => Self::Chat(StreamTap::new(strip_usage, MAX_EVENT)),
            Client::OpenaiResponses | Client::Anthropic => Self::Watched(Watched::new(client)),
        }
    }

    /// For one JSON value that passes through, of that length where it is known.
    pub fn tail(client: Client, length: Option<u64>) -> Self {
        Self::Tail(Tail {
            client,
            before: length.unwrap_or_default().saturating_sub(TAIL as u64),
            bytes: Vec::new(),
        })
    }

    /// Takes the next piece, and returns what goes out now, which may be empty.
    ///
    /// # Errors
    /// When an event is too long; the stream must then be given up.
    pub fn push(&mut self, piece: Bytes) -> Result<Bytes, EventTooLong> {
        match self {
            Self::Chat(tap) => tap.push(piece),
            Self::Watched(watched) => watched.push(piece),
            Self::Converted(converter) => converter.push(&piece),
            Self::Tail(tail) => {
                tail.keep(&piece);
                Ok(piece)
            }
        }
    }

    /// The upstream ended in order; returns what is left to say.
    pub fn finish(&mut self) -> Bytes {
        match self {
            Self::Chat(tap) => tap.finish(),
            Self::Converted(converter) => converter.finish(),
            Self::Watched(watched) => watched.finish(),
            Self::Tail(_) => Bytes::new(),
        }
    }

    /// Whether the client has the end of the stream.
    pub fn done(&self) -> bool {
        self.seen().is_some_and(|seen| seen.done)
    }

    /// What a stream has shown so far.
    pub fn seen(&self) -> Option<&StreamSeen> {
        match self {
            Self::Chat(tap) => Some(tap.seen()),
            Self::Watched(watched) => Some(&watched.seen),
            Self::Converted(converter) => Some(converter.seen()),
            Self::Tail(_) => None,
        }
    }

    pub fn usage(&self) -> Option<Usage> {
        match self {
            Self::Tail(tail) => tail.usage(),
            _ => self.seen().and_then(|seen| seen.usage),
        }
    }

    /// Whether an event of our own may go out now: not in the middle of another.
    pub fn between_events(&self) -> bool {
        match self {
            Self::Chat(tap) => !tap.forwarded_half_event(),
            Self::Watched(watched) => !watched.scanner.in_event(),
            Self::Converted(_) => true,
            Self::Tail(_) => false,
        }
    }

    /// The error event that ends a broken stream, clear of a half event before it.
    pub fn fail(&mut self, fault: &StreamFault<'_>) -> Bytes {
        let clear = self.between_events();
        let event = match self {
            Self::Converted(converter) => converter.fail(fault),
            Self::Watched(watched) => error_event(watched.client, fault),
            Self::Chat(_) | Self::Tail(_) => error_event(Client::OpenaiChat, fault),
        };
        if clear {
            event
        } else {
            [b"\n\n", &event[..]].concat().into()
        }
    }

    /// What keeps a silent stream alive in the client's dialect.
    pub fn ping(&self) -> Bytes {
        match self {
            Self::Watched(Watched {
                client: Client::Anthropic,
                ..
            }) => Bytes::from_static(b"event: ping\ndata: {\"type\":\"ping\"}\n\n"),
            _ => Bytes::from_static(b": ping\n\n"),
        }
    }

    /// The whole answer of a stream, where it is known at its end.
    pub fn whole_answer(&self) -> Option<&[u8]> {
        match self {
            Self::Converted(converter) => converter.whole_answer(),
            Self::Watched(watched) => watched.response.as_deref(),
            Self::Chat(_) | Self::Tail(_) => None,
        }
    }
}

/// A stream that passes through, watched event by event.
pub struct Watched {
    client: Client,
    scanner: SseScanner,
    seen: StreamSeen,
    /// The response object of the last event of `openai_responses`.
    response: Option<Vec<u8>>,
}

impl Watched {
    fn new(client: Client) -> Self {
        Self {
            client,
            scanner: SseScanner::new(MAX_EVENT),
            seen: StreamSeen::default(),
            response: None,
        }
    }

    fn push(&mut self, piece: Bytes) -> Result<Bytes, EventTooLong> {
        let (client, seen, response) = (self.client, &mut self.seen, &mut self.response);
        self.scanner
            .feed(&piece, |event| watch(client, &event, seen, response))?;
        Ok(piece)
    }

    fn finish(&mut self) -> Bytes {
        let (client, seen, response) = (self.client, &mut self.seen, &mut self.response);
        self.scanner
            .finish(|event| watch(client, &event, seen, response));
        Bytes::new()
    }
}

fn watch(
    client: Client,
    event: &SseEvent<'_>,
    seen: &mut StreamSeen,
    response: &mut Option<Vec<u8>>,
) {
    if client == Client::Anthropic {
        anthropic::watch::watch(event, seen);
        return;
    }
    openai_responses::watch(event, seen);
    if seen.done && response.is_none() {
        *response = openai_responses::response_of(event.data).map(<[u8]>::to_vec);
    }
}

/// The end of a JSON value that passes through.
pub struct Tail {
    client: Client,
    /// So many bytes are still to come before those that are worth keeping.
    before: u64,
    bytes: Vec<u8>,
}

impl Tail {
    fn keep(&mut self, piece: &[u8]) {
        let skipped = piece
            .len()
            .min(usize::try_from(self.before).unwrap_or(usize::MAX));
        self.before -= skipped as u64;
        let piece = &piece[skipped..];
        if piece.len() >= TAIL {
            self.bytes.clear();
            self.bytes.extend_from_slice(&piece[piece.len() - TAIL..]);
            return;
        }
        let surplus = (self.bytes.len() + piece.len()).saturating_sub(TAIL);
        self.bytes.drain(..surplus);
        self.bytes.extend_from_slice(piece);
    }

    /// Whether a JSON value of unknown length has come to its end, as far as its last byte tells.
    pub fn closes(&self) -> bool {
        matches!(self.bytes.trim_ascii_end().last(), Some(b'}' | b']'))
    }

    fn usage(&self) -> Option<Usage> {
        usage_of(self.client, &self.bytes)
    }
}

/// The usage in a whole answer of that dialect, or in its end.
pub fn usage_of(client: Client, body: &[u8]) -> Option<Usage> {
    match client {
        Client::Anthropic => anthropic::usage_of_body(body),
        Client::OpenaiChat | Client::OpenaiResponses => Usage::from_openai_body(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_end_of_all_pieces() {
        let mut tail = Tail {
            client: Client::OpenaiChat,
            before: 0,
            bytes: Vec::new(),
        };
        for piece in [&[1; TAIL][..], &[2; 10], &[3; 5]] {
            tail.keep(piece);
        }
        assert_eq!(tail.bytes.len(), TAIL);
        assert_eq!(
            tail.bytes[TAIL - 15..],
            [[2; 10].as_slice(), &[3; 5]].concat()
        );
        tail.keep(&[4; 3 * TAIL]);
        assert_eq!(tail.bytes, [4; TAIL]);
    }

    #[test]
    fn of_a_value_of_known_length_only_the_tail_is_looked_at() {
        let length = TAIL as u64 + 100;
        let Tap::Tail(mut tail) = Tap::tail(Client::OpenaiChat, Some(length)) else {
            panic!("another tap");
        };
        tail.keep(&[1; 60]);
        assert!(tail.bytes.is_empty());
        tail.keep(&[2; 50]);
        assert_eq!(tail.bytes, [2; 10]);
        tail.keep(&[3; TAIL - 10]);
        assert_eq!((tail.bytes.len(), tail.bytes[10]), (TAIL, 3));
    }
}
