//! Calls as a client of this dialect sees them.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    chat::{Reply, Seal, tools::CUSTOM_INPUT},
    dialect::Dialect,
};

/// A call as it is written: whole, or the first piece of it.
#[derive(Serialize)]
pub(super) struct CallBody<'a> {
    /// Only in streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) r#type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function: Option<FunctionBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<CustomBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<ExtraBody>,
}

#[derive(Serialize)]
pub(super) struct FunctionBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    arguments: Cow<'a, str>,
}

#[derive(Serialize)]
pub(super) struct CustomBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    input: Cow<'a, str>,
}

/// Google's signature; that of another maker carries its name.
#[derive(Serialize)]
pub(super) struct ExtraBody {
    google: GoogleBody,
}

#[derive(Serialize)]
struct GoogleBody {
    thought_signature: String,
}

impl ExtraBody {
    pub(super) fn of(seal: &Seal) -> Self {
        let thought_signature = seal.write(Dialect::Gemini);
        Self {
            google: GoogleBody { thought_signature },
        }
    }
}

impl<'a> CallBody<'a> {
    /// A call with its id, type and name.
    pub(super) fn named(
        id: &'a str,
        name: impl Into<Cow<'a, str>>,
        custom: bool,
        input: impl Into<Cow<'a, str>>,
    ) -> Self {
        let kind = if custom { "custom" } else { "function" };
        Self {
            id: Some(id),
            r#type: Some(kind),
            ..Self::with(Some(name.into()), custom, input.into())
        }
    }

    /// More of a call's input.
    pub(super) fn more(index: usize, custom: bool, input: &'a str) -> Self {
        Self {
            index: Some(index),
            ..Self::with(None, custom, input.into())
        }
    }

    fn with(name: Option<Cow<'a, str>>, custom: bool, input: Cow<'a, str>) -> Self {
        let mut body = Self {
            index: None,
            id: None,
            r#type: None,
            function: None,
            custom: None,
            extra_content: None,
        };
        if custom {
            body.custom = Some(CustomBody { name, input });
        } else {
            let arguments = input;
            body.function = Some(FunctionBody { name, arguments });
        }
        body
    }
}

/// A call's id: the upstream's, or one made of the answer's and its place.
pub(super) fn call_id<'a>(id: &'a str, reply: &Reply, at: usize) -> Cow<'a, str> {
    if !id.is_empty() {
        return id.into();
    }
    let answer = reply.id.strip_prefix("chatcmpl-").unwrap_or(&reply.id);
    format!("call_{answer}_{at}").into()
}

/// The free text of a custom tool's call that came as a function's arguments.
pub(super) fn unwrap_custom(arguments: &str) -> String {
    let object: Option<Map<String, Value>> = serde_json::from_str(arguments).ok();
    match object.and_then(|mut fields| fields.shift_remove(CUSTOM_INPUT)) {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => arguments.to_owned(),
    }
}

/// A function's arguments; none at all are an empty object.
pub(super) fn arguments(input: &str) -> &str {
    match input.trim() {
        "" => "{}",
        _ => input,
    }
}

/// A thought's seal, as OpenRouter's clients send it back.
#[derive(Serialize)]
pub(super) struct DetailBody<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    index: usize,
}

impl<'a> DetailBody<'a> {
    /// What signs a thought that can be read, or is one that cannot. `text` is left out of streams,
    /// where it has gone ahead.
    pub(super) fn of(seal: &'a Seal, text: Option<&'a str>, readable: bool, index: usize) -> Self {
        let own = seal.by == Dialect::OpenaiChat;
        let data = seal.write(Dialect::OpenaiChat);
        let (signature, data) = match readable {
            true => (Some(data), None),
            false => (None, Some(data)),
        };
        Self {
            r#type: match readable {
                true => "reasoning.text",
                false => "reasoning.encrypted",
            },
            // a stranger's id is in the text
            id: seal.id.as_deref().filter(|_| own),
            text,
            signature,
            data,
            index,
        }
    }
}
