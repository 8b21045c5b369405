//! A whole answer made a stream, and a stream made a whole answer.

use super::{
    answer::{ChatAnswer, Stop},
    content::{Part, PartBody, Thinking},
    event::{Block, ChatEvent},
    tools::ToolCall,
};

impl ChatAnswer {
    /// The answer as the events of a stream, for a client that asked for one where the upstream gave none.
    #[must_use]
    pub fn into_events(self) -> Vec<ChatEvent> {
        let mut events = vec![ChatEvent::Start {
            model: self.model,
            usage: self.usage,
            service_tier: self.service_tier,
        }];
        let mut logprobs = self.logprobs;
        for part in self.parts {
            push_block(part, &mut logprobs, &mut events);
        }
        events.push(ChatEvent::Finish {
            stop: self.stop,
            usage: self.usage,
        });
        events
    }

    /// The answer that a stream told, as far as it got; the inverse of [`Self::into_events`]. An error
    /// among the events is the caller's to look for.
    #[must_use]
    pub fn from_events(events: impl IntoIterator<Item = ChatEvent>) -> Self {
        let mut answer = Self {
            model: None,
            parts: Vec::new(),
            stop: Stop::End,
            usage: None,
            service_tier: None,
            logprobs: None,
        };
        for event in events {
            answer.add(event);
        }
        answer
    }

    fn add(&mut self, event: ChatEvent) {
        match event {
            ChatEvent::Start {
                model,
                usage,
                service_tier,
            } => {
                self.model = model;
                self.usage = usage;
                self.service_tier = service_tier;
            }
            ChatEvent::Open(block) => self.parts.push(empty(block)),
            ChatEvent::Delta(more) => {
                if let Some(text) = self.parts.last_mut().and_then(text_of) {
                    text.push_str(&more);
                }
            }
            ChatEvent::Seal(seal) => match self.parts.last_mut().map(|part| &mut part.body) {
                Some(PartBody::Thinking(thinking)) => thinking.seal = Some(seal),
                Some(PartBody::Call(call)) => call.seal = Some(seal),
                _ => {}
            },
            ChatEvent::Logprobs(items) => {
                self.logprobs.get_or_insert_default().extend(items);
            }
            ChatEvent::Finish { stop, usage } => {
                self.stop = stop;
                self.usage = usage.or(self.usage);
            }
            ChatEvent::Close | ChatEvent::Ping | ChatEvent::Error { .. } => {}
        }
    }
}

fn empty(block: Block) -> Part {
    let body = match block {
        Block::Text => PartBody::Text(String::new()),
        Block::Refusal => PartBody::Refusal(String::new()),
        Block::Thinking => PartBody::Thinking(Thinking {
            text: String::new(),
            seal: None,
        }),
        Block::Call { id, name, custom } => PartBody::Call(ToolCall {
            id,
            name,
            input: String::new(),
            custom,
            seal: None,
        }),
    };
    body.into()
}

fn text_of(part: &mut Part) -> Option<&mut String> {
    match &mut part.body {
        PartBody::Text(text) | PartBody::Refusal(text) => Some(text),
        PartBody::Thinking(thinking) => Some(&mut thinking.text),
        PartBody::Call(call) => Some(&mut call.input),
        _ => None,
    }
}

fn push_block(
    part: Part,
    logprobs: &mut Option<Vec<serde_json::Value>>,
    events: &mut Vec<ChatEvent>,
) {
    let (block, text, seal) = match part.body {
        PartBody::Text(text) => (Block::Text, text, None),
        PartBody::Refusal(text) => (Block::Refusal, text, None),
        PartBody::Thinking(Thinking { text, seal }) => (Block::Thinking, text, seal),
        PartBody::Call(ToolCall {
            id,
            name,
            input,
            custom,
            seal,
        }) => (Block::Call { id, name, custom }, input, seal),
        // no assistant says these
        PartBody::Image(_)
        | PartBody::Document(_)
        | PartBody::Audio { .. }
        | PartBody::Result(_) => return,
    };
    let is_text = block == Block::Text;
    let is_call = matches!(block, Block::Call { .. });
    let mut seal = seal.map(ChatEvent::Seal);
    events.push(ChatEvent::Open(block));
    if is_call {
        // as streams have it: before the input
        events.extend(seal.take());
    }
    events.extend((!text.is_empty()).then_some(ChatEvent::Delta(text)));
    if is_text {
        events.extend(logprobs.take().map(ChatEvent::Logprobs));
    }
    events.extend(seal);
    events.push(ChatEvent::Close);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{chat::Seal, dialect::Dialect, usage::Usage};

    #[test]
    fn an_answer_comes_back_from_its_own_stream() {
        let call = ToolCall {
            id: "c1".to_owned(),
            name: "f".to_owned(),
            input: "{\"x\":1}".to_owned(),
            custom: false,
            seal: Some(Seal::new(Dialect::Gemini, "s2")),
        };
        let thinking = Thinking {
            text: "hm".to_owned(),
            seal: Some(Seal::new(Dialect::Anthropic, "s1")),
        };
        let answer = ChatAnswer {
            model: Some("m".to_owned()),
            parts: vec![
                PartBody::Thinking(thinking).into(),
                Part::text("yes"),
                PartBody::Refusal("no".to_owned()).into(),
                PartBody::Call(call).into(),
            ],
            stop: Stop::ToolCalls,
            usage: Some(Usage {
                prompt: 3,
                completion: 4,
                ..Usage::default()
            }),
            service_tier: Some("flex".to_owned()),
            logprobs: Some(vec![json!({"token": "yes"})]),
        };
        assert_eq!(
            ChatAnswer::from_events(answer.clone().into_events()),
            answer
        );
    }
}
