//! Token counts as upstreams report them.

use std::{fmt, sync::LazyLock};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::json::KeyFinder;

/// How many `"usage"` keys of a body are tried, from its end.
pub(crate) const TRIES: usize = 8;

pub(crate) static USAGE: LazyLock<KeyFinder> = LazyLock::new(|| KeyFinder::new("\"usage\""));

/// The tokens of one call. A part that the upstream did not report is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Everything that went in, `cached` and `cache_write` included.
    pub prompt: u64,
    /// Everything that came out, `reasoning` included.
    pub completion: u64,
    /// Of the prompt, what was read from the upstream's cache.
    pub cached: u64,
    /// Of the completion, what was thought and not said.
    pub reasoning: u64,
    /// Of the prompt, what was written to the upstream's cache.
    pub cache_write: u64,
}

impl Usage {
    /// Reads the usage of an answer that was not streamed, from the whole body or from its last
    /// part alone: the last `"usage"` that holds counts.
    #[must_use]
    pub fn from_openai_body(tail: &[u8]) -> Option<Self> {
        USAGE.values_from_end(tail).take(TRIES).find_map(|value| {
            let mut json = serde_json::Deserializer::from_slice(value);
            OpenAiUsage::deserialize(&mut json).ok()?.usage()
        })
    }
}

/// `usage` with the names of chat, embeddings, images and responses, and of the upstreams that put
/// cached tokens elsewhere.
#[derive(Deserialize)]
pub(crate) struct OpenAiUsage {
    #[serde(default)]
    prompt_tokens: Count,
    #[serde(default)]
    input_tokens: Count,
    #[serde(default)]
    completion_tokens: Count,
    #[serde(default)]
    output_tokens: Count,
    #[serde(default)]
    total_tokens: Count,
    #[serde(default)]
    prompt_tokens_details: Option<Details>,
    #[serde(default)]
    input_tokens_details: Option<Details>,
    #[serde(default)]
    completion_tokens_details: Option<Details>,
    #[serde(default)]
    output_tokens_details: Option<Details>,
    #[serde(default)]
    cached_tokens: Count,
    #[serde(default)]
    prompt_cache_hit_tokens: Count,
}

#[derive(Deserialize, Default)]
struct Details {
    #[serde(default)]
    cached_tokens: Count,
    #[serde(default)]
    cache_write_tokens: Count,
    #[serde(default)]
    reasoning_tokens: Count,
}

impl OpenAiUsage {
    /// The counts; `None` where the object has none.
    pub(crate) fn usage(self) -> Option<Usage> {
        let prompt = self.prompt_tokens.or(self.input_tokens);
        let completion = self.completion_tokens.or(self.output_tokens);
        prompt.or(completion).or(self.total_tokens).0?;
        let details = |a: Option<Details>, b: Option<Details>| a.or(b).unwrap_or_default();
        let input = details(self.prompt_tokens_details, self.input_tokens_details);
        let output = details(self.completion_tokens_details, self.output_tokens_details);
        let cached = input
            .cached_tokens
            .or(self.prompt_cache_hit_tokens)
            .or(self.cached_tokens);
        let usage = Usage {
            prompt: prompt.value(),
            completion: completion.value(),
            cached: cached.value(),
            reasoning: output.reasoning_tokens.value(),
            cache_write: input.cache_write_tokens.value(),
        };
        Some(usage.with_parts_in_sums(self.total_tokens))
    }
}

impl Usage {
    /// xAI counts reasoning beside the completion, and may count cached tokens beside the prompt:
    /// the first shows in its total, the second when more was cached than sent.
    fn with_parts_in_sums(mut self, total: Count) -> Self {
        let beside = [self.prompt, self.completion, self.reasoning]
            .into_iter()
            .fold(0, u64::saturating_add);
        if self.reasoning > 0 && total.0 == Some(beside) {
            self.completion = self.completion.saturating_add(self.reasoning);
        }
        if self.cached > self.prompt {
            self.prompt = self.prompt.saturating_add(self.cached);
        }
        self
    }
}

/// A count that takes whatever an upstream writes: anything but a number that is not negative is
/// "not reported".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) Option<u64>);

impl Count {
    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0))
    }

    pub(crate) fn value(self) -> u64 {
        self.0.unwrap_or(0)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor).map(Self)
    }
}

struct CountVisitor;

