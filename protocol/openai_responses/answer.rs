//! A whole answer.

use bytes::Bytes;
use serde_json::Value;

use super::{
    failure::failure,
    item::{Item, ItemKind, Response},
    stream::EventWriter,
};
use crate::{
    chat::{ChatAnswer, Part, PartBody, Reply, Thinking, ToolCall, WriteEvents},
    openai::{stream::StreamError, upstream_error::MalformedAnswer},
    usage::OpenAiUsage,
};

/// Reads an upstream's answer.
///
/// # Errors
/// Where it is no response object, or one that has failed or not ended: see [`read_failure`] for why.
pub fn read_answer(body: &[u8]) -> Result<ChatAnswer, MalformedAnswer> {
    let mut response: Response<'_> =
        serde_json::from_slice(body).map_err(|error| malformed(&error))?;
    match response.status.as_deref() {
        None | Some("completed" | "incomplete") => {}
        Some(status) => return Err(not_ended(status)),
    }
    let mut read = Output::default();
    for json in response.output.iter().flatten() {
        if let Some((kind, item)) = Item::read(json).map_err(|error| malformed(&error))? {
            read.push(kind, item);
        }
    }
    Ok(ChatAnswer {
        stop: response.stop(read.has_calls),
        model: response.model.take(),
        parts: read.parts,
        usage: response.usage.take().and_then(OpenAiUsage::usage),
        service_tier: response.service_tier.take(),
        logprobs: (!read.logprobs.is_empty()).then_some(read.logprobs),
    })
}

/// The failure that a whole answer tells of, which comes with status 200 like any other answer.
#[must_use]
pub fn read_failure(body: &[u8]) -> Option<StreamError> {
    let response: Response<'_> = serde_json::from_slice(body).ok()?;
    let error = response.error.map_or("{}", |error| error.get());
    response.has_failed().then(|| failure(error.as_bytes()))
}

fn malformed(error: &serde_json::Error) -> MalformedAnswer {
    MalformedAnswer {
        reason: error.to_string(),
    }
}

fn not_ended(status: &str) -> MalformedAnswer {
    let known = ["failed", "cancelled", "in_progress", "queued"];
    let status = known.into_iter().find(|known| *known == status);
    MalformedAnswer {
        reason: format!("its status is `{}`", status.unwrap_or("unknown")),
    }
}

/// What the items come to.
#[derive(Default)]
struct Output {
    parts: Vec<Part>,
    logprobs: Vec<Value>,
    has_calls: bool,
}

impl Output {
    fn push(&mut self, kind: ItemKind, mut item: Item<'_>) {
        match kind {
            ItemKind::Message => self.push_message(item),
            ItemKind::Reasoning => {
                let texts: Vec<&str> = item
                    .thoughts()
                    .0
                    .iter()
                    .filter_map(|part| part.text())
                    .collect();
                let text = texts.join("\n\n");
                let seal = item.take_seal();
                if !text.is_empty() || seal.is_some() {
                    self.parts
                        .push(PartBody::Thinking(Thinking { text, seal }).into());
                }
            }
            ItemKind::FunctionCall | ItemKind::CustomCall => {
                self.has_calls = true;
                let call = ToolCall {
                    id: item.take_call_id(),
                    name: item.take_name(),
                    input: item.take_input(),
                    custom: kind == ItemKind::CustomCall,
                    seal: None,
                };
                self.parts.push(PartBody::Call(call).into());
            }
        }
    }

    fn push_message(&mut self, item: Item<'_>) {
        for part in item.content.into_iter().flatten() {
            if let Some(text) = part.text() {
                let text = text.to_owned();
                let body = match part.is_refusal() {
                    true => PartBody::Refusal(text),
                    false => PartBody::Text(text),
                };
                self.parts.push(body.into());
            }
            self.logprobs.extend(part.logprobs.into_iter().flatten());
        }
    }
}

/// Writes an answer for a client: what the last event of a stream holds.
#[must_use]
pub fn write_answer(answer: &ChatAnswer, reply: &Reply) -> Bytes {
    let unbounded = Reply {
        max_held: usize::MAX,
        ..reply.clone()
    };
    let mut writer = EventWriter::new(unbounded);
    let mut events = Vec::new();
    for event in answer.clone().into_events() {
        events.clear();
        writer.write(event, &mut events);
    }
    writer.into_response().into()
}
