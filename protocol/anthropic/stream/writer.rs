//! A stream for a client, written.

use serde::Serialize;

use crate::{
    anthropic::{
        answer::{WireMessage, call_id, final_stop, write_stop},
        block::{is_redacted, signature},
        error::append_sse,
        usage::WireUsage,
    },
    chat::{Block, ChatEvent, Reply, Seal, Stop, StreamFault, WriteEvents, tools::CUSTOM_INPUT},
    json,
    usage::Usage,
};

/// See [`WriteEvents`]. Blocks are opened with their first delta, so that none is empty, and a seal
/// waits for its block's end, where Anthropic's clients look for it.
#[derive(Debug)]
pub struct EventWriter {
    reply: Reply,
    started: bool,
    usage: Option<Usage>,
    /// The index of the next block.
    next: u64,
    open: Open,
    /// A call that has begun and is not told yet: its seal goes before it.
    call: Option<NewCall>,
    seal: Option<Seal>,
    calls: usize,
    refused: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    /// Text or a refusal, of which nothing was sent yet.
    TextToCome,
    Text,
    ThinkingToCome,
    Thinking,
    Call,
    /// A call with free text, which goes as one JSON text once it is known whole.
    FreeText(String),
}

#[derive(Debug)]
struct NewCall {
    id: String,
    name: String,
    custom: bool,
}

#[derive(Serialize)]
struct MessageStart<'a> {
    r#type: &'static str,
    message: WireMessage<'a>,
}

#[derive(Serialize)]
struct BlockStart<'a> {
    r#type: &'static str,
    index: u64,
    content_block: NewBlock<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum NewBlock<'a> {
    Text {
        text: &'static str,
    },
    Thinking {
        thinking: &'static str,
        signature: &'static str,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: Empty,
    },
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct BlockDelta<'a> {
    r#type: &'static str,
    index: u64,
    delta: Delta<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Delta<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: &'a str },
}

#[derive(Serialize)]
struct BlockStop {
    r#type: &'static str,
    index: u64,
}

#[derive(Serialize)]
struct MessageDelta<'a> {
    r#type: &'static str,
    delta: End<'a>,
    usage: WireUsage<'a>,
}

#[derive(Serialize)]
struct End<'a> {
    stop_reason: &'static str,
    stop_sequence: Option<&'a str>,
}

#[derive(Serialize)]
struct Bare {
    r#type: &'static str,
}

