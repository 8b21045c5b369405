//! Reading the stream of `:streamGenerateContent?alt=sse`: each event is a whole response with the next
//! parts.

use super::{
    answer::wire::{Call, Part, Response, Text, stop_of},
    classify::classify_event,
};
use crate::{
    chat::{Block, ChatEvent, ReadEvents, Seal, Stop},
    dialect::Dialect,
    failure::FailureKind,
    openai::{
        stream::{StreamError, StreamSeen},
        upstream_error::upstream_message,
    },
    sse::SseEvent,
    usage::Usage,
};

/// See the module's head. Holds no text.
#[derive(Debug, Default)]
pub struct EventReader {
    started: bool,
    /// The open block, text or thoughts; calls come whole.
    open: Option<Block>,
    has_calls: bool,
    stop: Option<Stop>,
    /// Every event repeats it; the last counts.
    usage: Option<Usage>,
    /// After an error or the finish.
    done: bool,
}

/// Notes whether an event shows content or an error.
pub(crate) fn watch(event: &SseEvent<'_>, seen: &mut StreamSeen) {
    seen.events += 1;
    let Ok(response) = serde_json::from_slice::<Response<'_>>(event.data) else {
        return;
    };
    if response.error.is_some() {
        seen.error.get_or_insert_with(|| StreamError {
            kind: classify_event(event.data),
            message: upstream_message(event.data),
        });
    }
    seen.content |= response.candidates.is_some_and(|all| !all.is_empty());
}

impl ReadEvents for EventReader {
    fn read(&mut self, event: &SseEvent<'_>, out: &mut Vec<ChatEvent>) {
        if self.done {
            return;
        }
        match serde_json::from_slice::<Response<'_>>(event.data) {
            Ok(response) if response.error.is_none() => self.take(response, out),
            // compatible services end with what is no JSON
            Err(_) if event.data == b"[DONE]" => {}
            _ => self.fail(
                classify_event(event.data),
                upstream_message(event.data),
                out,
            ),
        }
    }

    /// The finish waits for the end: text and usage may follow the piece with the reason.
    fn end(&mut self, out: &mut Vec<ChatEvent>) {
        if self.done {
            return;
        }
        let Some(stop) = self.stop.take() else { return };
        self.done = true;
        self.close(out);
        out.push(ChatEvent::Finish {
            stop: stop.with_calls(self.has_calls),
            usage: self.usage,
        });
    }
}

impl EventReader {
    pub(super) fn take(&mut self, response: Response<'_>, out: &mut Vec<ChatEvent>) {
        let usage = response.usage_metadata.map(|counts| counts.usage());
        self.usage = usage.or(self.usage);
        if !self.started {
            self.started = true;
            out.push(ChatEvent::Start {
                model: response.model_version.map(|Text(model)| model.into_owned()),
                usage: self.usage,
                service_tier: None,
            });
        }
        let blocked = response
            .prompt_feedback
            .is_some_and(|feedback| feedback.block_reason.is_some());
        if blocked {
            self.stop = Some(Stop::Refusal);
        }
        let Some(candidate) = response.candidates.into_iter().flatten().next() else {
            return;
        };
        let content = candidate.content.and_then(|content| content.parts);
        for part in content.into_iter().flatten() {
            self.part(part, out);
        }
        match candidate.finish_reason.map(|Text(reason)| stop_of(&reason)) {
            Some(Ok(stop)) => self.stop = Some(stop),
            Some(Err(why)) => self.fail(FailureKind::Upstream, Some(why), out),
            None => {}
        }
    }

    fn part(&mut self, part: Part<'_>, out: &mut Vec<ChatEvent>) {
        let seal = part
            .thought_signature
            .filter(|signature| !signature.is_empty())
            .map(|signature| Seal::new(Dialect::Gemini, signature));
        if let Some(call) = part.function_call {
            return self.call(call, seal, out);
        }
        let is_thought = part.thought == Some(true);
        if let Some(Text(text)) = part.text.filter(|Text(text)| !text.is_empty()) {
            self.open(
                if is_thought {
                    Block::Thinking
                } else {
                    Block::Text
                },
                out,
            );
            out.push(ChatEvent::Delta(text.into_owned()));
        }
        if let Some(seal) = seal {
            self.seal(seal, is_thought, out);
        }
    }

    /// Seals the thoughts just told. Text has no place for a seal: there it follows in a block of
    /// thoughts without words, and goes back so.
    fn seal(&mut self, seal: Seal, is_thought: bool, out: &mut Vec<ChatEvent>) {
        if !is_thought {
            self.close(out);
        }
        self.open(Block::Thinking, out);
        out.push(ChatEvent::Seal(seal));
        self.close(out);
    }

    fn call(&mut self, call: Call<'_>, seal: Option<Seal>, out: &mut Vec<ChatEvent>) {
        let text = |text: Option<Text<'_>>| text.map(|Text(text)| text.into_owned());
        self.close(out);
        self.has_calls = true;
        out.push(ChatEvent::Open(Block::Call {
            id: text(call.id).unwrap_or_default(),
            name: text(call.name).unwrap_or_default(),
            custom: false,
        }));
        out.extend(seal.map(ChatEvent::Seal));
        let args = call.args.filter(|args| !args.is_empty());
        out.extend(args.map(|args| ChatEvent::Delta(serde_json::Value::Object(args).to_string())));
        out.push(ChatEvent::Close);
    }

    fn open(&mut self, block: Block, out: &mut Vec<ChatEvent>) {
        if self.open.as_ref() == Some(&block) {
            return;
        }
        self.close(out);
        self.open = Some(block.clone());
        out.push(ChatEvent::Open(block));
    }

    fn close(&mut self, out: &mut Vec<ChatEvent>) {
        out.extend(self.open.take().map(|_| ChatEvent::Close));
    }

    fn fail(&mut self, kind: FailureKind, message: Option<String>, out: &mut Vec<ChatEvent>) {
        self.done = true;
        out.push(ChatEvent::Error { kind, message });
    }
}
