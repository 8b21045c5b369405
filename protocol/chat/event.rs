//! A stream's pieces.

use serde_json::Value;

use super::{answer::Stop, seal::Seal};
use crate::{failure::FailureKind, usage::Usage};

/// One step of a stream. Readers keep this order, whatever the upstream does:
/// `Start (Open (Delta | Seal | Logprobs)* Close)* Finish`, with `Ping` anywhere, or `Error` last.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatEvent {
    /// The answer begins.
    Start {
        /// The model as the upstream names it; none where it does not say.
        model: Option<String>,
        /// What is known of the usage before the first token (Anthropic tells the prompt's).
        usage: Option<Usage>,
        service_tier: Option<String>,
    },
    /// A block begins; the one before has been closed.
    Open(Block),
    /// More of the open block: text, thought, refusal, or a piece of a call's input.
    Delta(String),
    /// The open block's seal: of thoughts, behind them; of a call, before its input.
    Seal(Seal),
    /// Items of OpenAI's `logprobs.content` for the text just sent.
    Logprobs(Vec<Value>),
    /// The open block ends.
    Close,
    /// The answer ends. Comes once everything is known: after a usage that trails behind.
    Finish { stop: Stop, usage: Option<Usage> },
    /// The upstream is alive.
    Ping,
    /// The upstream failed in mid-answer; nothing follows.
    Error {
        kind: FailureKind,
        /// The upstream's own words, cleaned of secrets.
        message: Option<String>,
    },
}

/// What a block holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Text,
    /// Thoughts; without a delta where the provider shows nothing but the seal.
    Thinking,
    Refusal,
    /// A call; its input comes as deltas, none at all meaning no arguments.
    Call {
        /// Empty where the upstream gave none; the writer then makes one.
        id: String,
        name: String,
        custom: bool,
    },
}