impl WriteEvents for EventWriter {
    fn write(&mut self, event: ChatEvent, out: &mut Vec<u8>) {
        if let Some(call) = self.call.take() {
            return self.write_behind(&call, event, out);
        }
        match event {
            ChatEvent::Delta(text) => self.delta(&text, out),
            ChatEvent::Start {
                model,
                usage,
                service_tier,
            } => self.start(model.as_deref(), usage, service_tier.as_deref(), out),
            ChatEvent::Open(block) => self.open(block, out),
            ChatEvent::Seal(seal) => self.seal = Some(seal),
            ChatEvent::Close => self.close(out),
            ChatEvent::Finish { stop, usage } => self.finish(stop, usage, out),
            // before the message has begun, no SDK looks for one
            ChatEvent::Ping if self.started => send("ping", &Bare { r#type: "ping" }, out),
            ChatEvent::Ping | ChatEvent::Logprobs(_) | ChatEvent::Error { .. } => {}
        }
    }

    fn fail(&mut self, error: &StreamFault<'_>, out: &mut Vec<u8>) {
        append_sse(out, error.code, error.message, error.request_id);
    }
}

impl EventWriter {
    /// A writer for one stream.
    #[must_use]
    pub fn new(reply: Reply) -> Self {
        Self {
            reply,
            started: false,
            usage: None,
            next: 0,
            open: Open::Nothing,
            call: None,
            seal: None,
            calls: 0,
            refused: false,
        }
    }

    fn start(
        &mut self,
        model: Option<&str>,
        usage: Option<Usage>,
        service_tier: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        if self.started {
            return;
        }
        self.started = true;
        self.usage = usage;
        let r#type = "message_start";
        let usage = WireUsage::new(usage, service_tier);
        let message = WireMessage::empty(&self.reply, model, usage);
        send(r#type, &MessageStart { r#type, message }, out);
    }

    fn open(&mut self, block: Block, out: &mut Vec<u8>) {
        self.start(None, None, None, out);
        match block {
            Block::Text => self.open = Open::TextToCome,
            Block::Refusal => {
                self.refused = true;
                self.open = Open::TextToCome;
            }
            Block::Thinking => self.open = Open::ThinkingToCome,
            Block::Call { id, name, custom } => self.call = Some(NewCall { id, name, custom }),
        }
    }

    /// What follows a call's begin. A call has no place for a seal, so it goes before it, as thoughts
    /// without words, and comes back so.
    fn write_behind(&mut self, call: &NewCall, event: ChatEvent, out: &mut Vec<u8>) {
        if let ChatEvent::Seal(seal) = event {
            self.open = Open::ThinkingToCome;
            self.seal = Some(seal);
            self.close(out);
            return self.open_call(call, out);
        }
        self.open_call(call, out);
        self.write(event, out);
    }

    /// A call is opened with an empty piece of input: so Anthropic does, and so a call without
    /// arguments has its `{}`.
    fn open_call(&mut self, call: &NewCall, out: &mut Vec<u8>) {
        let NewCall { id, name, custom } = call;
        self.calls += 1;
        let block = NewBlock::ToolUse {
            id: &call_id(id, &self.reply, self.calls),
            name: self.reply.tools.original(name).0,
            input: Empty {},
        };
        start_block(self.next, block, out);
        self.send_delta(Delta::Input { partial_json: "" }, out);
        self.open = if *custom {
            Open::FreeText(String::new())
        } else {
            Open::Call
        };
    }

    fn delta(&mut self, text: &str, out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        match &mut self.open {
            Open::Nothing => {}
            Open::FreeText(held) => held.push_str(text),
            Open::TextToCome => {
                start_block(self.next, NewBlock::Text { text: "" }, out);
                self.open = Open::Text;
                self.send_delta(Delta::Text { text }, out);
            }
            Open::Text => self.send_delta(Delta::Text { text }, out),
            Open::ThinkingToCome => {
                self.start_thinking(out);
                self.send_delta(Delta::Thinking { thinking: text }, out);
            }
            Open::Thinking => self.send_delta(Delta::Thinking { thinking: text }, out),
            Open::Call => self.send_delta(Delta::Input { partial_json: text }, out),
        }
    }

    fn start_thinking(&mut self, out: &mut Vec<u8>) {
        let block = NewBlock::Thinking {
            thinking: "",
            signature: "",
        };
        start_block(self.next, block, out);
        self.open = Open::Thinking;
    }

    fn send_delta(&self, delta: Delta<'_>, out: &mut Vec<u8>) {
        let r#type = "content_block_delta";
        let index = self.next;
        send(
            r#type,
            &BlockDelta {
                r#type,
                index,
                delta,
            },
            out,
        );
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        let seal = self.seal.take();
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing | Open::TextToCome => return,
            Open::ThinkingToCome => match seal {
                None => return,
                Some(seal) if is_redacted(&seal) => {
                    let block = NewBlock::RedactedThinking { data: &seal.data };
                    start_block(self.next, block, out);
                }
                Some(seal) => {
                    self.start_thinking(out);
                    self.open = Open::Nothing;
                    self.sign(&seal, out);
                }
            },
            Open::Thinking => {
                if let Some(seal) = seal {
                    self.sign(&seal, out);
                }
            }
            Open::FreeText(text) => {
                let input = serde_json::json!({CUSTOM_INPUT: text}).to_string();
                let partial_json = &input;
                self.send_delta(Delta::Input { partial_json }, out);
            }
            Open::Text | Open::Call => {}
        }
        let r#type = "content_block_stop";
        let index = self.next;
        send(r#type, &BlockStop { r#type, index }, out);
        self.next += 1;
    }

    fn sign(&self, seal: &Seal, out: &mut Vec<u8>) {
        let signature = &signature(Some(seal));
        self.send_delta(Delta::Signature { signature }, out);
    }

    fn finish(&mut self, stop: Stop, usage: Option<Usage>, out: &mut Vec<u8>) {
        self.start(None, None, None, out);
        self.close(out);
        let stop = final_stop(stop, self.calls > 0, self.refused);
        let (stop_reason, stop_sequence) = write_stop(&stop);
        let r#type = "message_delta";
        let event = MessageDelta {
            r#type,
            delta: End {
                stop_reason,
                stop_sequence,
            },
            usage: WireUsage::new(usage.or(self.usage), None),
        };
        send(r#type, &event, out);
        let r#type = "message_stop";
        send(r#type, &Bare { r#type }, out);
    }
}

fn start_block(index: u64, content_block: NewBlock<'_>, out: &mut Vec<u8>) {
    let r#type = "content_block_start";
    let event = BlockStart {
        r#type,
        index,
        content_block,
    };
    send(r#type, &event, out);
}

/// Appends an event. Its name stands in its data too.
fn send<T: Serialize>(name: &str, event: &T, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    json::append(out, event);
    out.extend_from_slice(b"\n\n");
}
