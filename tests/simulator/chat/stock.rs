//! The JSON of chat answers and chunks that hold the same text for whoever asks.

use bytes::Bytes;

use crate::{behaviour::Behaviour, frames::Frames, plan::Plan, play::Step, scene::word, steps};

use super::stream::{DONE, faults};
use std::{fmt::Write, rc::Rc};

/// `usage.prompt_tokens` of every chat answer.
pub const PROMPT_TOKENS: u32 = 11;

/// When all answers were made, as they say.
pub(super) const CREATED: u32 = 1_763_712_000;

/// What a chat answer consists of.
pub(crate) struct Chat<'a> {
    pub model: &'a str,
    pub plan: &'a Plan,
    /// Makes the text distinct: `7-0 7-1 7-2 …`.
    pub seed: Option<usize>,
    /// Ends with a chunk that has the usage.
    pub include_usage: bool,
    /// JSON that goes out under `echo`.
    pub echo: Option<&'a str>,
}

impl Chat<'_> {
    /// A plain answer.
    pub(crate) fn plain(&self) -> Bytes {
        if self.plan.behaviour == Behaviour::Malformed {
            return Bytes::from_static(b"{\"id\":\"chatcmpl-sim\",\"choices\":[{\"mess");
        }
        let mut text: String = (0..self.plan.events).map(|i| self.text(i)).collect();
        if let Some(wanted) = self.plan.answer {
            let frame = self.plain_with("").len();
            text = "lorem ipsum ".repeat(wanted.saturating_sub(frame) / 12 + 1);
            text.truncate(wanted.saturating_sub(frame));
        }
        self.plain_with(&text).into()
    }

    fn plain_with(&self, text: &str) -> String {
        format!(
            r#"{{"id":"chatcmpl-sim","object":"chat.completion","created":{CREATED},"model":"{}","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{},"service_tier":"default","system_fingerprint":"fp_sim"{}}}"#,
            self.model,
            self.usage(),
            self.echo_field(),
        )
    }

    /// The steps of a stream.
    pub(crate) fn stream(&self) -> Rc<[Step]> {
        let first = r#"{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}"#;
        let last = r#"{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}"#;
        let mut tail = self.chunk(last, "null", "");
        if self.include_usage {
            tail.push_str(&self.chunk("", &self.usage(), ""));
        }
        let frames = Frames {
            head: self.chunk(first, "null", &self.echo_field()).into(),
            events: (0..self.plan.events).map(|i| self.event(i)).collect(),
            tail: tail.into(),
            done: DONE.into(),
            faults: faults(),
        };
        steps::stream(frames, self.plan.pace, &self.plan.behaviour)
    }

    fn event(&self, index: u32) -> Bytes {
        let choice = format!(
            r#"{{"index":0,"delta":{{"content":"{}"}},"logprobs":null,"finish_reason":null}}"#,
            self.text(index)
        );
        self.chunk(&choice, "null", "").into()
    }

    fn chunk(&self, choice: &str, usage: &str, echo: &str) -> String {
        let mut chunk = format!(
            r#"data: {{"id":"chatcmpl-sim","object":"chat.completion.chunk","created":{CREATED},"model":"{}","service_tier":"default","system_fingerprint":"fp_sim","choices":[{choice}]"#,
            self.model
        );
        if self.include_usage {
            // writing to a string cannot fail
            let _ = write!(chunk, r#","usage":{usage}"#);
        }
        chunk.push_str(echo);
        chunk.push_str("}\n\n");
        chunk
    }

    /// The text of event `index`.
    fn text(&self, index: u32) -> String {
        word(self.plan, self.seed, index)
    }

    fn usage(&self) -> String {
        let completion = match self.plan.answer {
            Some(bytes) => u32::try_from(bytes / 4).unwrap_or(u32::MAX),
            None => self.plan.events,
        };
        format!(
            r#"{{"prompt_tokens":{PROMPT_TOKENS},"completion_tokens":{completion},"total_tokens":{},"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0}}}}"#,
            PROMPT_TOKENS.saturating_add(completion),
        )
    }

    fn echo_field(&self) -> String {
        self.echo
            .map(|echo| format!(r#","echo":{echo}"#))
            .unwrap_or_default()
    }
}
