//! A chat request, whatever dialect it came in.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{
    content::{Message, Part},
    loss::Losses,
    settings::{Format, Reasoning, Sampling},
    tools::{Tool, ToolChoice, ToolNames},
};
use crate::dialect::Dialect;

/// See the module's head. Readers check shapes, not sense: what an upstream would refuse is left to it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest {
    /// The dialect it came in, in whose words losses are named.
    pub dialect: Dialect,
    /// The model as the client named it.
    pub model: String,
    pub stream: bool,
    /// `stream_options.include_usage` of `openai_chat`.
    pub include_usage: bool,
    /// Instructions before the first turn, in order; only texts.
    pub system: Vec<Part>,
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    pub tool_choice: Option<ToolChoice>,
    /// Whether several tools may be called at once; none = the upstream's default, which is yes.
    pub parallel_tools: Option<bool>,
    pub sampling: Sampling,
    pub reasoning: Option<Reasoning>,
    pub format: Option<Format>,
    /// OpenAI's `low`, `medium` or `high`.
    pub verbosity: Option<String>,
    /// As the caller's dialect says it: OpenAI's `auto`, `default`, `flex`, `priority`; Anthropic's
    /// `auto`, `standard_only`.
    pub service_tier: Option<String>,
    /// An opaque id of the end user: `user` or `safety_identifier`, `metadata.user_id` of Anthropic.
    pub user: Option<String>,
    /// OpenAI's labels.
    pub metadata: Option<Map<String, Value>>,
    pub prompt_cache_key: Option<String>,
    /// Fields that stand for nothing in this form, by their path in the caller's dialect.
    pub unread: Losses,
}

impl ChatRequest {
    /// A request with nothing but its dialect and model.
    #[must_use]
    pub fn new(dialect: Dialect, model: impl Into<String>) -> Self {
        Self {
            dialect,
            model: model.into(),
            stream: false,
            include_usage: false,
            system: Vec::new(),
            messages: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_tools: None,
            sampling: Sampling::default(),
            reasoning: None,
            format: None,
            verbosity: None,
            service_tier: None,
            user: None,
            metadata: None,
            prompt_cache_key: None,
            unread: Losses::default(),
        }
    }
}

/// How a request is to be written for its upstream.
#[derive(Debug, Clone, Copy, Default)]
pub struct Encoding<'a> {
    /// The model as the upstream names it.
    pub model: &'a str,
    /// `max_tokens` where the dialect needs one and the client gave none.
    pub default_max_tokens: u64,
    /// Whether a stream of `openai_chat` is to end with its usage.
    pub ask_usage: bool,
    /// Whether thoughts of earlier turns go along. Off when the upstream has refused their signatures.
    pub keep_thinking: bool,
    /// Whether an upstream of `openai_chat` knows OpenAI's newer fields: `max_completion_tokens`,
    /// `prompt_cache_key`, `service_tier`, `user`, `verbosity`. The others get `max_tokens`, and not
    /// the rest, since many refuse a request for a field that they do not know.
    pub openai_fields: bool,
    /// Whether an upstream of `openai_chat` is Google's, which wants the signatures of its calls back.
    pub call_signatures: bool,
}

/// A request written for an upstream, and what its answer's reader and writer must know.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// JSON.
    pub body: Bytes,
    /// What the target dialect could not say, the request's own `unread` included.
    pub losses: Losses,
    pub tools: ToolNames,
    /// Whether thoughts were among what was written, so that a refused signature may be theirs.
    pub has_thinking: bool,
}
