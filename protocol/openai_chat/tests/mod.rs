//! Tables of what goes in and what comes out, and properties over all of it.

mod answers;
mod calls_in;
mod properties;
mod reading;
mod reading_settings;
mod streams_in;
mod streams_out;
mod vocabulary;
mod writing;
mod writing_settings;

use serde_json::Value;

use crate::{
    chat::{ChatEvent, Part, PartBody, ReadEvents, Reply, Seal, Thinking, ToolCall},
    openai_chat::EventReader,
    sse::SseScanner,
};

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// The events of a stream that comes in these pieces and then ends.
fn events_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<ChatEvent> {
    let mut scanner = SseScanner::new(1 << 20);
    let mut reader = EventReader::new();
    let mut events = Vec::new();
    for piece in pieces {
        scanner
            .feed(piece, |event| reader.read(&event, &mut events))
            .unwrap();
    }
    scanner.finish(|event| reader.read(&event, &mut events));
    reader.end(&mut events);
    events
}

/// A stream of these chunks, each a JSON text.
fn stream_of(chunks: &[Value]) -> String {
    let event = |chunk: &Value| match chunk {
        Value::String(text) => format!("data: {text}\n\n"),
        chunk => format!("data: {chunk}\n\n"),
    };
    chunks.iter().map(event).collect()
}

fn call(id: &str, name: &str, input: &str) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        input: input.to_owned(),
        custom: false,
        seal: None,
    }
}

fn thinking(text: &str, seal: Option<Seal>) -> Part {
    let text = text.to_owned();
    PartBody::Thinking(Thinking { text, seal }).into()
}

fn said(text: &str) -> ChatEvent {
    ChatEvent::Delta(text.to_owned())
}

fn reply() -> Reply {
    Reply {
        id: "chatcmpl-1".to_owned(),
        created: 7,
        model: "alias".to_owned(),
        ..Reply::default()
    }
}
