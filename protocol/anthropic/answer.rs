//! Whole answers.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    block::{Block, redacted, signature, signed},
    usage::{Counts, WireUsage},
};
use crate::{
    chat::{ChatAnswer, Part, PartBody, Reply, Stop, Thinking, ToolCall},
    json,
    openai::upstream_error::MalformedAnswer,
};

#[derive(Deserialize)]
struct WireAnswer<'a> {
    #[serde(default)]
    model: Option<String>,
    #[serde(borrow)]
    content: Vec<&'a RawValue>,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    stop_sequence: Option<String>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

/// A block that an upstream gives. Of another kind's fields nothing is asked.
#[derive(Deserialize)]
pub(super) struct GivenBlock<'a> {
    #[serde(borrow)]
    pub(super) r#type: Cow<'a, str>,
    #[serde(default)]
    pub(super) text: Option<String>,
    #[serde(default)]
    pub(super) thinking: Option<String>,
    #[serde(default)]
    pub(super) signature: Option<String>,
    #[serde(default)]
    pub(super) data: Option<String>,
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
}

/// The blocks that have a place in our form; a server tool's doings have none.
const KINDS: [&str; 4] = ["text", "thinking", "redacted_thinking", "tool_use"];

impl<'a> GivenBlock<'a> {
    /// Reads a block; none of a kind that is passed over.
    ///
    /// # Errors
    /// When a block of a known kind has a field of a wrong type.
    pub(super) fn read(raw: &'a RawValue) -> Result<Option<Self>, serde_json::Error> {
        let kind: Kind<'_> = serde_json::from_str(raw.get())?;
        if !KINDS.contains(&&*kind.r#type) {
            return Ok(None);
        }
        serde_json::from_str(raw.get()).map(Some)
    }

    /// A call's input, just as it came; empty where there are no arguments.
    pub(super) fn input(&self) -> &'a str {
        self.input.map_or("", |input| match input.get() {
            "null" | "{}" => "",
            input => input,
        })
    }
}

/// `usage.service_tier`, the one word there that is no count.
#[derive(Deserialize)]
struct Tier {
    #[serde(default)]
    service_tier: Option<String>,
}

/// The counts and the service tier of a `usage`; what cannot be read is not reported.
pub(super) fn read_usage(usage: Option<&RawValue>) -> (Option<Counts>, Option<String>) {
    let Some(usage) = usage else {
        return (None, None);
    };
    let tier = serde_json::from_str(usage.get()).ok();
    let tier = tier.and_then(|tier: Tier| tier.service_tier);
    (serde_json::from_str(usage.get()).ok(), tier)
}

/// Reads the answer of an upstream.
///
/// # Errors
/// When it is not JSON, or no message.
pub fn read_answer(body: &[u8]) -> Result<ChatAnswer, MalformedAnswer> {
    let malformed = |error: serde_json::Error| MalformedAnswer {
        reason: error.to_string(),
    };
    let answer: WireAnswer<'_> = serde_json::from_slice(body).map_err(malformed)?;
    let mut parts = Vec::with_capacity(answer.content.len());
    for raw in answer.content {
        let block = GivenBlock::read(raw).map_err(malformed)?;
        parts.extend(block.and_then(part_of));
    }
    let is_call = |part: &Part| matches!(part.body, PartBody::Call(_));
    let has_calls = parts.iter().any(is_call);
    let stop = read_stop(answer.stop_reason.as_deref(), answer.stop_sequence);
    let (counts, service_tier) = read_usage(answer.usage);
    Ok(ChatAnswer {
        model: answer.model,
        parts,
        stop: stop.with_calls(has_calls),
        usage: counts.and_then(Counts::usage),
        service_tier,
        logprobs: None,
    })
}

/// What a block says; none where it says nothing.
fn part_of(block: GivenBlock<'_>) -> Option<Part> {
    let input = block.input();
    let body = match &*block.r#type {
        "text" => PartBody::Text(block.text.filter(|text| !text.is_empty())?),
        "thinking" => {
            let text = block.thinking.unwrap_or_default();
            let seal = signed(&block.signature.unwrap_or_default());
            if text.is_empty() && seal.is_none() {
                return None;
            }
            PartBody::Thinking(Thinking { text, seal })
        }
        "redacted_thinking" => PartBody::Thinking(redacted(&block.data?)),
        _ => PartBody::Call(ToolCall {
            id: block.id.unwrap_or_default(),
            name: block.name.unwrap_or_default(),
            input: if input.is_empty() { "{}" } else { input }.to_owned(),
            custom: false,
            seal: None,
        }),
    };
    Some(body.into())
}

