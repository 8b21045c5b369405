//! Responses and their output items as upstreams send them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    chat::{Seal, Stop},
    dialect::Dialect,
    usage::OpenAiUsage,
};

/// What is read of a response object, whole or inside the events that carry one.
#[derive(Deserialize)]
pub(super) struct Response<'a> {
    pub(super) model: Option<String>,
    pub(super) status: Option<String>,
    pub(super) service_tier: Option<String>,
    incomplete_details: Option<Incomplete>,
    /// Items of kinds that this gateway does not know have any shape, so they stay unread.
    #[serde(borrow, default)]
    pub(super) output: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) usage: Option<OpenAiUsage>,
}

#[derive(Debug, Deserialize)]
struct Incomplete {
    reason: Option<String>,
}

impl Response<'_> {
    /// Why a response that has not failed ended. A word that is not known is an ordinary end.
    pub(super) fn stop(&self, has_calls: bool) -> Stop {
        let reason = self.incomplete_details.as_ref();
        let stop = match reason.and_then(|details| details.reason.as_deref()) {
            Some("max_output_tokens") => Stop::MaxTokens,
            Some("content_filter") => Stop::Refusal,
            _ => Stop::End,
        };
        stop.with_calls(has_calls)
    }

    /// Whether it says that it did not come to a good end.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.status.as_deref(), Some("failed" | "cancelled"))
    }
}

/// The kinds of items that mean something here; all others are tools that the provider runs itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemKind {
    Message,
    Reasoning,
    FunctionCall,
    CustomCall,
}

impl ItemKind {
    pub(super) fn is_call(self) -> bool {
        matches!(self, Self::FunctionCall | Self::CustomCall)
    }
}

/// An output item with the fields of all kinds.
#[derive(Debug, Deserialize)]
pub(super) struct Item<'a> {
    id: Option<String>,
    call_id: Option<String>,
    name: Option<String>,
    arguments: Option<String>,
    input: Option<String>,
    encrypted_content: Option<String>,
    #[serde(borrow, default)]
    pub(super) content: Option<Vec<Content<'a>>>,
    #[serde(borrow, default)]
    pub(super) summary: Option<Vec<Content<'a>>>,
}

/// A part of a message, of a summary, or of a reasoning's text.
#[derive(Debug, Deserialize)]
pub(super) struct Content<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    text: Option<String>,
    refusal: Option<String>,
    #[serde(default)]
    pub(super) logprobs: Option<Vec<Value>>,
}

impl Content<'_> {
    pub(super) fn is_refusal(&self) -> bool {
        self.r#type == "refusal"
    }

    /// Its text, unless it is something else.
    pub(super) fn text(&self) -> Option<&str> {
        let text = match self.is_refusal() {
            true => self.refusal.as_deref(),
            false => self.text.as_deref(),
        };
        text.filter(|text| !text.is_empty())
    }
}

impl<'a> Item<'a> {
    /// Reads an item; nothing where it is of another kind.
    pub(super) fn read(json: &'a RawValue) -> Result<Option<(ItemKind, Self)>, serde_json::Error> {
        #[derive(Deserialize)]
        struct Typed<'a> {
            #[serde(borrow, default)]
            r#type: Cow<'a, str>,
        }
        let typed: Typed<'_> = serde_json::from_str(json.get())?;
        let kind = match &*typed.r#type {
            "message" => ItemKind::Message,
            "reasoning" => ItemKind::Reasoning,
            "function_call" => ItemKind::FunctionCall,
            "custom_tool_call" => ItemKind::CustomCall,
            _ => return Ok(None),
        };
        Ok(Some((kind, serde_json::from_str(json.get())?)))
    }

    /// The id by which a call's result refers to it. A few put it into `id` alone.
    pub(super) fn take_call_id(&mut self) -> String {
        let call_id = self.call_id.take().filter(|id| !id.is_empty());
        call_id.or_else(|| self.id.take()).unwrap_or_default()
    }

    /// The arguments of a function, the input of a custom tool.
    pub(super) fn take_input(&mut self) -> String {
        let arguments = self.arguments.take();
        arguments.or_else(|| self.input.take()).unwrap_or_default()
    }

    pub(super) fn take_name(&mut self) -> String {
        self.name.take().unwrap_or_default()
    }

    /// What a reasoning item wants back.
    pub(super) fn take_seal(&mut self) -> Option<Seal> {
        let data = self.encrypted_content.take()?;
        (!data.is_empty()).then(|| Seal {
            by: Dialect::OpenaiResponses,
            id: self.id.take(),
            data,
        })
    }

    /// The parts of a reasoning item that are shown: its summary, or else its text.
    pub(super) fn thoughts(&self) -> (&[Content<'a>], bool) {
        let summary = self.summary.as_deref().unwrap_or_default();
        if summary.is_empty() {
            (self.content.as_deref().unwrap_or_default(), false)
        } else {
            (summary, true)
        }
    }
}
