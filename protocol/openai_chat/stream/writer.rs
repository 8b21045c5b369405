//! A client's stream.

use std::mem;

use serde::Serialize;
use serde_json::Value;

use crate::{
    chat::{Block, ChatEvent, Reply, Seal, Stop, StreamFault, WriteEvents},
    json,
    openai::{
        chat::{DONE, UsageBody},
        error::render_sse,
    },
    openai_chat::{
        answer::Logprobs,
        calls::{CallBody, DetailBody, ExtraBody, arguments, call_id, unwrap_custom},
        stop::write_stop,
    },
    usage::Usage,
};

/// Writes a stream of chunks, and `[DONE]` behind it.
#[derive(Debug)]
pub struct EventWriter {
    reply: Reply,
    /// How every chunk begins, up to its choices.
    head: Vec<u8>,
    block: Open,
    /// Thoughts and calls begun so far.
    thoughts: usize,
    calls: usize,
    /// What is known of the usage before the end.
    usage: Option<Usage>,
}

/// The open block.
#[derive(Debug)]
enum Open {
    Text,
    Refusal,
    /// `shown` = there was something to read.
    Thinking {
        shown: bool,
    },
    Call(OpenCall),
}

#[derive(Debug)]
struct OpenCall {
    id: String,
    /// As the client knows it.
    name: String,
    custom: bool,
    /// A custom tool that went as a function: its text can be taken out of the arguments only when they
    /// are complete, so they wait here.
    wrapped: Option<String>,
    /// Whether the client knows of the call. It is told with what comes next, since clients look for
    /// the signature in a call's first piece.
    told: bool,
    has_input: bool,
}

#[derive(Serialize, Default)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_details: Option<[DetailBody<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[CallBody<'a>; 1]>,
}

#[derive(Serialize)]
struct ChoiceBody<'a> {
    index: u32,
    delta: &'a Delta<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<Logprobs>,
    finish_reason: Option<&'static str>,
}

#[derive(Serialize)]
struct Head<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
}

impl WriteEvents for EventWriter {
    fn write(&mut self, event: ChatEvent, out: &mut Vec<u8>) {
        match event {
            ChatEvent::Start {
                model,
                usage,
                service_tier,
            } => {
                self.head = head(&self.reply, model.as_deref(), service_tier.as_deref());
                self.usage = usage;
                let (role, content) = (Some("assistant"), Some(""));
                self.delta(
                    &Delta {
                        role,
                        content,
                        ..Delta::default()
                    },
                    out,
                );
            }
            ChatEvent::Open(block) => self.open(block),
            ChatEvent::Delta(text) => self.text(&text, out),
            ChatEvent::Seal(seal) => self.seal(&seal, out),
            ChatEvent::Logprobs(items) => self.logprobs(items, out),
            ChatEvent::Close => self.close(out),
            ChatEvent::Finish { stop, usage } => self.finish(stop, usage, out),
            ChatEvent::Ping => {
                self.tell_call(None, out);
                out.extend_from_slice(b": ping\n\n");
            }
            ChatEvent::Error { .. } => {}
        }
    }

    fn fail(&mut self, error: &StreamFault<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(&render_sse(
            error.code,
            error.message,
            None,
            error.request_id,
        ));
    }
}

impl EventWriter {
    /// A writer of one stream.
    #[must_use]
    pub fn new(reply: Reply) -> Self {
        Self {
            head: head(&reply, None, None),
            reply,
            block: Open::Text,
            thoughts: 0,
            calls: 0,
            usage: None,
        }
    }

