//! A whole answer made a stream.

use super::{
    answer::ChatAnswer,
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
    events.push(ChatEvent::Open(block));
    events.extend((!text.is_empty()).then_some(ChatEvent::Delta(text)));
    if is_text {
        events.extend(logprobs.take().map(ChatEvent::Logprobs));
    }
    events.extend(seal.map(ChatEvent::Seal));
    events.push(ChatEvent::Close);
}
