//! Tests of the dialect, by what they look at.

mod answer;
mod codex;
mod encode;
mod history;
mod properties;
mod reader;
mod request;
mod strategies;
mod watch;
mod writer;

use std::sync::Arc;

use serde_json::{Value, json};

use super::{EventReader, EventWriter, echo};
use crate::{
    chat::{ChatEvent, ReadEvents, Reply, WriteEvents},
    sse::SseScanner,
};

/// The text of a stream: each event with its name, unless that is empty.
fn sse(events: &[Value]) -> String {
    let event = |event: &Value| {
        let name = event["type"].as_str().unwrap_or_default();
        format!("event: {name}\ndata: {event}\n\n")
    };
    events.iter().map(event).collect()
}

/// What a reader makes of a stream that comes in chunks of `size` bytes.
fn read_in(stream: &str, size: usize) -> Vec<ChatEvent> {
    let mut scanner = SseScanner::new(1 << 20);
    let (mut reader, mut out) = (EventReader::new(), Vec::new());
    for chunk in stream.as_bytes().chunks(size) {
        scanner
            .feed(chunk, |event| reader.read(&event, &mut out))
            .unwrap();
    }
    scanner.finish(|event| reader.read(&event, &mut out));
    reader.end(&mut out);
    out
}

fn read(events: &[Value]) -> Vec<ChatEvent> {
    read_in(&sse(events), usize::MAX)
}

/// The events of a written stream, by name; comments are left out.
fn parse(stream: &[u8]) -> Vec<Value> {
    let mut scanner = SseScanner::new(1 << 24);
    let mut events = Vec::new();
    let settled = scanner.feed(stream, |event| {
        let data: Value = serde_json::from_slice(event.data).unwrap();
        assert_eq!(data["type"].as_str().unwrap().as_bytes(), event.name);
        assert_eq!(data["sequence_number"], events.len());
        events.push(data);
    });
    assert_eq!(settled.unwrap(), stream.len());
    events
}

fn write(writer: &mut EventWriter, events: Vec<ChatEvent>) -> Vec<Value> {
    let mut out = Vec::new();
    for event in events {
        writer.write(event, &mut out);
    }
    parse(&out)
}

fn reply() -> Reply {
    Reply {
        id: "resp_1".to_owned(),
        created: 1_700_000_000,
        model: "asked".to_owned(),
        echo: Arc::new(echo(b"{}")),
        ..Reply::default()
    }
}

fn start() -> ChatEvent {
    ChatEvent::Start {
        model: Some("m".to_owned()),
        usage: None,
        service_tier: None,
    }
}

/// The first events of every stream.
fn created() -> Value {
    json!({"type": "response.created", "response": {"id": "resp_u", "model": "m", "status": "in_progress", "output": []}})
}

fn delta(text: &str) -> ChatEvent {
    ChatEvent::Delta(text.to_owned())
}
