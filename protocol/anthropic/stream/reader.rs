//! An upstream's stream, read.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    anthropic::{
        answer::{GivenBlock, read_stop, read_usage},
        block::{redacted, signed},
        classify::classify_event,
        usage::Counts,
    },
    chat::{Block, ChatEvent, ReadEvents, Stop},
    failure::FailureKind,
    openai::upstream_error::upstream_message,
    sse::SseEvent,
};

/// See [`ReadEvents`]. Keeps counts, the stop reason and the open block's signature, no content.
#[derive(Debug, Default)]
pub struct EventReader {
    started: bool,
    /// Nothing follows any more.
    done: bool,
    open: Open,
    has_calls: bool,
    counts: Option<Counts>,
    stop: Option<Stop>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum Open {
    #[default]
    Nothing,
    /// A block of a kind that is passed over, with all its deltas.
    Skipped,
    Text,
    /// Thoughts, and the signature that came for them so far.
    Thinking(String),
    Call,
}

/// All kinds of events; each has some of the fields.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    message: Option<Message<'a>>,
    #[serde(borrow, default)]
    content_block: Option<&'a RawValue>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(default)]
    model: Option<String>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Delta<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    thinking: Option<String>,
    #[serde(default)]
    signature: Option<String>,
    #[serde(default)]
    partial_json: Option<String>,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    stop_sequence: Option<String>,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
}

/// The kinds of events that are read.
const KINDS: [&str; 6] = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
];

type Out = Vec<ChatEvent>;

impl ReadEvents for EventReader {
    fn read(&mut self, event: &SseEvent<'_>, out: &mut Out) {
        if self.done {
            return;
        }
        if event.name == b"error" {
            return self.fail(classify_event(event.data), event.data, out);
        }
        match serde_json::from_slice::<Event<'_>>(event.data) {
            Ok(read) if read.r#type == "error" => {
                self.fail(classify_event(event.data), event.data, out);
            }
            Ok(read) => {
                if self.take(read, out).is_err() {
                    self.fail(FailureKind::Upstream, b"", out);
                }
            }
            Err(_) if is_unknown(event) => {}
            Err(_) => self.fail(FailureKind::Upstream, b"", out),
        }
    }

    fn end(&mut self, out: &mut Out) {
        if !self.done && self.stop.is_some() {
            self.finish(out);
        }
    }
}

/// Whether an event that cannot be read is of a new kind, or has no data in JSON, such as `[DONE]`
/// which some compatible services add.
fn is_unknown(event: &SseEvent<'_>) -> bool {
    if event.data.trim_ascii() == b"[DONE]" {
        return true;
    }
    let kind = serde_json::from_slice::<Kind<'_>>(event.data);
    kind.is_ok_and(|kind| kind.r#type != "error" && !KINDS.contains(&&*kind.r#type))
}

impl EventReader {
    /// A reader for one stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn take(&mut self, event: Event<'_>, out: &mut Out) -> Result<(), serde_json::Error> {
        match &*event.r#type {
            "content_block_delta" => self.take_delta(event.delta.unwrap_or_default(), out),
            "content_block_start" => {
                self.start(None, out);
                self.close(out);
                let block = event.content_block.map(GivenBlock::read).transpose()?;
                self.open(block.flatten(), out);
            }
            "content_block_stop" => self.close(out),
            "message_start" => self.start(event.message, out),
            "message_delta" => self.take_end(event.delta.unwrap_or_default(), event.usage),
            "message_stop" => self.finish(out),
            "ping" => out.push(ChatEvent::Ping),
            _ => {}
        }
        Ok(())
    }

    /// Tells the begin once, whether or not the upstream does.
    fn start(&mut self, message: Option<Message<'_>>, out: &mut Out) {
        if self.started {
            return;
        }
        self.started = true;
        let usage = message.as_ref().and_then(|message| message.usage);
        let (counts, service_tier) = read_usage(usage);
        self.counts = counts;
        out.push(ChatEvent::Start {
            model: message.and_then(|message| message.model),
            usage: counts.and_then(Counts::usage),
            service_tier,
        });
    }

    fn open(&mut self, block: Option<GivenBlock<'_>>, out: &mut Out) {
        let Some(block) = block else {
            self.open = Open::Skipped;
            return;
        };
        let mut first = String::new();
        match &*block.r#type {
            "text" => {
                self.open = Open::Text;
                out.push(ChatEvent::Open(Block::Text));
                first = block.text.unwrap_or_default();
            }
            "tool_use" => {
                self.open = Open::Call;
                self.has_calls = true;
                block.input().clone_into(&mut first);
                out.push(ChatEvent::Open(Block::Call {
                    id: block.id.unwrap_or_default(),
                    name: block.name.unwrap_or_default(),
                    custom: false,
                }));
            }
            kind => {
                let is_redacted = kind == "redacted_thinking";
                self.open = Open::Thinking(block.signature.unwrap_or_default());
                out.push(ChatEvent::Open(Block::Thinking));
                let seal = block.data.filter(|_| is_redacted);
                let seal = seal.and_then(|data| redacted(&data).seal);
                out.extend(seal.map(ChatEvent::Seal));
                first = block.thinking.unwrap_or_default();
            }
        }
        push_delta(first, out);
    }

    fn take_delta(&mut self, delta: Delta<'_>, out: &mut Out) {
        match (&mut self.open, &*delta.r#type) {
            (Open::Text, "text_delta") => push_delta(delta.text.unwrap_or_default(), out),
            (Open::Thinking(_), "thinking_delta") => {
                push_delta(delta.thinking.unwrap_or_default(), out);
            }
            (Open::Thinking(signature), "signature_delta") => {
                *signature = delta.signature.unwrap_or_default();
            }
            (Open::Call, "input_json_delta") => {
                push_delta(delta.partial_json.unwrap_or_default(), out);
            }
            // citations, what is new, and what belongs to a block that is passed over
            _ => {}
        }
    }

    fn close(&mut self, out: &mut Out) {
        match std::mem::take(&mut self.open) {
            Open::Nothing | Open::Skipped => {}
            Open::Thinking(signature) => {
                out.extend(signed(&signature).map(ChatEvent::Seal));
                out.push(ChatEvent::Close);
            }
            Open::Text | Open::Call => out.push(ChatEvent::Close),
        }
    }

    /// `message_delta`, which may come more than once.
    fn take_end(&mut self, delta: Delta<'_>, usage: Option<&RawValue>) {
        if let (Some(later), _) = read_usage(usage) {
            self.counts.get_or_insert_default().update(later);
        }
        if delta.stop_reason.is_some() {
            self.stop = Some(read_stop(delta.stop_reason.as_deref(), delta.stop_sequence));
        }
    }

    fn finish(&mut self, out: &mut Out) {
        self.start(None, out);
        self.close(out);
        self.done = true;
        let stop = self.stop.take().unwrap_or(Stop::End);
        out.push(ChatEvent::Finish {
            stop: stop.with_calls(self.has_calls),
            usage: self.counts.and_then(Counts::usage),
        });
    }

    fn fail(&mut self, kind: FailureKind, data: &[u8], out: &mut Out) {
        self.done = true;
        let message = upstream_message(data);
        out.push(ChatEvent::Error { kind, message });
    }
}

fn push_delta(text: String, out: &mut Out) {
    if !text.is_empty() {
        out.push(ChatEvent::Delta(text));
    }
}
