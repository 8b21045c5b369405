//! Content blocks as they are written, in requests and in answers.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    chat::{Cache, Seal, Thinking},
    dialect::Dialect,
};

/// A message of a request.
#[derive(Debug, Serialize)]
pub(super) struct Turn<'a> {
    pub(super) role: &'static str,
    pub(super) content: Content<'a>,
}

/// Content of a message, of `system` or of a tool result: one plain text is written as a string.
#[derive(Debug)]
pub(super) struct Content<'a>(pub(super) Vec<Block<'a>>);

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl<'a>>,
    },
    Image {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl<'a>>,
    },
    Document {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl<'a>>,
    },
    Thinking {
        thinking: &'a str,
        signature: String,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: String,
        name: String,
        input: Map<String, Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl<'a>>,
    },
    ToolResult {
        tool_use_id: String,
        #[serde(skip_serializing_if = "Content::is_empty")]
        content: Content<'a>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl<'a>>,
    },
}

/// Where the bytes of an image or a document are.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Source<'a> {
    Base64 {
        media_type: &'a str,
        data: &'a str,
    },
    Url {
        url: &'a str,
    },
    File {
        file_id: &'a str,
    },
    Text {
        media_type: &'static str,
        data: String,
    },
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct CacheControl<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'a str>,
}

impl<'a> CacheControl<'a> {
    pub(super) fn of(cache: Option<&'a Cache>) -> Option<Self> {
        cache.map(|cache| Self {
            r#type: "ephemeral",
            ttl: cache.ttl.as_deref(),
        })
    }
}

impl Content<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Content<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [
                Block::Text {
                    text,
                    cache_control: None,
                },
            ] => serializer.serialize_str(text),
            blocks => blocks.serialize(serializer),
        }
    }
}

impl<'a> Block<'a> {
    /// A text; none where it says nothing, since Anthropic refuses blocks without a visible character.
    pub(super) fn text(text: &'a str, cache: Option<&'a Cache>) -> Option<Self> {
        let cache_control = CacheControl::of(cache);
        (!text.trim().is_empty()).then_some(Self::Text {
            text,
            cache_control,
        })
    }

    /// Thoughts, with their seal as the signature: another provider's carries its name.
    pub(super) fn thoughts(thinking: &'a Thinking) -> Self {
        match &thinking.seal {
            Some(seal) if is_redacted(seal) => Self::RedactedThinking { data: &seal.data },
            seal => Self::Thinking {
                thinking: &thinking.text,
                signature: signature(seal.as_ref()),
            },
        }
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Text { .. })
    }

    pub(super) fn is_thinking(&self) -> bool {
        matches!(self, Self::Thinking { .. } | Self::RedactedThinking { .. })
    }

    pub(super) fn is_result(&self) -> bool {
        matches!(self, Self::ToolResult { .. })
    }
}

/// Clients know a thinking block by its `signature` being there, so that unsigned ones have an empty one.
pub(super) fn signature(seal: Option<&Seal>) -> String {
    seal.map_or_else(String::new, |seal| seal.write(Dialect::Anthropic))
}

/// The mark, in a seal's `id`, of a `redacted_thinking` block: a signed block may be without text too.
const REDACTED: &str = "redacted";

pub(super) fn is_redacted(seal: &Seal) -> bool {
    seal.by == Dialect::Anthropic && seal.id.as_deref() == Some(REDACTED)
}

/// The seal of a `thinking` block; none where it is not signed.
pub(super) fn signed(signature: &str) -> Option<Seal> {
    (!signature.is_empty()).then(|| Seal::read(signature, Dialect::Anthropic))
}

/// What a `redacted_thinking` block is to us.
pub(super) fn redacted(data: &str) -> Thinking {
    let mut seal = Seal::read(data, Dialect::Anthropic);
    if seal.by == Dialect::Anthropic {
        seal.id = Some(REDACTED.to_owned());
    }
    Thinking {
        text: String::new(),
        seal: Some(seal),
    }
}