    fn open(&mut self, block: Block) {
        self.block = match block {
            Block::Text => Open::Text,
            Block::Refusal => Open::Refusal,
            Block::Thinking => Open::Thinking { shown: false },
            Block::Call { id, name, custom } => {
                let (original, wrapped) = self.reply.tools.original(&name);
                let wrapped = wrapped && !custom;
                Open::Call(OpenCall {
                    id: call_id(&id, &self.reply, self.calls).into_owned(),
                    name: original.to_owned(),
                    custom: custom || wrapped,
                    wrapped: wrapped.then(String::new),
                    told: false,
                    has_input: false,
                })
            }
        };
    }

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        self.tell_call(None, out);
        let said = Some(text);
        let mut delta = Delta::default();
        match &mut self.block {
            Open::Text => delta.content = said,
            Open::Refusal => delta.refusal = said,
            Open::Thinking { shown } => {
                *shown = true;
                delta.reasoning_content = said;
            }
            Open::Call(call) => {
                call.has_input = true;
                if let Some(held) = &mut call.wrapped {
                    held.push_str(text);
                    return;
                }
                let custom = call.custom;
                delta.tool_calls = Some([CallBody::more(self.calls, custom, text)]);
            }
        }
        self.delta(&delta, out);
    }

    fn seal(&mut self, seal: &Seal, out: &mut Vec<u8>) {
        match &self.block {
            Open::Thinking { shown } => {
                let detail = DetailBody::of(seal, None, *shown, self.thoughts);
                let delta = Delta {
                    reasoning_details: Some([detail]),
                    ..Delta::default()
                };
                self.delta(&delta, out);
            }
            Open::Call(_) => self.tell_call(Some(seal), out),
            Open::Text | Open::Refusal => {}
        }
    }

    /// Tells of the open call, if that has not been done.
    fn tell_call(&mut self, seal: Option<&Seal>, out: &mut Vec<u8>) {
        let Open::Call(call) = &mut self.block else {
            return;
        };
        let first = !mem::replace(&mut call.told, true);
        if !first && seal.is_none() {
            return;
        }
        let mut body = match first {
            true => CallBody::named(&call.id, &call.name, call.custom, ""),
            false => CallBody::more(self.calls, call.custom, ""),
        };
        body.index = Some(self.calls);
        body.extra_content = seal.map(ExtraBody::of);
        let delta = Delta {
            tool_calls: Some([body]),
            ..Delta::default()
        };
        append_choice(
            &self.head,
            self.reply.include_usage,
            &delta,
            None,
            None,
            out,
        );
    }

    fn logprobs(&self, items: Vec<Value>, out: &mut Vec<u8>) {
        let content = Some("");
        let delta = Delta {
            content,
            ..Delta::default()
        };
        let logprobs = Logprobs {
            content: Some(items),
        };
        let usage = self.reply.include_usage;
        append_choice(&self.head, usage, &delta, Some(logprobs), None, out);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        self.tell_call(None, out);
        match mem::replace(&mut self.block, Open::Text) {
            Open::Thinking { .. } => self.thoughts += 1,
            Open::Call(call) => {
                let rest = match &call.wrapped {
                    Some(held) => unwrap_custom(held),
                    None if call.has_input || call.custom => String::new(),
                    None => arguments("").to_owned(),
                };
                if !rest.is_empty() {
                    let body = CallBody::more(self.calls, call.custom, &rest);
                    let delta = Delta {
                        tool_calls: Some([body]),
                        ..Delta::default()
                    };
                    self.delta(&delta, out);
                }
                self.calls += 1;
            }
            Open::Text | Open::Refusal => {}
        }
    }

    fn finish(&mut self, stop: Stop, usage: Option<Usage>, out: &mut Vec<u8>) {
        let reason = Some(write_stop(stop, self.calls > 0));
        let include = self.reply.include_usage;
        append_choice(&self.head, include, &Delta::default(), None, reason, out);
        if let Some(usage) = usage.or(self.usage).filter(|_| include) {
            out.extend_from_slice(&self.head);
            out.extend_from_slice(b"[],\"usage\":");
            json::append(out, &UsageBody::from(&usage));
            out.extend_from_slice(b"}\n\n");
        }
        out.extend_from_slice(&DONE);
    }

    fn delta(&self, delta: &Delta<'_>, out: &mut Vec<u8>) {
        let usage = self.reply.include_usage;
        append_choice(&self.head, usage, delta, None, None, out);
    }
}

fn head(reply: &Reply, model: Option<&str>, service_tier: Option<&str>) -> Vec<u8> {
    let mut out = b"data: ".to_vec();
    let head = Head {
        id: &reply.id,
        object: "chat.completion.chunk",
        created: reply.created,
        model: model.unwrap_or(&reply.model),
        service_tier,
    };
    json::append(&mut out, &head);
    out.pop();
    out.extend_from_slice(b",\"choices\":");
    out
}

/// A chunk. With `usage` it says that there is none yet, as OpenAI does before the last one.
fn append_choice(
    head: &[u8],
    usage: bool,
    delta: &Delta<'_>,
    logprobs: Option<Logprobs>,
    finish_reason: Option<&'static str>,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(head);
    let choice = ChoiceBody {
        index: 0,
        delta,
        logprobs,
        finish_reason,
    };
    json::append(out, &[choice]);
    out.extend_from_slice(match usage {
        true => b",\"usage\":null}\n\n",
        false => b"}\n\n",
    });
}
