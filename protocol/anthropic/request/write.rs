//! A request, written for an upstream that speaks this dialect.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    thinking::{Asked, WireThinking},
    tools::{WireChoice, WireTool, calls},
};
use crate::{
    anthropic::{
        block::{Block, Content, Turn},
        contract::Contract,
    },
    chat::{ChatRequest, ConvertError, Encoded, Encoding, Format, Losses, PartBody, ToolNames},
    dialect::Dialect,
    json,
};

/// Writes a request for `/v1/messages` of an upstream.
///
/// # Errors
/// When something cannot be said to Anthropic without which the answer would be another: several
/// answers, sound, files of other providers, a tool of another provider's that must be called.
pub fn write_request(
    request: &ChatRequest,
    encoding: &Encoding<'_>,
) -> Result<Encoded, ConvertError> {
    let mut writer = Writer::new(request, *encoding);
    let body = writer.write()?;
    Ok(Encoded {
        body: body.into(),
        losses: writer.losses,
        tools: writer.tools,
        has_thinking: writer.has_thinking,
    })
}

/// What is known while a request is written.
pub(super) struct Writer<'a> {
    pub(super) request: &'a ChatRequest,
    pub(super) encoding: Encoding<'a>,
    pub(super) contract: Contract,
    pub(super) losses: Losses,
    pub(super) tools: ToolNames,
    pub(super) has_thinking: bool,
    pub(super) max_tokens: u64,
    /// How many calls and results there were so far.
    pub(super) calls: usize,
    pub(super) results: usize,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u64,
    #[serde(skip_serializing_if = "Content::is_empty")]
    system: Content<'a>,
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<WireTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<WireChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<WireThinking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
}

#[derive(Serialize)]
struct OutputConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Value>,
}

impl<'a> Writer<'a> {
    fn new(request: &'a ChatRequest, encoding: Encoding<'a>) -> Self {
        let max_tokens = request.sampling.max_tokens;
        Self {
            request,
            encoding,
            contract: Contract::of(encoding.model),
            losses: request.unread.clone(),
            tools: ToolNames::default(),
            has_thinking: false,
            max_tokens: max_tokens.unwrap_or(encoding.default_max_tokens),
            calls: 0,
            results: 0,
        }
    }

    fn write(&mut self) -> Result<Vec<u8>, ConvertError> {
        let request = self.request;
        self.refuse_more_answers()?;
        let (messages, late_system) = self.write_turns()?;
        let (tools, tool_choice) = self.write_tool_settings()?;
        let forced = tool_choice.as_ref().is_some_and(WireChoice::is_forced);
        let asked = self.write_reasoning(&messages, forced);
        let format = self.write_format();
        let (temperature, top_p, top_k) = self.write_sampling(&asked);
        let said = asked.effort.is_some() || format.is_some();
        let body = Body {
            model: self.encoding.model,
            max_tokens: self.max_tokens,
            system: Content(self.write_system(late_system)),
            messages,
            tools,
            tool_choice,
            thinking: asked.thinking,
            output_config: said.then_some(OutputConfig {
                effort: asked.effort,
                format,
            }),
            temperature,
            top_p,
            top_k,
            stop_sequences: self.write_stop(),
            metadata: request.user.as_ref().map(|id| json!({"user_id": id})),
            service_tier: self.write_tier(),
            stream: request.stream,
        };
        self.note_unsaid();
        let mut out = Vec::new();
        json::append(&mut out, &body);
        Ok(out)
    }

