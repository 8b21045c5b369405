//! Streams of an upstream, made, converted and read.

use serde_json::json;
use troupe_protocol::{
    chat::{ChatAnswer, ChatEvent},
    convert,
    dialect::{Client, Dialect},
    sse::SseScanner,
    stream_converter::StreamConverter,
};

use super::{answers, client_of};

const MAX_EVENT: usize = 1 << 20;

/// The answer as an upstream of the dialect streams it, its texts in pieces of some characters.
pub fn written(upstream: Dialect, answer: ChatAnswer) -> Vec<u8> {
    let Some(client) = client_of(upstream) else {
        return gemini(&answer);
    };
    let mut writer = convert::event_writer(client, answers::reply());
    let mut out = Vec::new();
    for event in answer.into_events() {
        match event {
            ChatEvent::Delta(text) => {
                for piece in pieces(&text) {
                    writer.write(ChatEvent::Delta(piece), &mut out);
                }
            }
            event => writer.write(event, &mut out),
        }
    }
    out
}

/// Gemini's texts come in pieces, its calls whole.
fn gemini(answer: &ChatAnswer) -> Vec<u8> {
    let mut out = String::new();
    let mut push = |event| out.push_str(&format!("data: {event}\r\n\r\n"));
    for part in &answer.parts {
        let mut last = answers::gemini_part(part);
        if let Some(text) = last["text"].as_str() {
            let mut texts = pieces(text);
            let rest = texts.pop().unwrap_or_default();
            for text in texts {
                let thought = &last["thought"];
                let part = json!({"text": text, "thought": thought});
                push(
                    json!({"candidates": [{"content": {"parts": [part]}}], "modelVersion": answer.model}),
                );
            }
            last["text"] = rest.into();
        }
        push(json!({"candidates": [{"content": {"parts": [last]}}], "modelVersion": answer.model}));
    }
    push(answers::gemini(Vec::new(), answer));
    out.into_bytes()
}

fn pieces(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let pieces = characters.chunks(3);
    pieces.map(|piece| piece.iter().collect()).collect()
}

/// What the client gets of it where it comes in chunks of so many bytes.
pub fn converted(upstream: Dialect, client: Client, stream: &[u8], size: usize) -> Vec<u8> {
    let reader = convert::event_reader(upstream);
    let writer = convert::event_writer(client, answers::reply());
    let mut converter = StreamConverter::new(reader, writer, MAX_EVENT);
    let mut out = Vec::new();
    for chunk in stream.chunks(size) {
        out.extend_from_slice(&converter.push(chunk).unwrap());
    }
    out.extend_from_slice(&converter.finish());
    out
}

/// The answer that a stream tells.
pub fn read(dialect: Dialect, stream: &[u8]) -> ChatAnswer {
    let mut reader = convert::event_reader(dialect);
    let mut events = Vec::new();
    let mut scanner = SseScanner::new(MAX_EVENT);
    let settled = scanner.feed(stream, |event| reader.read(&event, &mut events));
    settled.unwrap();
    scanner.finish(|event| reader.read(&event, &mut events));
    reader.end(&mut events);
    let last = events.last();
    assert!(matches!(last, Some(ChatEvent::Finish { .. })), "{last:?}");
    ChatAnswer::from_events(events)
}
