//! Token counts in Anthropic's convention: what was read from the cache or written to it stands
//! beside `input_tokens`, not in it.

use serde::{Deserialize, Serialize};

use crate::usage::{Count, TRIES, USAGE, Usage};

/// `usage` as upstreams write it; what is missing or odd counts as not reported.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct Counts {
    input_tokens: Count,
    cache_creation_input_tokens: Count,
    cache_read_input_tokens: Count,
    output_tokens: Count,
    output_tokens_details: Option<Details>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Details {
    thinking_tokens: Count,
}

impl Counts {
    /// Takes over what a later report of the same stream says. Counts are cumulative; a 0 is taken for
    /// "not said here", since `message_delta` may leave out the input or give it as 0.
    pub(super) fn update(&mut self, later: Self) {
        let newer = |old: Count, new: Count| match new.0 {
            Some(0) | None => old.or(new),
            Some(_) => new,
        };
        *self = Self {
            input_tokens: newer(self.input_tokens, later.input_tokens),
            cache_creation_input_tokens: newer(
                self.cache_creation_input_tokens,
                later.cache_creation_input_tokens,
            ),
            cache_read_input_tokens: newer(
                self.cache_read_input_tokens,
                later.cache_read_input_tokens,
            ),
            output_tokens: newer(self.output_tokens, later.output_tokens),
            output_tokens_details: later.output_tokens_details.or(self.output_tokens_details),
        };
    }

    /// The counts that such a usage is read from.
    pub(super) fn of(usage: Usage) -> Self {
        let count = |count| Count(Some(count));
        let cache = usage.cached.saturating_add(usage.cache_write);
        let thinking_tokens = count(usage.reasoning);
        Self {
            input_tokens: count(usage.prompt.saturating_sub(cache)),
            cache_creation_input_tokens: count(usage.cache_write),
            cache_read_input_tokens: count(usage.cached),
            output_tokens: count(usage.completion),
            output_tokens_details: Some(Details { thinking_tokens }),
        }
    }

    /// The counts in our convention; `None` where nothing was reported.
    pub(super) fn usage(self) -> Option<Usage> {
        self.input_tokens.or(self.output_tokens).0?;
        let cached = self.cache_read_input_tokens.value();
        let cache_write = self.cache_creation_input_tokens.value();
        let details = self.output_tokens_details.unwrap_or_default();
        Some(Usage {
            prompt: [self.input_tokens.value(), cached, cache_write]
                .into_iter()
                .fold(0, u64::saturating_add),
            completion: self.output_tokens.value(),
            cached,
            reasoning: details.thinking_tokens.value(),
            cache_write,
        })
    }
}

/// `usage` as clients get it.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct WireUsage<'a> {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<WireDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct WireDetails {
    thinking_tokens: u64,
}

impl<'a> WireUsage<'a> {
    /// The SDKs want numbers, so what no one reported is 0.
    pub(super) fn new(usage: Option<Usage>, service_tier: Option<&'a str>) -> Self {
        let usage = usage.unwrap_or_default();
        let cache = usage.cached.saturating_add(usage.cache_write);
        let thinking_tokens = usage.reasoning;
        Self {
            input_tokens: usage.prompt.saturating_sub(cache),
            cache_creation_input_tokens: usage.cache_write,
            cache_read_input_tokens: usage.cached,
            output_tokens: usage.completion,
            output_tokens_details: (thinking_tokens > 0).then_some(WireDetails { thinking_tokens }),
            service_tier: service_tier.and_then(tier),
        }
    }
}

/// Anthropic's word for a service tier: its own or OpenAI's.
fn tier(said: &str) -> Option<&str> {
    match said {
        "default" => Some("standard"),
        "standard" | "priority" | "batch" => Some(said),
        _ => None,
    }
}

/// Reads the usage of an answer that was not streamed, from the whole body or from its last part
/// alone: the last `"usage"` that holds counts.
#[must_use]
pub fn usage_of_body(tail: &[u8]) -> Option<Usage> {
    USAGE.values_from_end(tail).take(TRIES).find_map(|value| {
        let mut json = serde_json::Deserializer::from_slice(value);
        Counts::deserialize(&mut json).ok()?.usage()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORTED: &str = r#"{"input_tokens":10,"cache_creation_input_tokens":20,"cache_read_input_tokens":30,"cache_creation":{"ephemeral_5m_input_tokens":20},"output_tokens":7,"output_tokens_details":{"thinking_tokens":3},"service_tier":"standard"}"#;
    const USAGE: Usage = Usage {
        prompt: 60,
        completion: 7,
        cached: 30,
        reasoning: 3,
        cache_write: 20,
    };

    #[test]
    fn the_cache_stands_beside_the_input_on_the_wire() {
        let counts: Counts = serde_json::from_str(REPORTED).unwrap();
        assert_eq!(counts.usage(), Some(USAGE));
        let written = serde_json::to_value(WireUsage::new(Some(USAGE), Some("default"))).unwrap();
        let expected = serde_json::json!({
            "input_tokens": 10, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 30,
            "output_tokens": 7, "output_tokens_details": {"thinking_tokens": 3}, "service_tier": "standard",
        });
        assert_eq!(written, expected);
        let odd = Usage {
            prompt: 5,
            cached: 9,
            ..Usage::default()
        };
        let written = serde_json::to_value(WireUsage::new(Some(odd), Some("flex"))).unwrap();
        assert_eq!(written["input_tokens"], 0);
        assert!(written.get("service_tier").is_none());
    }

    #[test]
    fn later_reports_win_unless_they_say_nothing() {
        let mut counts: Counts = serde_json::from_str(
            r#"{"input_tokens":0,"cache_read_input_tokens":4,"output_tokens":1}"#,
        )
        .unwrap();
        counts.update(serde_json::from_str(r#"{"output_tokens":9,"input_tokens":8}"#).unwrap());
        counts.update(
            serde_json::from_str(
                r#"{"output_tokens":12,"input_tokens":0,"cache_read_input_tokens":null}"#,
            )
            .unwrap(),
        );
        let usage = counts.usage().unwrap();
        assert_eq!((usage.prompt, usage.cached, usage.completion), (12, 4, 12));
        assert_eq!(Counts::default().usage(), None);
    }

    #[test]
    fn a_body_shows_its_own_usage_last() {
        let body = format!(
            r#"{{"content":[{{"type":"tool_use","input":{{"usage":{{"input_tokens":999}}}}}}],"usage":{REPORTED},"stop_sequence":"\"usage\":{{}}"}}"#
        );
        assert_eq!(usage_of_body(body.as_bytes()), Some(USAGE));
        let own = body.find(r#""usage":{"input_tokens":10"#).unwrap();
        assert_eq!(usage_of_body(&body.as_bytes()[own..]), Some(USAGE));
        assert_eq!(usage_of_body(b"{\"usage\":{}}"), None);
        assert_eq!(usage_of_body(b"{\"usage\":{\"input_tokens\":1"), None);
    }
}
