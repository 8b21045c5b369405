//! What an upstream says: a message of an answer, or a delta of a stream. They have the same fields.
//!
//! Upstreams are taken as they are: a text may be `null` or something else altogether, which is none.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{
    chat::{Seal, Thinking},
    dialect::Dialect,
};

/// See the module's head.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Said<'a> {
    #[serde(borrow, default)]
    pub(super) content: Content<'a>,
    #[serde(borrow, default)]
    pub(super) reasoning_content: Text<'a>,
    #[serde(borrow, default)]
    pub(super) reasoning: Text<'a>,
    #[serde(borrow, default)]
    pub(super) reasoning_details: Option<Vec<Detail<'a>>>,
    #[serde(borrow, default)]
    pub(super) refusal: Text<'a>,
    #[serde(borrow, default)]
    pub(super) tool_calls: Option<Vec<CallSaid<'a>>>,
    #[serde(borrow, default)]
    pub(super) function_call: Option<FunctionSaid<'a>>,
}

impl Said<'_> {
    /// The thoughts as plain text, where they are told so.
    pub(super) fn plain_thoughts(&self) -> &str {
        match self.reasoning_content.as_str() {
            "" => self.reasoning.as_str(),
            text => text,
        }
    }

    pub(super) fn details(&self) -> &[Detail<'_>] {
        self.reasoning_details.as_deref().unwrap_or_default()
    }
}

/// A text, or a list of parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    Text(Text<'a>),
    Parts(Vec<ContentPart<'a>>),
}

impl Default for Content<'_> {
    fn default() -> Self {
        Self::Text(Text::default())
    }
}

/// A part: `text`, or Mistral's `thinking`, which is a list of texts in its turn.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct ContentPart<'a> {
    #[serde(borrow, default)]
    pub(super) text: Text<'a>,
    #[serde(borrow, default)]
    pub(super) thinking: Content<'a>,
}

impl Content<'_> {
    /// All of it as one text.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.as_str().to_owned(),
            Self::Parts(parts) => parts.iter().map(|part| part.text.as_str()).collect(),
        }
    }
}

/// OpenRouter's piece of a thought.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Detail<'a> {
    #[serde(borrow, default)]
    r#type: Text<'a>,
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    text: Text<'a>,
    #[serde(borrow, default)]
    summary: Text<'a>,
    #[serde(borrow, default)]
    signature: Text<'a>,
    #[serde(borrow, default)]
    data: Text<'a>,
}

impl Detail<'_> {
    /// What can be read of it.
    pub(super) fn text(&self) -> &str {
        match self.text.as_str() {
            "" => self.summary.as_str(),
            text => text,
        }
    }

    /// Whether it is a thought of its own, of which nothing is shown.
    pub(super) fn is_encrypted(&self) -> bool {
        self.r#type.as_str() == "reasoning.encrypted"
    }

    pub(super) fn seal(&self) -> Option<Seal> {
        let text = match self.is_encrypted() {
            true => self.data.as_str(),
            false => self.signature.as_str(),
        };
        if text.is_empty() {
            return None;
        }
        let mut seal = Seal::read(text, Dialect::OpenaiChat);
        let id = self.id.as_str();
        if seal.by == Dialect::OpenaiChat && !id.is_empty() {
            seal.id = Some(id.to_owned());
        }
        Some(seal)
    }
}

/// A call or a fragment of one.
#[derive(Debug, Default, Deserialize)]
pub(super) struct CallSaid<'a> {
    #[serde(default)]
    pub(super) index: Option<u64>,
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) function: Option<FunctionSaid<'a>>,
    #[serde(borrow, default)]
    pub(super) custom: Option<FunctionSaid<'a>>,
    #[serde(borrow, default)]
    extra_content: Option<Extra<'a>>,
}

/// `function`, or `custom` with its `input`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct FunctionSaid<'a> {
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default, alias = "input")]
    pub(super) arguments: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
struct Extra<'a> {
    #[serde(borrow, default)]
    google: Option<Google<'a>>,
}

#[derive(Debug, Default, Deserialize)]
struct Google<'a> {
    #[serde(borrow, default)]
    thought_signature: Text<'a>,
}

impl CallSaid<'_> {
    /// Google's signature.
    pub(super) fn seal(&self) -> Option<Seal> {
        let google = self.extra_content.as_ref()?.google.as_ref()?;
        let text = google.thought_signature.as_str();
        (!text.is_empty()).then(|| Seal::read(text, Dialect::Gemini))
    }
}

/// The thoughts of a whole message, told plainly, in detail, or both.
pub(super) fn thoughts(plain: &str, details: &[Detail<'_>]) -> Vec<Thinking> {
    let mut thoughts: Vec<Thinking> = Vec::new();
    let mut open = false;
    for detail in details {
        let goes_on = open && !detail.is_encrypted();
        match thoughts.last_mut() {
            Some(last) if goes_on => {
                last.text.push_str(detail.text());
                last.seal = detail.seal();
            }
            _ => thoughts.push(Thinking {
                text: detail.text().to_owned(),
                seal: detail.seal(),
            }),
        }
        open = thoughts.last().is_some_and(|last| last.seal.is_none());
    }
    thoughts.retain(|thought| !thought.text.is_empty() || thought.seal.is_some());
    let told = thoughts.iter().any(|thought| !thought.text.is_empty());
    if !told && !plain.is_empty() {
        add_plain(plain, details, &mut thoughts);
    }
    thoughts
}

/// The plain text is what the only signature signs; of several nobody knows which signs what.
fn add_plain(plain: &str, details: &[Detail<'_>], thoughts: &mut Vec<Thinking>) {
    let signs = |detail: &&Detail<'_>| !detail.is_encrypted() && detail.seal().is_some();
    let seal = match details.iter().filter(signs).collect::<Vec<_>>()[..] {
        [only] => only.seal(),
        _ => None,
    };
    if seal.is_some() {
        thoughts.retain(|thought| thought.seal != seal);
    }
    let text = plain.to_owned();
    thoughts.insert(0, Thinking { text, seal });
}

/// A text that borrows from what is read; empty where there is none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// None where it is empty.
    pub(super) fn into_option(self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.into_owned())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(ContentVisitor)? {
            Content::Text(text) => Ok(text),
            Content::Parts(_) => Ok(Self::default()),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Content::Text(Text(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Content::Text(Text(Cow::Owned(text.to_owned()))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = seq.next_element()? {
            parts.push(part);
        }
        Ok(Content::Parts(parts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Content::default())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Content::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Content::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Content::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Content::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Content::default())
    }
}