/// A stop reason of an upstream. One that is missing or new is taken for an ordinary end.
pub(super) fn read_stop(reason: Option<&str>, sequence: Option<String>) -> Stop {
    match reason {
        Some("max_tokens") => Stop::MaxTokens,
        Some("model_context_window_exceeded") => Stop::ContextWindow,
        Some("stop_sequence") => Stop::Sequence(sequence),
        Some("tool_use") => Stop::ToolCalls,
        Some("refusal") => Stop::Refusal,
        Some("pause_turn") => Stop::Pause,
        _ => Stop::End,
    }
}

/// `stop_reason` and `stop_sequence`.
pub(super) fn write_stop(stop: &Stop) -> (&'static str, Option<&str>) {
    match stop {
        Stop::End => ("end_turn", None),
        Stop::MaxTokens => ("max_tokens", None),
        Stop::ContextWindow => ("model_context_window_exceeded", None),
        Stop::Sequence(sequence) => ("stop_sequence", sequence.as_deref()),
        Stop::ToolCalls => ("tool_use", None),
        Stop::Refusal => ("refusal", None),
        Stop::Pause => ("pause_turn", None),
    }
}

/// A message as clients get it, whole, or empty at the begin of a stream.
#[derive(Serialize)]
pub(super) struct WireMessage<'a> {
    pub(super) id: &'a str,
    pub(super) r#type: &'static str,
    pub(super) role: &'static str,
    pub(super) model: &'a str,
    pub(super) content: Vec<Block<'a>>,
    pub(super) stop_reason: Option<&'static str>,
    pub(super) stop_sequence: Option<&'a str>,
    pub(super) usage: WireUsage<'a>,
}

impl<'a> WireMessage<'a> {
    /// A message that has yet to say something.
    pub(super) fn empty(reply: &'a Reply, model: Option<&'a str>, usage: WireUsage<'a>) -> Self {
        Self {
            id: &reply.id,
            r#type: "message",
            role: "assistant",
            model: model.unwrap_or(&reply.model),
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: None,
            usage,
        }
    }
}

/// Writes an answer for a client.
#[must_use]
pub fn write_answer(answer: &ChatAnswer, reply: &Reply) -> Bytes {
    let mut calls = 0;
    let mut content = Vec::with_capacity(answer.parts.len());
    let mut refused = false;
    for part in &answer.parts {
        refused |= matches!(part.body, PartBody::Refusal(_));
        content.extend(seal_before(&part.body));
        content.extend(write_part(&part.body, reply, &mut calls));
    }
    let stop = final_stop(answer.stop.clone(), calls > 0, refused);
    let (stop_reason, stop_sequence) = write_stop(&stop);
    let usage = WireUsage::new(answer.usage, answer.service_tier.as_deref());
    let message = WireMessage {
        content,
        stop_reason: Some(stop_reason),
        stop_sequence,
        ..WireMessage::empty(reply, answer.model.as_deref(), usage)
    };
    let mut out = Vec::with_capacity(512);
    json::append(&mut out, &message);
    out.into()
}

/// Why the answer ended, in view of what it holds: a text that declines is Anthropic's `refusal`.
pub(super) fn final_stop(stop: Stop, has_calls: bool, refused: bool) -> Stop {
    match stop.with_calls(has_calls) {
        Stop::End | Stop::Sequence(_) if refused => Stop::Refusal,
        stop => stop,
    }
}

/// A call has no place for its seal, so it goes before it, as thoughts without words.
fn seal_before(body: &PartBody) -> Option<Block<'_>> {
    match body {
        PartBody::Call(ToolCall {
            seal: Some(seal), ..
        }) => Some(Block::Thinking {
            thinking: "",
            signature: signature(Some(seal)),
        }),
        _ => None,
    }
}

fn write_part<'a>(body: &'a PartBody, reply: &Reply, calls: &mut usize) -> Option<Block<'a>> {
    match body {
        PartBody::Text(text) | PartBody::Refusal(text) => {
            (!text.is_empty()).then_some(Block::Text {
                text,
                cache_control: None,
            })
        }
        PartBody::Thinking(thinking) => Some(Block::thoughts(thinking)),
        PartBody::Call(call) => {
            *calls += 1;
            Some(Block::ToolUse {
                id: call_id(&call.id, reply, *calls),
                name: reply.tools.original(&call.name).0.to_owned(),
                input: call.arguments(),
                cache_control: None,
            })
        }
        // no assistant says these
        PartBody::Image(_)
        | PartBody::Document(_)
        | PartBody::Audio { .. }
        | PartBody::Result(_) => None,
    }
}

/// A call's id; where the upstream gave none, one made of the answer's and the call's number.
pub(super) fn call_id(id: &str, reply: &Reply, number: usize) -> String {
    if !id.is_empty() {
        return id.to_owned();
    }
    let answer = reply.id.strip_prefix("msg_").unwrap_or(&reply.id);
    format!("toolu_{answer}_{number}")
}
