//! The frames of an event stream as they should be, and what can be put in their place.

use std::mem;

use bytes::Bytes;
use serde_json::Value;

/// A stream: what comes before the events, the events, what comes after.
#[derive(Debug)]
pub(crate) struct Frames {
    /// Goes out together with the first event.
    pub head: Bytes,
    /// Those that carry content; frames that only give it structure go out with the next of them.
    pub events: Vec<Bytes>,
    /// The closing frames but the last one.
    pub tail: Bytes,
    /// The last frame, which `no-done` leaves out.
    pub done: Bytes,
    pub faults: Faults,
}

/// What goes wrong in a dialect's own words.
#[derive(Debug)]
pub(crate) struct Faults {
    /// The error that ends a stream in mid-way.
    pub error: Bytes,
    /// The beginning of a frame.
    pub broken: &'static str,
    /// What stands before and behind the text in a frame with text; without the blank line.
    pub line: (String, String),
}

/// Frames in the order in which they are sent.
#[derive(Debug, Default)]
pub(crate) struct Reel {
    head: Option<Bytes>,
    events: Vec<Bytes>,
    waiting: String,
}

impl Reel {
    /// A frame that carries no content.
    pub(crate) fn quiet(&mut self, frame: &str) {
        self.waiting.push_str(frame);
    }

    /// A frame that carries content.
    pub(crate) fn event(&mut self, frame: &str) {
        self.waiting.push_str(frame);
        let event = mem::take(&mut self.waiting);
        self.events.push(event.into());
    }

    /// What was added so far is the head.
    pub(crate) fn end_head(&mut self) {
        self.head = Some(mem::take(&mut self.waiting).into());
    }

    /// How many frames with content there are.
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// The whole stream, with `done` as its last frame.
    pub(crate) fn end(self, done: String, faults: Faults) -> Frames {
        Frames {
            head: self.head.unwrap_or_default(),
            events: self.events,
            tail: self.waiting.into(),
            done: done.into(),
            faults,
        }
    }
}

/// A frame that has its data's `type` as its name, as Anthropic and OpenAI Responses write them.
pub(crate) fn named(data: &Value) -> String {
    let name = data["type"].as_str().unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n")
}
