//! An answer without its dialect.

use serde_json::Value;

use crate::{behaviour::Behaviour, chat::PROMPT_TOKENS};

use super::{Scene, Style};

/// What a dialect writes down.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Goes into the ids of the answer and its parts.
    pub id: String,
    pub model: String,
    pub scene: Scene,
    /// What goes wrong with it.
    pub behaviour: Behaviour,
    pub pieces: Vec<Piece>,
    pub finish: Finish,
    pub usage: Usage,
    /// OpenAI chat: a stream ends with a chunk that has the usage.
    pub include_usage: bool,
}

/// A part of an answer, in the fragments in which it is streamed.
#[derive(Debug)]
pub(crate) enum Piece {
    Thought {
        fragments: Vec<String>,
        signature: String,
    },
    /// Reasoning that nobody may read.
    Redacted(String),
    Text(Vec<String>),
    Refusal(Vec<String>),
    Call(Call),
}

/// A tool call.
#[derive(Debug)]
pub(crate) struct Call {
    /// Without a dialect's prefix.
    pub id: String,
    pub name: String,
    pub arguments: Value,
    /// The arguments' JSON; none for a call without arguments.
    pub fragments: Vec<String>,
    /// Gemini wants it back on the first call of a turn that was thought about.
    pub signature: Option<String>,
}

/// Why an answer ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    Calls,
    Refusal,
    Filter,
    Length,
    StopSequence(String),
}

/// Tokens. The parts do not overlap; each dialect adds them up in its own way.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Input that no cache had.
    pub input: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    /// Output without the reasoning.
    pub output: u64,
    pub reasoning: u64,
}

impl Usage {
    /// What an answer of these pieces costs: a token for each fragment.
    pub(super) fn of(pieces: &[Piece], scene: &Scene) -> Self {
        let mut usage = Self {
            input: PROMPT_TOKENS.into(),
            ..Self::default()
        };
        for piece in pieces {
            let count = |fragments: &[String]| fragments.len() as u64;
            match piece {
                Piece::Thought { fragments, .. } => usage.reasoning += count(fragments),
                Piece::Redacted(_) => usage.reasoning += 1,
                Piece::Text(fragments) | Piece::Refusal(fragments) => {
                    usage.output += count(fragments);
                }
                // its name is a token as well
                Piece::Call(call) => usage.output += 1 + count(&call.fragments),
            }
        }
        if scene.cached {
            usage.cache_read = 1024;
            usage.cache_write = 256;
            usage.reasoning += 32;
        }
        usage
    }

    /// All input, cached or not.
    pub(crate) fn all_input(&self) -> u64 {
        self.input + self.cache_read + self.cache_write
    }

    /// All output, reasoning included.
    pub(crate) fn all_output(&self) -> u64 {
        self.output + self.reasoning
    }

    /// Input and output.
    pub(crate) fn total(&self) -> u64 {
        self.all_input() + self.all_output()
    }
}

/// The one citation of a text that has one.
pub(crate) struct Citation;

impl Citation {
    pub(crate) const TITLE: &str = "A source";
    pub(crate) const URL: &str = "https://example.com/source";
    pub(crate) const TEXT: &str = "cited text";
}

impl Reply {
    /// How OpenAI chat streams the calls.
    pub(crate) fn style(&self) -> Style {
        self.scene
            .calls
            .map_or(Style::Fragments, |calls| calls.style)
    }

    /// All calls.
    pub(crate) fn calls(&self) -> Vec<&Call> {
        let calls = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Call(call) => Some(call),
            _ => None,
        });
        calls.collect()
    }

    /// The same answer with another text, or a text for one that has none.
    pub(crate) fn say(&mut self, text: String) {
        let spoken = self.pieces.iter_mut().find_map(|piece| match piece {
            Piece::Text(fragments) => Some(fragments),
            _ => None,
        });
        match spoken {
            Some(fragments) => *fragments = vec![text],
            None => self.pieces.push(Piece::Text(vec![text])),
        }
    }
}
