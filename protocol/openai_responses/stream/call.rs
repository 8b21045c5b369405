//! A tool call in a client's stream.

use serde_json::Value;

use super::{
    events::{Events, object},
    reasoning::Reasoning,
};
use crate::chat::{Seal, ToolNames, tools::CUSTOM_INPUT};

/// A call under way.
#[derive(Debug)]
pub(super) struct Call {
    /// The item's id; empty until the item has begun.
    id: String,
    /// The upstream's; one is made where it gave none.
    call_id: String,
    name: String,
    custom: bool,
    /// A custom tool's text comes as the one argument of a function, and is taken out at the end.
    wrapped: bool,
    input: String,
}

impl Call {
    /// A call as the upstream makes it, under the name by which the client knows the tool.
    pub(super) fn new(call_id: String, name: &str, custom: bool, names: &ToolNames) -> Self {
        let (name, was_custom) = names.original(name);
        Self {
            id: String::new(),
            call_id,
            name: name.to_owned(),
            custom: custom || was_custom,
            wrapped: was_custom && !custom,
            input: String::new(),
        }
    }

    /// More of the input.
    pub(super) fn delta(&mut self, text: &str, events: &mut Events, out: &mut Vec<u8>) {
        if self.wrapped {
            self.begin(events, out);
            events.keep(&mut self.input, text);
        } else if !text.is_empty() {
            self.push(text, events, out);
        }
    }

    /// A signed call, which this dialect does not know: its seal goes before it as thoughts without text,
    /// since reasoning items come back with the calls behind them. The reader of requests undoes this.
    pub(super) fn seal(&mut self, seal: &Seal, events: &mut Events, out: &mut Vec<u8>) {
        if self.id.is_empty() {
            let mut reasoning = Reasoning::new(events);
            reasoning.seal(seal, events, out);
            reasoning.end(events, out);
        }
    }

    /// The call is whole. One without arguments has an empty object of them.
    pub(super) fn end(mut self, events: &mut Events, out: &mut Vec<u8>) {
        self.begin(events, out);
        if self.wrapped {
            let text = unwrapped(std::mem::take(&mut self.input));
            self.push(&text, events, out);
        } else if self.input.is_empty() && !self.custom && !events.overflowed {
            self.push("{}", events, out);
        }
        let (name, input) = match self.custom {
            true => ("response.custom_tool_call_input.done", "input"),
            false => ("response.function_call_arguments.done", "arguments"),
        };
        events.push_part(name, &self.id, out, |event| event.field(input, &self.input));
        events.end_item(&self.json(events.status()), out);
    }

    fn push(&mut self, text: &str, events: &mut Events, out: &mut Vec<u8>) {
        self.begin(events, out);
        let name = match self.custom {
            true => "response.custom_tool_call_input.delta",
            false => "response.function_call_arguments.delta",
        };
        events.push_part(name, &self.id, out, |event| event.field("delta", text));
        events.keep(&mut self.input, text);
    }

    /// Announces the item, unless it was.
    fn begin(&mut self, events: &mut Events, out: &mut Vec<u8>) {
        if !self.id.is_empty() {
            return;
        }
        if self.call_id.is_empty() {
            self.call_id = events.id("call");
        }
        self.id = events.id(if self.custom { "ctc" } else { "fc" });
        events.begin_item(&self.json("in_progress"), out);
    }

    fn json(&self, status: &str) -> Vec<u8> {
        let (kind, input) = match self.custom {
            true => ("custom_tool_call", "input"),
            false => ("function_call", "arguments"),
        };
        object(|item| {
            item.field("id", &self.id)
                .field("type", kind)
                .field("status", status)
                .field("call_id", &self.call_id)
                .field("name", &self.name)
                .field(input, &self.input)
        })
    }
}

/// The text that stands in `{"input": "…"}`; anything else is taken for the text itself.
fn unwrapped(input: String) -> String {
    let mut arguments: Value = serde_json::from_str(&input).unwrap_or_default();
    match arguments.get_mut(CUSTOM_INPUT).map(Value::take) {
        Some(Value::String(text)) => text,
        _ => input,
    }
}
