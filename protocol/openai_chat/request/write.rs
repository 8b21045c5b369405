//! A request for an upstream.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    write_messages::{WireMessage, write_messages},
    write_tools::{WireChoice, WireTool, write_tool_choice, write_tools},
};
use crate::{
    chat::{
        ChatRequest, ConvertError, Effort, Encoded, Encoding, Format, Losses, Sampling, ToolNames,
    },
    dialect::Dialect,
    json,
};

/// The longest `user` that OpenAI takes, in characters.
const MAX_USER: usize = 64;
/// The name of a schema that has none; OpenAI wants one.
const SCHEMA_NAME: &str = "answer";

/// A request as it is being written.
pub(super) struct Writing<'a> {
    pub(super) request: &'a ChatRequest,
    pub(super) encoding: &'a Encoding<'a>,
    pub(super) losses: Losses,
    pub(super) tools: ToolNames,
    pub(super) has_thinking: bool,
}

#[derive(Serialize)]
struct RequestBody<'a> {
    model: &'a str,
    messages: Vec<WireMessage<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<WireTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<WireChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<WireFormat<'a>>,
    #[serde(flatten)]
    sampling: WireSampling<'a>,
    #[serde(flatten)]
    hints: WireHints<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct WireSampling<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logit_bias: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<u64>,
}

/// What helps the upstream and does not change the answer's meaning.
#[derive(Serialize, Default)]
struct WireHints<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WireFormat<'a> {
    JsonObject,
    JsonSchema { json_schema: WireSchema<'a> },
}

#[derive(Serialize)]
struct WireSchema<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    schema: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

/// Writes a request for an upstream of this dialect. Thoughts go along only where they came from one,
/// in OpenRouter's form.
///
/// # Errors
/// Where the dialect cannot say something without which the answer would not be the one asked for.
pub fn write_request(
    request: &ChatRequest,
    encoding: &Encoding<'_>,
) -> Result<Encoded, ConvertError> {
    if request.sampling.n.is_some_and(|n| n > 1) {
        let reason = "only one answer can be asked of it at a time; send several requests instead";
        return Err(ConvertError::new("n", reason));
    }
    let mut writing = Writing {
        request,
        encoding,
        losses: request.unread.clone(),
        tools: ToolNames::default(),
        has_thinking: false,
    };
    let messages = write_messages(&mut writing)?;
    let tools = write_tools(&mut writing);
    let has_tools = !tools.is_empty();
    let ask_usage = request.stream && encoding.ask_usage;
    let body = RequestBody {
        model: encoding.model,
        messages,
        tool_choice: write_tool_choice(&mut writing, has_tools)?,
        tools,
        parallel_tool_calls: request.parallel_tools.filter(|_| has_tools),
        reasoning_effort: writing.effort(),
        response_format: request.format.as_ref().and_then(write_format),
        sampling: writing.sampling(),
        hints: writing.hints(),
        stream: request.stream.then_some(true),
        stream_options: ask_usage.then_some(StreamOptions {
            include_usage: true,
        }),
    };
    let mut out = Vec::with_capacity(1024);
    json::append(&mut out, &body);
    Ok(Encoded {
        body: out.into(),
        losses: writing.losses,
        tools: writing.tools,
        has_thinking: writing.has_thinking,
    })
}

impl<'a> Writing<'a> {
    /// Where the conversation stands in the caller's dialect.
    pub(super) fn messages_name(&self) -> &'static str {
        match self.request.dialect {
            Dialect::OpenaiResponses => "input",
            Dialect::Gemini => "contents",
            Dialect::OpenaiChat | Dialect::Anthropic => "messages",
        }
    }

    fn sampling(&mut self) -> WireSampling<'a> {
        let sampling: &Sampling = &self.request.sampling;
        self.losses.note_if(sampling.top_k.as_ref(), "top_k");
        let new_name = self.encoding.openai_fields;
        WireSampling {
            max_completion_tokens: sampling.max_tokens.filter(|_| new_name),
            max_tokens: sampling.max_tokens.filter(|_| !new_name),
            temperature: sampling.temperature,
            top_p: sampling.top_p,
            stop: &sampling.stop,
            seed: sampling.seed,
            presence_penalty: sampling.presence_penalty,
            frequency_penalty: sampling.frequency_penalty,
            logit_bias: sampling.logit_bias.as_ref(),
            // one is refused without the other
            logprobs: sampling.logprobs.or(sampling.top_logprobs.map(|_| true)),
            top_logprobs: sampling.top_logprobs,
        }
    }

    fn effort(&mut self) -> Option<&'static str> {
        let reasoning = self.request.reasoning.as_ref()?;
        self.losses
            .note_if(reasoning.summary.as_ref(), "reasoning.summary");
        // Anthropic's clients say so as a matter of course, and few upstreams know the word `none`
        if reasoning.is_off() && self.request.dialect == Dialect::Anthropic {
            self.losses.note("thinking");
            return None;
        }
        reasoning.effort().map(Effort::as_str)
    }

    fn hints(&mut self) -> WireHints<'a> {
        let request = self.request;
        // OpenAI takes them only for answers that it is told to keep
        self.losses.note_if(request.metadata.as_ref(), "metadata");
        let hints = WireHints {
            verbosity: request.verbosity.as_deref(),
            service_tier: request.service_tier.as_deref().map(tier),
            user: request.user.as_deref(),
            prompt_cache_key: request.prompt_cache_key.as_deref(),
        };
        if !self.encoding.openai_fields {
            self.lose(&hints);
            return WireHints::default();
        }
        let (short, long): (Option<&str>, Option<&str>) = match hints.user {
            Some(user) if user.chars().count() > MAX_USER => (None, Some(user)),
            user => (user, None),
        };
        let user = long;
        self.lose(&WireHints {
            user,
            ..WireHints::default()
        });
        WireHints {
            user: short,
            ..hints
        }
    }

    fn lose(&mut self, hints: &WireHints<'_>) {
        let verbosity = match self.request.dialect {
            Dialect::OpenaiResponses => "text.verbosity",
            _ => "verbosity",
        };
        let user = match self.request.dialect {
            Dialect::Anthropic => "metadata.user_id",
            _ => "user",
        };
        let named = [
            (hints.verbosity, verbosity),
            (hints.service_tier, "service_tier"),
            (hints.user, user),
            (hints.prompt_cache_key, "prompt_cache_key"),
        ];
        for (value, name) in named {
            self.losses.note_if(value.as_ref(), name);
        }
    }
}

/// Anthropic's word in OpenAI's.
fn tier(tier: &str) -> &str {
    match tier {
        "standard_only" => "default",
        other => other,
    }
}

fn write_format(format: &Format) -> Option<WireFormat<'_>> {
    match format {
        Format::Text => None,
        Format::Json => Some(WireFormat::JsonObject),
        Format::Schema {
            name,
            description,
            schema,
            strict,
        } => Some(WireFormat::JsonSchema {
            json_schema: WireSchema {
                name: name.as_deref().unwrap_or(SCHEMA_NAME),
                description: description.as_deref(),
                schema,
                strict: *strict,
            },
        }),
    }
}
