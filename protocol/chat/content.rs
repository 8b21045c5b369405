//! Messages and what they hold.

use super::{
    seal::Seal,
    tools::{ToolCall, ToolResult},
};

/// One turn, or a part of one: two of the same role in a row are allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub role: Role,
    pub parts: Vec<Part>,
}

/// Who speaks. Tool results stand in messages of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    User,
    Assistant,
    /// An instruction in mid-conversation; those before the first turn are the request's `system`.
    System,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub body: PartBody,
    /// A prompt-cache breakpoint behind it.
    pub cache: Option<Cache>,
}

/// What a part says.
#[derive(Debug, Clone, PartialEq)]
pub enum PartBody {
    Text(String),
    Image(Image),
    Document(Document),
    /// Sound, as OpenAI's `input_audio`: base64 and a format such as `wav`.
    Audio {
        data: String,
        format: String,
    },
    /// The assistant calls a tool.
    Call(ToolCall),
    /// What a tool gave.
    Result(ToolResult),
    /// The assistant thinks.
    Thinking(Thinking),
    /// The assistant declines.
    Refusal(String),
}

impl From<PartBody> for Part {
    fn from(body: PartBody) -> Self {
        Self { body, cache: None }
    }
}

impl Part {
    /// A text without a breakpoint.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        PartBody::Text(text.into()).into()
    }
}

/// `cache_control` of Anthropic, and of the OpenAI-compatible services that take it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cache {
    /// `5m` or `1h`; none = the upstream's default.
    pub ttl: Option<String>,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    pub source: Source,
    /// OpenAI's `low`, `high` or `auto`.
    pub detail: Option<String>,
}

/// A PDF or a text to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub source: Source,
    /// Its title or file name.
    pub title: Option<String>,
    /// Anthropic's remark on where it comes from.
    pub context: Option<String>,
}

/// Where a picture's or document's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Base64 {
        media_type: String,
        data: String,
    },
    Url(String),
    /// A file that was uploaded to the upstream before.
    FileId(String),
    /// Plain text, of documents only.
    Text(String),
}

impl Source {
    /// Reads a URL as OpenAI's clients send it: a `data:` URL in base64 or a link.
    #[must_use]
    pub fn from_url(url: &str) -> Self {
        let inline = url.strip_prefix("data:").and_then(|rest| {
            let (head, data) = rest.split_once(',')?;
            let media_type = head.strip_suffix(";base64")?;
            Some(Self::Base64 {
                media_type: media_type.to_owned(),
                data: data.to_owned(),
            })
        });
        inline.unwrap_or_else(|| Self::Url(url.to_owned()))
    }

    /// The same as one URL, where it can be said as one.
    #[must_use]
    pub fn to_url(&self) -> Option<String> {
        match self {
            Self::Base64 { media_type, data } => Some(format!("data:{media_type};base64,{data}")),
            Self::Url(url) => Some(url.clone()),
            Self::FileId(_) | Self::Text(_) => None,
        }
    }
}

/// The assistant's thoughts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thinking {
    /// Empty where the provider shows nothing of them (Anthropic's `redacted_thinking`, OpenAI's
    /// reasoning without a summary): then the seal is all there is.
    pub text: String,
    /// What the provider wants back with them.
    pub seal: Option<Seal>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_urls_are_taken_apart_and_put_together() {
        let source = Source::from_url("data:image/png;base64,AAAA");
        let expected = Source::Base64 {
            media_type: "image/png".to_owned(),
            data: "AAAA".to_owned(),
        };
        assert_eq!(source, expected);
        assert_eq!(
            source.to_url().as_deref(),
            Some("data:image/png;base64,AAAA")
        );
        for link in ["https://x/y,z", "data:text/plain,hi", "data:nothing"] {
            assert_eq!(Source::from_url(link), Source::Url(link.to_owned()));
        }
    }
}
