//! A message in a client's stream.
//!
//! Texts and refusals that follow each other are the parts of one message, so it stays open until
//! something else comes. It begins with its first text: a block without any leaves no trace.

use serde_json::Value;

use super::{
    events::{Events, object},
    object::{Object, push_item},
};

/// A message under way.
#[derive(Debug)]
pub(super) struct Message {
    id: String,
    begun: bool,
    /// The parts that have ended, as the items of a JSON list.
    parts: Vec<u8>,
    /// The `content_index` of the part under way, or of the next one.
    index: u64,
    part: Option<TextPart>,
}

#[derive(Debug)]
struct TextPart {
    is_refusal: bool,
    begun: bool,
    text: String,
    /// The items of a JSON list.
    logprobs: String,
}

impl Message {
    pub(super) fn new(events: &Events) -> Self {
        Self {
            id: events.id("msg"),
            begun: false,
            parts: Vec::new(),
            index: 0,
            part: None,
        }
    }

    /// A part is to begin.
    pub(super) fn open(&mut self, is_refusal: bool) {
        self.part = Some(TextPart {
            is_refusal,
            begun: false,
            text: String::new(),
            logprobs: String::new(),
        });
    }

    /// More of the part's text.
    pub(super) fn delta(&mut self, text: &str, events: &mut Events, out: &mut Vec<u8>) {
        if !text.is_empty() {
            self.push(text, "", events, out);
        }
    }

    /// Log probabilities of the text before: in a delta without text.
    pub(super) fn logprobs(&mut self, items: Vec<Value>, events: &mut Events, out: &mut Vec<u8>) {
        let list = Value::Array(items).to_string();
        let items = &list[1..list.len() - 1];
        if self
            .part
            .as_ref()
            .is_some_and(|part| part.begun && !part.is_refusal)
        {
            self.push("", items, events, out);
        }
    }

    fn push(&mut self, text: &str, logprobs: &str, events: &mut Events, out: &mut Vec<u8>) {
        self.begin(events, out);
        let Some(part) = &mut self.part else { return };
        let index = self.index;
        let name = match part.is_refusal {
            true => "response.refusal.delta",
            false => "response.output_text.delta",
        };
        events.push_part(name, &self.id, out, |event| {
            let event = event.field("content_index", &index).field("delta", text);
            match part.is_refusal {
                true => event,
                false => event.list("logprobs", logprobs.as_bytes()),
            }
        });
        events.keep(&mut part.text, text);
        if !logprobs.is_empty() {
            let comma = if part.logprobs.is_empty() { "" } else { "," };
            events.keep(&mut part.logprobs, &format!("{comma}{logprobs}"));
        }
    }

    /// Announces the message and the part under way, unless they were.
    fn begin(&mut self, events: &mut Events, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            events.begin_item(&self.json("in_progress"), out);
        }
        let Some(part) = self.part.as_mut().filter(|part| !part.begun) else {
            return;
        };
        let (json, index) = (part.json(), self.index);
        part.begun = true;
        events.push_part("response.content_part.added", &self.id, out, |event| {
            event.field("content_index", &index).json("part", &json)
        });
    }

    /// The part under way is whole.
    pub(super) fn close(&mut self, events: &mut Events, out: &mut Vec<u8>) {
        let Some(part) = self.part.take().filter(|part| part.begun) else {
            return;
        };
        let (json, index) = (part.json(), self.index);
        let name = match part.is_refusal {
            true => "response.refusal.done",
            false => "response.output_text.done",
        };
        events.push_part(name, &self.id, out, |event| {
            part.text(event.field("content_index", &index))
        });
        events.push_part("response.content_part.done", &self.id, out, |event| {
            event.field("content_index", &index).json("part", &json)
        });
        push_item(&mut self.parts, &json);
        self.index += 1;
    }

    /// The message is whole.
    pub(super) fn end(mut self, events: &mut Events, out: &mut Vec<u8>) {
        self.close(events, out);
        if self.begun {
            events.end_item(&self.json(events.status()), out);
        }
    }

    fn json(&self, status: &str) -> Vec<u8> {
        object(|item| {
            item.field("id", &self.id)
                .field("type", "message")
                .field("status", status)
                .list("content", &self.parts)
                .field("role", "assistant")
        })
    }
}

impl TextPart {
    fn json(&self) -> Vec<u8> {
        object(|part| match self.is_refusal {
            true => self.text(part.field("type", "refusal")),
            false => self.text(part.field("type", "output_text").list("annotations", b"")),
        })
    }

    /// Its text under the name that it has in the part and in the event that ends it.
    fn text<'o>(&self, object: Object<'o>) -> Object<'o> {
        match self.is_refusal {
            true => object.field("refusal", &self.text),
            false => object
                .field("text", &self.text)
                .list("logprobs", self.logprobs.as_bytes()),
        }
    }
}
