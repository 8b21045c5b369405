//! An event of an upstream's stream. What is large stands in boxes: moving it about while it is read
//! would cost more than all the rest.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    openai_chat::{
        answer::Logprobs,
        said::{Said, Text},
    },
    usage::{OpenAiUsage, Usage},
};

#[derive(Deserialize)]
pub(super) struct Chunk<'a> {
    #[serde(borrow, default)]
    pub(super) model: Text<'a>,
    #[serde(borrow, default)]
    pub(super) choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    usage: Option<Box<OpenAiUsage>>,
    /// Groq's place for the usage.
    #[serde(default)]
    x_groq: Option<UsageHolder>,
    #[serde(borrow, default)]
    pub(super) service_tier: Text<'a>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    object: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Choice<'a> {
    #[serde(default)]
    pub(super) index: u64,
    #[serde(borrow, default)]
    pub(super) delta: Option<Box<Said<'a>>>,
    #[serde(borrow, default)]
    pub(super) finish_reason: Text<'a>,
    /// vLLM's.
    #[serde(borrow, default)]
    pub(super) stop_reason: Text<'a>,
    #[serde(default)]
    pub(super) logprobs: Option<Logprobs>,
    /// Moonshot's place for the usage.
    #[serde(default)]
    usage: Option<Box<OpenAiUsage>>,
}

#[derive(Deserialize)]
struct UsageHolder {
    #[serde(default)]
    usage: Option<Box<OpenAiUsage>>,
}

impl<'a> Chunk<'a> {
    /// Whether it says that the upstream has failed.
    pub(super) fn is_error(&self) -> bool {
        let says = |error: &&RawValue| error.get().starts_with(['{', '"']) && error.get().len() > 2;
        self.error.as_ref().is_some_and(says) || self.object.as_str() == "error"
    }

    /// The usage, wherever it stands.
    pub(super) fn take_usage(&mut self) -> Option<Usage> {
        let choices = self.choices.iter_mut().flatten();
        let in_choice = choices.filter_map(|choice| choice.usage.take()).next();
        let groq = self.x_groq.take().and_then(|groq| groq.usage);
        self.usage
            .take()
            .or(in_choice)
            .or(groq)
            .and_then(|usage| usage.usage())
    }

    /// The answer that counts: of several, the first.
    pub(super) fn take_choice(&mut self) -> Option<Choice<'a>> {
        let choices = self.choices.take()?;
        choices.into_iter().find(|choice| choice.index == 0)
    }
}
