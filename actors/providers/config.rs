//! `[[provider]]` and `[timeouts]` of the configuration.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use serde_json::{Map, Value};
use troupe_protocol::pictures::{Range, Size};

use super::price::Price;
use crate::{credentials::config::PoolConfig, secrets::Secret};

/// The time-outs of an upstream call. A provider may override each as `timeouts = { … }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// Until the TCP (and TLS) connection stands.
    pub connect_ms: u64,
    /// From the request's first byte out to the answer's headers.
    pub first_byte_ms: u64,
    /// From the headers of a stream to its first event. An error in time is a failed attempt; behind it the
    /// stream goes on to the client as it comes. 0 = at once.
    pub first_event_ms: u64,
    /// Between two pieces of the body.
    pub idle_ms: u64,
    /// The whole attempt.
    pub total_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect_ms: 5_000,
            first_byte_ms: 120_000,
            first_event_ms: 10_000,
            idle_ms: 120_000,
            total_ms: 1_800_000,
        }
    }
}

/// One `[[provider]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// The prefix of its model ids.
    pub name: String,
    /// The upstream protocol: `openai`, `openai_responses`, `anthropic`, `gemini` or `demo`. A preset fills it in.
    #[serde(default)]
    pub kind: String,
    /// A known service that fills in `kind` and `base_url`: `deepseek`, `ollama`, …
    #[serde(default)]
    pub preset: Option<String>,
    /// Includes the version prefix, such as `https://api.openai.com/v1`.
    #[serde(default)]
    pub base_url: Option<String>,
    #[serde(default)]
    pub tokens: Vec<Secret>,
    /// Omitted = asked of the upstream.
    #[serde(default)]
    pub models: Option<Vec<ModelEntry>>,
    /// Whether bare model names resolve here before other providers.
    #[serde(default)]
    pub default: bool,
    /// Upstream requests at a time; 0 = no limit but the server's own.
    #[serde(default)]
    pub max_in_flight: usize,
    /// Whether to ask for usage in streams that did not (`stream_options.include_usage`), and to take
    /// the extra event out again. Off for upstreams that refuse the field.
    #[serde(default = "yes")]
    pub ask_stream_usage: bool,
    /// Of kind `openai`: how clients of `/v1/responses` are served.
    #[serde(default)]
    pub responses: ResponsesMode,
    /// `max_tokens` for upstreams that need one (Anthropic's), where the client gave none.
    #[serde(default = "default_max_tokens")]
    pub default_max_tokens: u64,
    /// Of kind `openai`: whether converted requests use OpenAI's newer fields: `max_completion_tokens`, on
    /// which its reasoning models insist, rather than `max_tokens`, which everybody else understands;
    /// `prompt_cache_key`, `service_tier`, `user`, `verbosity`, which others may refuse.
    #[serde(default)]
    pub openai_fields: bool,
    /// What only one kind of upstream understands; its page in the documentation names them.
    #[serde(default)]
    pub options: Map<String, Value>,
    #[serde(default)]
    pub timeouts: Option<Timeouts>,
    #[serde(default)]
    pub pool: Option<PoolConfig>,
}

fn yes() -> bool {
    true
}

fn default_max_tokens() -> u64 {
    8_192
}

/// How an OpenAI-compatible upstream serves `/v1/responses`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResponsesMode {
    /// By its own `/responses`, until it turns out to have none; from then on by conversion.
    #[default]
    Auto,
    /// By its own `/responses`.
    Native,
    /// By conversion to `/chat/completions`.
    Convert,
}

/// A model of a provider: its id alone, or a table.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelEntry {
    Id(String),
    Full(Box<ModelConfig>),
}

// by hand, since `untagged` would answer a misspelt key with "no variant matches"
impl<'de> Deserialize<'de> for ModelEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = ModelEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a model id, or a table with `id`")
            }

            fn visit_str<E: de::Error>(self, id: &str) -> Result<ModelEntry, E> {
                Ok(ModelEntry::Id(id.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ModelEntry, A::Error> {
                let config = ModelConfig::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ModelEntry::Full(Box::new(config)))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// A model with more to say than its id.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// What clients call it, without the provider's prefix.
    pub id: String,
    /// What the upstream calls it; the id where omitted.
    #[serde(default)]
    pub upstream: Option<String>,
    /// A hint for lists and checks: `chat`, `embedding`, `text2image`, …
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// What people call it.
    #[serde(default)]
    pub name: Option<String>,
    /// Of pictures: the sizes that it makes, and no others.
    #[serde(default)]
    pub sizes: Option<Vec<Size>>,
    /// Of pictures: what `steps` may be.
    #[serde(default)]
    pub steps: Option<Range>,
    /// Of pictures: what `guidance` may be.
    #[serde(default)]
    pub guidance: Option<Range>,
    /// Pictures that the upstream makes of one order.
    #[serde(default)]
    pub per_order: Option<u32>,
    /// Of pictures: whether the upstream runs an order as a task, where it can do either.
    #[serde(default)]
    pub is_task: Option<bool>,
    /// Of pictures and videos: credits for one of them; nothing where omitted.
    #[serde(default)]
    pub price: Option<Price>,
    /// Of Hugging Face: the Space that draws, as `owner/name` or a URL.
    #[serde(default)]
    pub space: Option<String>,
    /// Of Hugging Face: the name of the Space's endpoint.
    #[serde(default)]
    pub api_name: Option<String>,
    /// Of Hugging Face: the endpoint's arguments in their order, with `{prompt}` and the like.
    #[serde(default)]
    pub template: Option<Vec<Value>>,
    /// Of Hugging Face: the inference provider behind its router.
    #[serde(default)]
    pub via: Option<String>,
    /// What only its kind of upstream understands.
    #[serde(default)]
    pub options: Map<String, Value>,
}

impl ModelConfig {
    /// All that only its kind of upstream understands, by name.
    #[must_use]
    pub fn options(&self) -> Map<String, Value> {
        let text = |text: &Option<String>| text.clone().map(Value::String);
        let named = [
            ("space", text(&self.space)),
            ("api_name", text(&self.api_name)),
            ("template", self.template.clone().map(Value::Array)),
            ("via", text(&self.via)),
        ];
        let named = named
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        self.options.clone().into_iter().chain(named).collect()
    }
}