    /// The word of the caller's dialect.
    pub(super) fn named(
        &self,
        chat: &'static str,
        responses: &'static str,
        anthropic: &'static str,
    ) -> &'static str {
        match self.request.dialect {
            Dialect::OpenaiChat | Dialect::Gemini => chat,
            Dialect::OpenaiResponses => responses,
            Dialect::Anthropic => anthropic,
        }
    }

    fn refuse_more_answers(&self) -> Result<(), ConvertError> {
        if self.request.sampling.n.is_none_or(|n| n <= 1) {
            return Ok(());
        }
        let reason = "the model's provider gives one answer; ask once for each";
        Err(ConvertError::new("n", reason))
    }

    fn write_system(&self, late: Vec<Block<'a>>) -> Vec<Block<'a>> {
        let blocks = self.request.system.iter().filter_map(|part| {
            let PartBody::Text(text) = &part.body else {
                return None;
            };
            Block::text(text, part.cache.as_ref())
        });
        blocks.chain(late).collect()
    }

    fn write_tool_settings(
        &mut self,
    ) -> Result<(Vec<WireTool<'a>>, Option<WireChoice>), ConvertError> {
        let tools = self.write_tools();
        let choice = self.write_choice(&tools)?;
        if tools.is_empty() && calls(&self.request.messages).next().is_some() {
            let none = Some(WireChoice::none());
            return Ok((self.write_called_tools(), none));
        }
        Ok((tools, choice))
    }

    fn write_format(&mut self) -> Option<Value> {
        match self.request.format.as_ref()? {
            Format::Text => None,
            Format::Json => {
                let name = self.named("response_format", "text.format", "output_config.format");
                self.losses.note(name);
                None
            }
            Format::Schema { schema, .. } => {
                let mut schema = schema.clone();
                close_objects(&mut schema);
                Some(json!({"type": "json_schema", "schema": schema}))
            }
        }
    }

    /// `temperature`, `top_p` and `top_k`, as far as the model takes them with what else is asked.
    fn write_sampling(&mut self, asked: &Asked) -> (Option<f64>, Option<f64>, Option<u64>) {
        let sampling = &self.request.sampling;
        let fixed = !self.contract.takes_sampling();
        let bound = fixed || asked.thinks();
        let clamped = sampling.temperature.map(|value| value.clamp(0.0, 1.0));
        // 1 is the default, and all that goes with thinking
        let temperature = clamped.filter(|value| !bound && (0.0..1.0).contains(value));
        if bound && clamped.is_some_and(|value| value != 1.0) {
            self.losses.note("temperature");
        }
        let excluded = temperature.is_some() && self.contract.one_of_temperature_and_top_p();
        let top_p = sampling.top_p.filter(|value| {
            let thinkable = !asked.thinks() || (0.95..=1.0).contains(value);
            !fixed && !excluded && thinkable
        });
        if top_p.is_none() && sampling.top_p.is_some_and(|value| value != 1.0) {
            self.losses.note("top_p");
        }
        let top_k = sampling.top_k.filter(|_| !bound);
        if top_k.is_none() {
            self.losses.note_if(sampling.top_k.as_ref(), "top_k");
        }
        (temperature, top_p, top_k)
    }

    /// Anthropic refuses sequences of nothing but space.
    fn write_stop(&mut self) -> Vec<&'a str> {
        let all = &self.request.sampling.stop;
        let stop: Vec<&str> = all.iter().map(String::as_str).collect();
        let (stop, blank): (Vec<_>, Vec<_>) =
            stop.into_iter().partition(|stop| !stop.trim().is_empty());
        if !blank.is_empty() {
            self.losses
                .note(self.named("stop", "stop", "stop_sequences"));
        }
        stop
    }

    fn write_tier(&mut self) -> Option<&'static str> {
        match self.request.service_tier.as_deref()? {
            "auto" => Some("auto"),
            "default" | "standard_only" => Some("standard_only"),
            _ => {
                self.losses.note("service_tier");
                None
            }
        }
    }

    /// Notes the settings that Anthropic has no word for.
    fn note_unsaid(&mut self) {
        let request = self.request;
        let sampling = &request.sampling;
        let verbosity = self.named("verbosity", "text.verbosity", "verbosity");
        let losses = &mut self.losses;
        losses.note_if(sampling.seed.as_ref(), "seed");
        losses.note_if(sampling.presence_penalty.as_ref(), "presence_penalty");
        losses.note_if(sampling.frequency_penalty.as_ref(), "frequency_penalty");
        losses.note_if(sampling.logit_bias.as_ref(), "logit_bias");
        losses.note_if(sampling.logprobs.filter(|on| *on).as_ref(), "logprobs");
        losses.note_if(sampling.top_logprobs.as_ref(), "top_logprobs");
        losses.note_if(request.verbosity.as_ref(), verbosity);
        losses.note_if(request.metadata.as_ref(), "metadata");
        losses.note_if(request.prompt_cache_key.as_ref(), "prompt_cache_key");
    }
}

/// Anthropic wants it said of each object that it has no other properties, which OpenAI wants of strict
/// schemas only.
fn close_objects(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("type").and_then(Value::as_str) == Some("object") {
                map.entry("additionalProperties")
                    .or_insert(Value::Bool(false));
            }
            map.values_mut().for_each(close_objects);
        }
        Value::Array(list) => list.iter_mut().for_each(close_objects),
        _ => {}
    }
}
