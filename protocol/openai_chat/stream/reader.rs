//! An upstream's stream.

use std::mem;

use super::chunk::{Choice, Chunk};
use crate::{
    chat::{
        Block, ChatEvent, ReadEvents, Seal, Stop,
        call_queue::{CallQueue, Fragment},
    },
    failure::FailureKind,
    openai::{classify::classify_event, upstream_error::upstream_message},
    openai_chat::{
        said::{CallSaid, Content, Detail, FunctionSaid, Said},
        stop::read_stop,
    },
    sse::SseEvent,
    usage::Usage,
};

/// Reads a stream of chunks up to its `[DONE]`.
#[derive(Debug, Default)]
pub struct EventReader {
    started: bool,
    /// The open block, of those that are not calls.
    open: Option<Open>,
    calls: CallQueue,
    has_calls: bool,
    /// The index of the call that came last, for upstreams that give none.
    last_call: Option<LastCall>,
    /// What was said while a call was incomplete: it has to wait.
    held: Vec<(Block, String)>,
    /// Set once the finish reason has come.
    stop: Option<Stop>,
    usage: Option<Usage>,
    /// Nothing more is told.
    over: bool,
}

#[derive(Debug)]
struct Open {
    block: Block,
    /// Whether it has its seal, so that the next thought is another one.
    sealed: bool,
}

#[derive(Debug)]
struct LastCall {
    index: u64,
    id: String,
}

impl ReadEvents for EventReader {
    fn read(&mut self, event: &SseEvent<'_>, out: &mut Vec<ChatEvent>) {
        let data = event.data.trim_ascii();
        if self.over || data.is_empty() {
            return;
        }
        if data == b"[DONE]" {
            self.stop.get_or_insert(Stop::End);
            return self.finish(out);
        }
        match serde_json::from_slice::<Chunk<'_>>(data) {
            Ok(chunk) if event.name != b"error" && !chunk.is_error() => self.chunk(chunk, out),
            Ok(_) => self.fail(classify_event(data), upstream_message(data), out),
            Err(_) if event.name == b"error" => {
                self.fail(classify_event(data), upstream_message(data), out);
            }
            Err(_) => self.fail(FailureKind::Upstream, None, out),
        }
    }

    fn end(&mut self, out: &mut Vec<ChatEvent>) {
        if !self.over && self.stop.is_some() {
            self.finish(out);
        }
    }
}

