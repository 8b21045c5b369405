//! One target for each converter: what comes in may be anything, what goes out must be right.

use serde::de::IgnoredAny;
use serde_json::Value;
use troupe_protocol::{
    chat::{ChatAnswer, ChatEvent, ChatRequest, Encoding, Reply, StreamFault},
    convert,
    dialect::{Client, Dialect},
    json::check_depth,
    openai::{error::ErrorCode, stream::StreamError},
    opening::Opening,
    sse::{SseEvent, SseScanner},
    stream_converter::StreamConverter,
};

use super::{order, random::Random, strict};

/// As the gateway's own limit is set by default: what is deeper never comes to a reader.
const MAX_DEPTH: usize = 128;
/// What a writer puts around a client's own JSON, generously.
const DEPTH_ADDED: usize = 12;
/// An event of the upstream, in bytes.
const MAX_EVENT: usize = 1 << 20;

/// A client's request, written for every upstream.
pub fn request(client: Client, body: &[u8]) {
    if check_depth(body, MAX_DEPTH).is_err() {
        return;
    }
    let Ok(request) = convert::read_request(client, body) else {
        return;
    };
    let _ = request.pieces();
    for dialect in Dialect::ALL {
        for encoding in encodings(dialect) {
            write(dialect, &request, &encoding);
        }
    }
}

fn write(dialect: Dialect, request: &ChatRequest, encoding: &Encoding<'_>) {
    let Ok(encoded) = convert::write_request(dialect, request, encoding) else {
        return;
    };
    check_json(&encoded.body);
    let spoken = |client: &Client| client.dialect() == dialect;
    let reader = Client::ALL.into_iter().find(spoken);
    if let Some(client) = reader.filter(|_| check_depth(&encoded.body, MAX_DEPTH - 1).is_ok()) {
        let again = convert::read_request(client, &encoded.body);
        let text = String::from_utf8_lossy(&encoded.body);
        assert!(
            again.is_ok(),
            "{dialect} does not read its own: {again:?}\n{text}"
        );
    }
}

fn encodings(dialect: Dialect) -> [Encoding<'static>; 2] {
    let [old, new] = match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiResponses => ["gpt-4o", "gpt-5"],
        Dialect::Anthropic => ["claude-sonnet-4-5", "claude-opus-4-7"],
        Dialect::Gemini => ["gemini-2.5-flash", "gemini-3-pro-preview"],
    };
    let new = Encoding {
        model: new,
        default_max_tokens: 4_096,
        ask_usage: true,
        keep_thinking: true,
        openai_fields: true,
        call_signatures: true,
    };
    let old = Encoding {
        model: old,
        default_max_tokens: 1,
        ..Encoding::default()
    };
    [old, new]
}

/// An upstream's whole answer, written for every client, whole and as a stream.
pub fn answer(dialect: Dialect, body: &[u8]) {
    let Ok(answer) = convert::read_answer(dialect, body) else {
        return;
    };
    let events = answer.clone().into_events();
    order::check(&events);
    for client in Client::ALL {
        let written = convert::write_answer(client, &answer, &reply(client));
        check_json(&written);
        if check_depth(&written, MAX_DEPTH - 1).is_ok() {
            let again = convert::read_answer(client.dialect(), &written);
            assert!(
                again.is_ok(),
                "{again:?}: {}",
                String::from_utf8_lossy(&written)
            );
        }
        let mut converter = converter(dialect, client);
        let stream = converter.write_all(events.clone());
        assert_eq!(strict::check(client, &stream), strict::End::Whole);
    }
}

/// An upstream's stream, read and written for every client, in whatever chunks it comes.
pub fn stream(dialect: Dialect, stream: &[u8]) {
    let whole = events_of(dialect, stream);
    order::check(&whole);
    let _ = ChatAnswer::from_events(whole);
    let mut random = Random::of(stream);
    for client in Client::ALL {
        let at_once = converted(dialect, client, &mut std::iter::once(stream));
        let split = converted(dialect, client, &mut chunks(stream, &mut random));
        assert_eq!(
            String::from_utf8_lossy(&split),
            String::from_utf8_lossy(&at_once),
            "the chunks make a difference"
        );
        strict::check(client, &at_once);
    }
    let at_once = opened(dialect, &mut std::iter::once(stream));
    assert_eq!(opened(dialect, &mut chunks(stream, &mut random)), at_once);
}

