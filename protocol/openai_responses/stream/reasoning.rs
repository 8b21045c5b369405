//! Thoughts in a client's stream: a reasoning item, its text as the one part of a summary.
//!
//! A summary is what every client of this dialect shows and sends back. What the thoughts' own provider
//! wants with them goes as the item's `encrypted_content`.

use super::events::{Events, object};
use crate::{chat::Seal, dialect::Dialect};

/// A reasoning item under way. It begins with its first text, or with the seal: without both there is none.
#[derive(Debug)]
pub(super) struct Reasoning {
    id: String,
    begun: bool,
    has_text: bool,
    text: String,
    seal: Option<String>,
}

impl Reasoning {
    pub(super) fn new(events: &Events) -> Self {
        Self {
            id: events.id("rs"),
            begun: false,
            has_text: false,
            text: String::new(),
            seal: None,
        }
    }

    /// More of the thoughts.
    pub(super) fn delta(&mut self, text: &str, events: &mut Events, out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        self.begin(events, out);
        if !std::mem::replace(&mut self.has_text, true) {
            let part = summary("");
            events.push_part(PART_ADDED, &self.id, out, |event| {
                event.field("summary_index", &0).json("part", &part)
            });
        }
        events.push_part(TEXT_DELTA, &self.id, out, |event| {
            event.field("summary_index", &0).field("delta", text)
        });
        events.keep(&mut self.text, text);
    }

    pub(super) fn seal(&mut self, seal: &Seal, events: &mut Events, out: &mut Vec<u8>) {
        self.begin(events, out);
        self.seal = Some(seal.write(Dialect::OpenaiResponses));
    }

    /// The thoughts are whole.
    pub(super) fn end(self, events: &mut Events, out: &mut Vec<u8>) {
        if !self.begun {
            return;
        }
        let part = summary(&self.text);
        if self.has_text {
            events.push_part(TEXT_DONE, &self.id, out, |event| {
                event.field("summary_index", &0).field("text", &self.text)
            });
            events.push_part(PART_DONE, &self.id, out, |event| {
                event.field("summary_index", &0).json("part", &part)
            });
        }
        let parts = if self.has_text { part.as_slice() } else { b"" };
        events.end_item(&self.json(parts), out);
    }

    fn begin(&mut self, events: &mut Events, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            events.begin_item(&self.json(b""), out);
        }
    }

    fn json(&self, summary: &[u8]) -> Vec<u8> {
        object(|item| {
            let item = item
                .field("id", &self.id)
                .field("type", "reasoning")
                .list("summary", summary);
            match &self.seal {
                Some(seal) => item.field("encrypted_content", seal),
                None => item,
            }
        })
    }
}

const PART_ADDED: &str = "response.reasoning_summary_part.added";
const PART_DONE: &str = "response.reasoning_summary_part.done";
const TEXT_DELTA: &str = "response.reasoning_summary_text.delta";
const TEXT_DONE: &str = "response.reasoning_summary_text.done";

fn summary(text: &str) -> Vec<u8> {
    object(|part| part.field("type", "summary_text").field("text", text))
}
