//! Clients that take nothing but what their dialect promises.

mod anthropic;
mod openai_chat;
mod openai_responses;

use serde_json::Value;
use troupe_protocol::{dialect::Client, sse::SseScanner};

/// An event that a client was sent.
struct Event {
    name: String,
    data: Data,
}

enum Data {
    Json(Value),
    Done,
}

/// How a written stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Whole,
    Failed,
    Cut,
}

/// Reads a written stream, fails at what its dialect does not allow, and tells how it ended.
pub fn check(client: Client, stream: &[u8]) -> End {
    let events = events(stream);
    match client {
        Client::OpenaiChat => openai_chat::check(&events),
        Client::OpenaiResponses => openai_responses::check(&events),
        Client::Anthropic => anthropic::check(&events),
    }
}

fn events(stream: &[u8]) -> Vec<Event> {
    let stream = std::str::from_utf8(stream).expect("a stream is text");
    let mut events = Vec::new();
    let mut scanner = SseScanner::new(usize::MAX);
    let settled = scanner.feed(stream.as_bytes(), |event| {
        let data = match event.data {
            b"[DONE]" => Data::Done,
            data => Data::Json(serde_json::from_slice(data).expect("an event holds JSON")),
        };
        let name = String::from_utf8(event.name.to_vec()).unwrap();
        events.push(Event { name, data });
    });
    assert_eq!(settled, Ok(stream.len()), "the last event is complete");
    events
}

impl Event {
    fn json(&self) -> &Value {
        match &self.data {
            Data::Json(value) => value,
            Data::Done => panic!("this dialect has no `[DONE]`"),
        }
    }

    /// The event's data, whose `type` is its name.
    fn named(&self) -> (&str, &Value) {
        let value = self.json();
        assert_eq!(value["type"], self.name.as_str());
        (&self.name, value)
    }
}

/// A text that must be there and must not be empty.
fn word(value: &Value) -> &str {
    let word = value.as_str().unwrap_or_default();
    assert!(!word.is_empty(), "{value} is no word");
    word
}