/// Whether the stream has begun, and the error that it begins with.
fn opened(
    dialect: Dialect,
    chunks: &mut dyn Iterator<Item = &[u8]>,
) -> (bool, Option<StreamError>) {
    let mut opening = Opening::new(dialect, MAX_EVENT);
    for chunk in chunks {
        opening.take(chunk);
    }
    opening.end();
    (opening.has_begun(), opening.into_error())
}

fn events_of(dialect: Dialect, stream: &[u8]) -> Vec<ChatEvent> {
    let mut reader = convert::event_reader(dialect);
    let mut events = Vec::new();
    let mut scanner = SseScanner::new(MAX_EVENT);
    let _ = scanner.feed(stream, |event| reader.read(&event, &mut events));
    scanner.finish(|event| reader.read(&event, &mut events));
    reader.end(&mut events);
    events
}

/// What the client gets, to the last word.
fn converted(dialect: Dialect, client: Client, chunks: &mut dyn Iterator<Item = &[u8]>) -> Vec<u8> {
    let mut converter = converter(dialect, client);
    let mut out = Vec::new();
    for chunk in chunks {
        out.extend_from_slice(&converter.push(chunk).unwrap());
    }
    out.extend_from_slice(&converter.finish());
    let seen = converter.seen().clone();
    if seen.done {
        if let Some(whole) = converter.whole_answer() {
            check_json(whole);
        }
    } else {
        let message = seen
            .error
            .as_ref()
            .and_then(|error| error.message.as_deref());
        out.extend_from_slice(&converter.fail(&StreamFault {
            code: ErrorCode::UpstreamCut,
            message: message.unwrap_or("the upstream failed"),
            request_id: "req_1",
        }));
    }
    out
}

fn converter(dialect: Dialect, client: Client) -> StreamConverter {
    let writer = convert::event_writer(client, reply(client));
    StreamConverter::new(convert::event_reader(dialect), writer, MAX_EVENT)
}

fn reply(client: Client) -> Reply {
    let id = match client {
        Client::OpenaiChat => "chatcmpl-1",
        Client::OpenaiResponses => "resp_1",
        Client::Anthropic => "msg_1",
    };
    Reply {
        id: id.to_owned(),
        created: 1_700_000_000,
        model: "client-model".to_owned(),
        include_usage: true,
        ..Reply::default()
    }
}

/// The scanner gives the same events however its input is cut.
pub fn scanner(stream: &[u8]) {
    let mut random = Random::of(stream);
    let whole = scanned(&mut std::iter::once(stream));
    assert_eq!(scanned(&mut chunks(stream, &mut random)), whole);
    assert_eq!(scanned(&mut stream.chunks(1)), whole);
}

fn scanned(chunks: &mut dyn Iterator<Item = &[u8]>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut scanner = SseScanner::new(usize::MAX);
    let mut events = Vec::new();
    let mut add = |event: SseEvent<'_>| events.push((event.name.to_vec(), event.data.to_vec()));
    for chunk in chunks {
        let settled = scanner.feed(chunk, |event| {
            assert!(event.at.start <= event.at.end && event.at.end <= chunk.len());
            add(event);
        });
        assert!(settled.unwrap() <= chunk.len());
    }
    scanner.finish(add);
    events
}

/// The stream in pieces of all lengths, some of them empty.
fn chunks<'a>(mut stream: &'a [u8], random: &'a mut Random) -> impl Iterator<Item = &'a [u8]> {
    let longest = *random.of_these(&[1, 7, 60, 2_000]);
    std::iter::from_fn(move || {
        let length = random.below(longest + 1).min(stream.len());
        let (chunk, rest) = stream.split_at(length);
        stream = rest;
        (!(chunk.is_empty() && rest.is_empty())).then_some(chunk)
    })
}

/// JSON of any depth.
fn check_json(body: &[u8]) {
    let text = std::str::from_utf8(body).expect("a body is text");
    let read = serde_json::from_str::<IgnoredAny>(text);
    assert!(read.is_ok(), "{read:?}: {text}");
    if check_depth(body, MAX_DEPTH - DEPTH_ADDED).is_ok() {
        let read = serde_json::from_str::<Value>(text);
        assert!(read.is_ok(), "{read:?}: {text}");
    }
}