impl<'de> Visitor<'de> for CountVisitor {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a count")
    }

    fn visit_u64<E>(self, count: u64) -> Result<Self::Value, E> {
        Ok(Some(count))
    }

    fn visit_i64<E>(self, count: i64) -> Result<Self::Value, E> {
        Ok(u64::try_from(count).ok())
    }

    fn visit_f64<E>(self, count: f64) -> Result<Self::Value, E> {
        // a cast saturates, so nothing odd can come of a large one
        Ok((count >= 0.0).then_some(count as u64))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn usage(prompt: u64, completion: u64) -> Usage {
        Usage {
            prompt,
            completion,
            ..Usage::default()
        }
    }

    #[test]
    fn the_shapes_of_upstreams() {
        let cases = [
            // chat, with details
            (
                r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":3}}"#,
                Some(Usage {
                    cached: 4,
                    reasoning: 3,
                    cache_write: 2,
                    ..usage(10, 5)
                }),
            ),
            // embeddings
            (r#"{"prompt_tokens":8,"total_tokens":8}"#, Some(usage(8, 0))),
            // images and responses
            (
                r#"{"input_tokens":50,"output_tokens":4160,"total_tokens":4210,"input_tokens_details":{"text_tokens":50,"image_tokens":0}}"#,
                Some(usage(50, 4160)),
            ),
            // DeepSeek, Moonshot
            (
                r#"{"prompt_tokens":9,"completion_tokens":1,"prompt_cache_hit_tokens":7,"prompt_cache_miss_tokens":2}"#,
                Some(Usage {
                    cached: 7,
                    ..usage(9, 1)
                }),
            ),
            (
                r#"{"prompt_tokens":9,"completion_tokens":1,"cached_tokens":6}"#,
                Some(Usage {
                    cached: 6,
                    ..usage(9, 1)
                }),
            ),
            // xAI: reasoning beside the completion, cached beside the prompt
            (
                r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":115,"completion_tokens_details":{"reasoning_tokens":100}}"#,
                Some(Usage {
                    reasoning: 100,
                    ..usage(10, 105)
                }),
            ),
            (
                r#"{"prompt_tokens":3,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":128}}"#,
                Some(Usage {
                    cached: 128,
                    ..usage(131, 5)
                }),
            ),
            // odd but bearable
            (
                r#"{"prompt_tokens":12.0,"completion_tokens":null,"prompt_tokens_details":null,"x":{"y":[]}}"#,
                Some(usage(12, 0)),
            ),
            (
                r#"{"prompt_tokens":-1,"completion_tokens":{"n":[1]},"total_tokens":"9"}"#,
                None,
            ),
            ("{}", None),
            ("null", None),
            (
                r#"{"prompt_tokens":18446744073709551615,"prompt_tokens_details":{"cached_tokens":1}}"#,
                Some(Usage {
                    cached: 1,
                    ..usage(u64::MAX, 0)
                }),
            ),
        ];
        for (object, expected) in cases {
            let body = format!(r#"{{"choices":[],"usage": {object} ,"system_fingerprint":null}}"#);
            assert_eq!(
                Usage::from_openai_body(body.as_bytes()),
                expected,
                "{object}"
            );
        }
    }

    #[test]
    fn the_last_usage_with_counts_wins() {
        let body = br#"{"usage":{"prompt_tokens":1},"choices":[{"usage":null}],"x":{"usage":{}}}"#;
        assert_eq!(Usage::from_openai_body(body), Some(usage(1, 0)));
        assert_eq!(
            Usage::from_openai_body(b"{\"usage\":{\"prompt_tokens\":1"),
            None
        );
        assert_eq!(Usage::from_openai_body(b""), None);
    }

    #[test]
    fn a_hostile_body_is_given_up_soon() {
        let body = br#"{"usage":{"a":"#.repeat(20_000);
        assert_eq!(Usage::from_openai_body(&body), None);
    }

    fn answer(text: &str) -> serde_json::Value {
        json!({
            "id": "chatcmpl-1",
            "choices": [{"message": {"role": "assistant", "content": text, "tool_calls": [
                {"type": "function", "function": {"name": "f", "arguments": text}},
            ]}}],
        })
    }

    #[test]
    fn text_that_looks_like_usage_is_text() {
        let fake = r#"{"usage":{"prompt_tokens":999,"completion_tokens":999}}"#;
        for text in [
            fake,
            &fake.replace('"', "\\\""),
            &format!("\\{fake}"),
            "usage",
        ] {
            let body = answer(text).to_string();
            assert_eq!(Usage::from_openai_body(body.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_and_any_tail_give_the_real_usage(
            text in r#"("usage"|\\|"|:|\{|"prompt_tokens":9|\}|,|é| ){0,24}"#,
            cut in 0usize..400,
            pretty: bool,
        ) {
            let mut body = answer(&text);
            body["usage"] = json!({"prompt_tokens": 3, "completion_tokens": 4});
            let body = if pretty { serde_json::to_vec_pretty(&body) } else { serde_json::to_vec(&body) };
            let body = body.unwrap();
            let start = body.windows(7).rposition(|window| window == b"\"usage\"").unwrap();
            let tail = &body[cut.min(start)..];
            prop_assert_eq!(Usage::from_openai_body(tail), Some(usage(3, 4)));
        }
    }
}
