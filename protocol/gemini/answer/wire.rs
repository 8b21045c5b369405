//! The answer's shapes, borrowed from the bytes where that can be.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    chat::Stop,
    usage::{Count, Usage},
};

/// `GenerateContentResponse`: a whole answer, or a piece of a stream.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gemini) struct Response<'a> {
    #[serde(borrow, default)]
    pub(in crate::gemini) candidates: Option<Vec<Candidate<'a>>>,
    #[serde(default)]
    pub(in crate::gemini) prompt_feedback: Option<Feedback>,
    #[serde(default)]
    pub(in crate::gemini) usage_metadata: Option<Counts>,
    #[serde(borrow, default)]
    pub(in crate::gemini) model_version: Option<Text<'a>>,
    #[serde(default)]
    pub(in crate::gemini) error: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gemini) struct Candidate<'a> {
    #[serde(borrow, default)]
    pub(in crate::gemini) content: Option<Content<'a>>,
    #[serde(borrow, default)]
    pub(in crate::gemini) finish_reason: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(in crate::gemini) struct Content<'a> {
    #[serde(borrow, default)]
    pub(in crate::gemini) parts: Option<Vec<Part<'a>>>,
}

/// One of text, thought and call; what else there is cannot be said in chat and is passed over.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gemini) struct Part<'a> {
    #[serde(borrow, default)]
    pub(in crate::gemini) text: Option<Text<'a>>,
    #[serde(default)]
    pub(in crate::gemini) thought: Option<bool>,
    #[serde(default)]
    pub(in crate::gemini) thought_signature: Option<String>,
    #[serde(borrow, default)]
    pub(in crate::gemini) function_call: Option<Call<'a>>,
}

#[derive(Debug, Deserialize)]
pub(in crate::gemini) struct Call<'a> {
    #[serde(borrow, default)]
    pub(in crate::gemini) id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(in crate::gemini) name: Option<Text<'a>>,
    #[serde(default)]
    pub(in crate::gemini) args: Option<Map<String, Value>>,
}

/// Why nothing is answered at all.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gemini) struct Feedback {
    #[serde(default)]
    pub(in crate::gemini) block_reason: Option<String>,
}

/// `usageMetadata`. The prompt's count includes what was cached, the candidates' leaves the thoughts out.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::gemini) struct Counts {
    #[serde(default)]
    prompt_token_count: Count,
    #[serde(default)]
    cached_content_token_count: Count,
    #[serde(default)]
    candidates_token_count: Count,
    #[serde(default)]
    thoughts_token_count: Count,
    /// What the results of hosted tools added to the prompt.
    #[serde(default)]
    tool_use_prompt_token_count: Count,
}

/// A text without escapes is borrowed, also inside an option.
#[derive(Debug, Deserialize)]
pub(in crate::gemini) struct Text<'a>(#[serde(borrow)] pub(in crate::gemini) Cow<'a, str>);

impl Counts {
    pub(in crate::gemini) fn usage(&self) -> Usage {
        let sum = |a: Count, b: Count| a.value().saturating_add(b.value());
        Usage {
            prompt: sum(self.prompt_token_count, self.tool_use_prompt_token_count),
            completion: sum(self.candidates_token_count, self.thoughts_token_count),
            cached: self.cached_content_token_count.value(),
            reasoning: self.thoughts_token_count.value(),
            cache_write: 0,
        }
    }
}

/// How a candidate ended: well, or in a way that is the upstream's failure.
pub(in crate::gemini) fn stop_of(reason: &str) -> Result<Stop, String> {
    Ok(match reason {
        "MAX_TOKENS" => Stop::MaxTokens,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "IMAGE_OTHER"
        | "NO_IMAGE" => Stop::Refusal,
        "MALFORMED_FUNCTION_CALL"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE"
        | "MALFORMED_RESPONSE" => return Err(format!("the model stopped with {reason}")),
        _ => Stop::End,
    })
}
