//! The wire formats of chat.

use derive_more::Display;
use serde::{Deserialize, Serialize};

/// A wire format of chat requests and answers. The texts are those of logs, call records and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// `POST /v1/chat/completions`
    #[display("openai_chat")]
    OpenaiChat,
    /// `POST /v1/responses`
    #[display("openai_responses")]
    OpenaiResponses,
    /// `POST /v1/messages`
    #[display("anthropic")]
    Anthropic,
    /// `POST /v1beta/models/{model}:generateContent`; only upstreams speak it.
    #[display("gemini")]
    Gemini,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::OpenaiChat,
        Self::OpenaiResponses,
        Self::Anthropic,
        Self::Gemini,
    ];
}

/// The dialects that clients speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    OpenaiChat,
    OpenaiResponses,
    Anthropic,
}

impl Client {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OpenaiChat, Self::OpenaiResponses, Self::Anthropic];

    /// The dialect that it speaks.
    #[must_use]
    pub fn dialect(self) -> Dialect {
        match self {
            Self::OpenaiChat => Dialect::OpenaiChat,
            Self::OpenaiResponses => Dialect::OpenaiResponses,
            Self::Anthropic => Dialect::Anthropic,
        }
    }
}
