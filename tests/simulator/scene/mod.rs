//! Scenes: what an answer holds, asked for by words in the model's name, the same in every dialect. A dialect
//! reads a request into an [`Ask`], a scene makes a [`Reply`] of it, and the dialect writes that down.

mod act;
mod ask;
mod fill;
mod media;
mod reply;
mod sign;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use act::act;
pub(crate) use ask::{Ask, Choice, Outcome, Tool, params};
pub(crate) use media::{base64_medium, medium_at};
pub(crate) use reply::{Call, Citation, Finish, Piece, Reply, Usage};
pub use sign::fingerprint;
pub(crate) use sign::{is_signed, sign, signed_by};
pub use words::long_text;
pub(crate) use words::word;

/// What an answer holds. Words change one part each, so they can be joined: `sim-think+tools+cached`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scene {
    /// Reasoning before everything else.
    pub thinking: Option<Thinking>,
    /// What the text says.
    pub speech: Speech,
    /// Tool calls, where the request has tools and its last turn is not their results.
    pub calls: Option<Calls>,
    /// How the answer ends.
    pub ending: Ending,
    /// Usage with tokens read from and written to a cache, and reasoning tokens.
    pub cached: bool,
    /// The text has a citation.
    pub citations: bool,
    /// The text has log probabilities, in the dialects that know them.
    pub logprobs: bool,
    /// Gemini: function calls carry an id, as those of newer models do.
    pub call_ids: bool,
}

/// How much of the reasoning is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinking {
    /// Its text.
    Open,
    /// Nothing but a sealed block, where the dialect has such.
    Redacted,
}

/// What the text says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Speech {
    /// The plan's words.
    #[default]
    Usual,
    /// Type, length and [`fingerprint`] of each image, document and sound of the request.
    Media,
    /// A JSON value that fits the schema asked for.
    Json,
    /// The request's parameters: all but the conversation and the tools.
    Params,
    /// The whole request as it came.
    Mirror,
    /// So many words that depend on the user's last text: [`long_text`].
    Long(u32),
}

/// Which tool calls are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls {
    /// How many, if the request allows several at once.
    pub count: usize,
    /// Whether they have arguments, whatever the schema wants.
    pub arguments: bool,
    /// A text stands before them.
    pub after_text: bool,
    /// How OpenAI chat streams them.
    pub style: Style,
}

/// How OpenAI chat streams tool calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// One after the other, the arguments in several fragments.
    Fragments,
    /// All in one chunk, as xAI does.
    OnePiece,
    /// The fragments of all calls by turns.
    Interleaved,
}

/// How an answer ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ending {
    /// With its last word.
    #[default]
    Natural,
    /// The model declines.
    Refusal,
    /// A filter takes the answer away.
    Filter,
    /// At the token limit.
    Length,
    /// At a stop sequence of the request.
    StopSequence,
}

const TOOLS: Calls = Calls {
    count: 2,
    arguments: true,
    after_text: false,
    style: Style::Fragments,
};

impl Scene {
    /// Changes the scene as a word wants it; `false` if the word is not a scene's.
    pub(crate) fn take(&mut self, word: &str) -> bool {
        self.take_calls(word) || self.take_speech(word) || self.take_rest(word)
    }

    fn take_calls(&mut self, word: &str) -> bool {
        let calls = match word {
            "tools" => TOOLS,
            "think-tools" => {
                self.thinking.get_or_insert(Thinking::Open);
                TOOLS
            }
            "text-tools" => Calls {
                after_text: true,
                ..TOOLS
            },
            "one-tool" => Calls { count: 1, ..TOOLS },
            "noargs-tool" => Calls {
                count: 1,
                arguments: false,
                ..TOOLS
            },
            "onepiece-tools" => Calls {
                style: Style::OnePiece,
                ..TOOLS
            },
            "interleaved-tools" => Calls {
                style: Style::Interleaved,
                ..TOOLS
            },
            _ => return false,
        };
        self.calls = Some(calls);
        true
    }

    fn take_speech(&mut self, word: &str) -> bool {
        self.speech = match word {
            "image-echo" => Speech::Media,
            "json" => Speech::Json,
            "params" => Speech::Params,
            "mirror" => Speech::Mirror,
            _ => match word.strip_prefix("long-").map(str::parse) {
                Some(Ok(count)) => Speech::Long(count),
                _ => return false,
            },
        };
        true
    }

    fn take_rest(&mut self, word: &str) -> bool {
        match word {
            "think" => self.thinking = Some(Thinking::Open),
            "redacted" => self.thinking = Some(Thinking::Redacted),
            "refuse" => self.ending = Ending::Refusal,
            "filter" => self.ending = Ending::Filter,
            "length" => self.ending = Ending::Length,
            "stop-seq" => self.ending = Ending::StopSequence,
            "cached" => self.cached = true,
            "citations" => self.citations = true,
            "logprobs" => self.logprobs = true,
            "call-ids" => self.call_ids = true,
            _ => return false,
        }
        true
    }
}