impl EventReader {
    /// A reader of one stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn chunk(&mut self, mut chunk: Chunk<'_>, out: &mut Vec<ChatEvent>) {
        let usage = chunk.take_usage();
        let trails = self.stop.is_some();
        self.usage = usage.or(self.usage);
        if let Some(choice) = chunk.take_choice() {
            self.start(&mut chunk, out);
            self.choice(choice, out);
        }
        // the usage of the last choice's own chunk may be followed by a better one
        if trails && usage.is_some() {
            self.finish(out);
        }
    }

    /// Azure's first chunk has neither a choice nor the model's name, so it is not the start.
    fn start(&mut self, chunk: &mut Chunk<'_>, out: &mut Vec<ChatEvent>) {
        if !mem::replace(&mut self.started, true) {
            out.push(ChatEvent::Start {
                model: mem::take(&mut chunk.model).into_option(),
                usage: None,
                service_tier: mem::take(&mut chunk.service_tier).into_option(),
            });
        }
    }

    fn choice(&mut self, choice: Choice<'_>, out: &mut Vec<ChatEvent>) {
        if let Some(delta) = &choice.delta {
            self.delta(delta, out);
        }
        let logprobs = choice.logprobs.and_then(|logprobs| logprobs.content);
        if let Some(items) = logprobs.filter(|items| !items.is_empty())
            && self.is_open(&Block::Text)
        {
            out.push(ChatEvent::Logprobs(items));
        }
        let reason = choice.finish_reason.as_str();
        if !reason.is_empty() && self.stop.is_none() {
            self.stop = Some(read_stop(reason, choice.stop_reason.as_str()));
        }
    }

    fn delta(&mut self, delta: &Said<'_>, out: &mut Vec<ChatEvent>) {
        self.thoughts(delta, out);
        match &delta.content {
            Content::Text(text) => self.say(&Block::Text, text.as_str(), out),
            Content::Parts(parts) => {
                for part in parts {
                    self.say(&Block::Thinking, &part.thinking.text(), out);
                    self.say(&Block::Text, part.text.as_str(), out);
                }
            }
        }
        self.say(&Block::Refusal, delta.refusal.as_str(), out);
        for (at, call) in delta.tool_calls.iter().flatten().enumerate() {
            self.call(at, call, out);
        }
        if let Some(function) = &delta.function_call {
            self.old_call(function, out);
        }
    }

    /// OpenRouter tells a thought twice; once is enough.
    fn thoughts(&mut self, delta: &Said<'_>, out: &mut Vec<ChatEvent>) {
        let plain = delta.plain_thoughts();
        self.say(&Block::Thinking, plain, out);
        for detail in delta.details() {
            if plain.is_empty() {
                self.say(&Block::Thinking, detail.text(), out);
            }
            if let Some(seal) = detail.seal() {
                self.seal(detail, seal, out);
            }
        }
    }

    fn seal(&mut self, detail: &Detail<'_>, seal: Seal, out: &mut Vec<ChatEvent>) {
        // in the middle of a call there is no block that it could belong to
        if !self.calls.is_complete() {
            return;
        }
        if detail.is_encrypted() {
            self.close(out);
        }
        self.open(&Block::Thinking, out);
        out.push(ChatEvent::Seal(seal));
        if let Some(open) = &mut self.open {
            open.sealed = true;
        }
    }

    /// More of a text, thought or refusal.
    fn say(&mut self, block: &Block, text: &str, out: &mut Vec<ChatEvent>) {
        if text.is_empty() {
            return;
        }
        if !self.calls.is_complete() {
            self.held.push((block.clone(), text.to_owned()));
            return;
        }
        self.open(block, out);
        out.push(ChatEvent::Delta(text.to_owned()));
    }

    fn is_open(&self, block: &Block) -> bool {
        self.open.as_ref().is_some_and(|open| open.block == *block)
    }

    /// Opens a block, unless it is open.
    fn open(&mut self, block: &Block, out: &mut Vec<ChatEvent>) {
        let sealed = self.open.as_ref().is_some_and(|open| open.sealed);
        if self.is_open(block) && !sealed {
            return;
        }
        self.close(out);
        self.calls.finish(out);
        out.push(ChatEvent::Open(block.clone()));
        let block = block.clone();
        let sealed = false;
        self.open = Some(Open { block, sealed });
    }

    fn close(&mut self, out: &mut Vec<ChatEvent>) {
        if self.open.take().is_some() {
            out.push(ChatEvent::Close);
        }
    }

    fn call(&mut self, at: usize, call: &CallSaid<'_>, out: &mut Vec<ChatEvent>) {
        let none = FunctionSaid::default();
        let custom = call.function.is_none() && call.custom.is_some();
        let function = call.function.as_ref().or(call.custom.as_ref());
        let function = function.unwrap_or(&none);
        let (id, name) = (call.id.as_str(), function.name.as_str());
        let fragment = Fragment {
            index: self.index_of(at, call.index, id, name),
            id,
            name,
            custom,
            input: function.arguments.as_str(),
            seal: call.seal(),
        };
        self.fragment(fragment, out);
    }

    fn old_call(&mut self, function: &FunctionSaid<'_>, out: &mut Vec<ChatEvent>) {
        let fragment = Fragment {
            name: function.name.as_str(),
            input: function.arguments.as_str(),
            ..Fragment::default()
        };
        self.fragment(fragment, out);
    }

    fn fragment(&mut self, fragment: Fragment<'_>, out: &mut Vec<ChatEvent>) {
        self.has_calls = true;
        let at = out.len();
        self.calls.push(fragment, out);
        // what comes late for a call that is over opens no block, so the open one goes on
        if out.len() > at && self.open.take().is_some() {
            out.insert(at, ChatEvent::Close);
        }
        if !self.held.is_empty() && self.calls.is_complete() {
            self.release(out);
        }
    }

    /// Tells what had to wait for the calls. A call that never got a name has not closed the block before it.
    fn release(&mut self, out: &mut Vec<ChatEvent>) {
        self.close(out);
        self.calls.finish(out);
        for (block, text) in mem::take(&mut self.held) {
            self.say(&block, &text, out);
        }
    }

    /// The call's index. Google gives none: there a name begins another call, unless the id is the
    /// last one's.
    fn index_of(&mut self, at: usize, index: Option<u64>, id: &str, name: &str) -> u64 {
        let index = match (index, &self.last_call) {
            (Some(index), _) => index,
            (None, None) => at as u64,
            (None, Some(last)) => {
                let same = name.is_empty() || (!id.is_empty() && id == last.id);
                last.index.saturating_add(u64::from(!same))
            }
        };
        match &mut self.last_call {
            Some(last) if last.index == index && id.is_empty() => {}
            last => {
                let id = id.to_owned();
                *last = Some(LastCall { index, id });
            }
        }
        index
    }

    fn finish(&mut self, out: &mut Vec<ChatEvent>) {
        if !self.started {
            self.started = true;
            let (model, usage, service_tier) = (None, None, None);
            out.push(ChatEvent::Start {
                model,
                usage,
                service_tier,
            });
        }
        self.release(out);
        self.close(out);
        self.over = true;
        let stop = self.stop.take().unwrap_or(Stop::End);
        out.push(ChatEvent::Finish {
            stop: stop.with_calls(self.has_calls),
            usage: self.usage,
        });
    }

    fn fail(&mut self, kind: FailureKind, message: Option<String>, out: &mut Vec<ChatEvent>) {
        self.over = true;
        out.push(ChatEvent::Error { kind, message });
    }
}
