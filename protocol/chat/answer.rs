//! A whole answer.

use serde_json::Value;

use super::content::Part;
use crate::usage::Usage;

/// What an upstream answered, whatever its dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatAnswer {
    /// The model as the upstream names it; none where it does not say.
    pub model: Option<String>,
    /// Texts, thoughts, calls and refusals, in order.
    pub parts: Vec<Part>,
    pub stop: Stop,
    pub usage: Option<Usage>,
    /// As the upstream says it.
    pub service_tier: Option<String>,
    /// OpenAI's log probabilities of the text's tokens: the items of `logprobs.content`.
    pub logprobs: Option<Vec<Value>>,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// It was complete.
    End,
    MaxTokens,
    /// The model's context window is full.
    ContextWindow,
    /// A stop sequence came; which one, where the upstream says.
    Sequence(Option<String>),
    /// Tools are to be run.
    ToolCalls,
    /// The provider declined, or filtered the answer.
    Refusal,
    /// Anthropic's `pause_turn`: the client sends the answer back to go on.
    Pause,
}

impl Stop {
    /// The reason that fits what was said: an answer with tool calls stops for them, whatever word the
    /// upstream has for an ordinary end.
    #[must_use]
    pub fn with_calls(self, has_calls: bool) -> Self {
        match self {
            Self::End | Self::Sequence(_) | Self::ToolCalls if has_calls => Self::ToolCalls,
            Self::ToolCalls => Self::End,
            other => other,
        }
    }
}
