//! The few fields of a request that the gateway reads, and their change in place.
//!
//! The body goes upstream as the client wrote it, byte for byte, but for the model's name and the
//! request for usage. Parsing allocates once (the model), a rewrite once (the new body); where
//! nothing changes, nothing is copied.

use std::{ops::Range, str};

use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::request_error::{RequestError, check_object, missing};
use crate::json;

/// The longest accepted model name, in characters.
pub const MAX_MODEL_CHARS: usize = 256;

/// The head of a chat, embeddings or images request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// The model as the client named it, or the default.
    pub model: String,
    /// Whether the client wants a stream.
    pub stream: bool,
    /// Where the model's name goes.
    model_place: Place,
    /// How to make the stream report usage; `None` where it is no stream or the client asked itself.
    usage_edit: Option<Edit>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Over the client's value.
    Value(Range<usize>),
    /// As a first field of an object that has others or not.
    FirstField { at: usize, alone: bool },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit {
    at: Range<usize>,
    text: &'static str,
}

impl RequestHead {
    /// Reads the head of `body`, in one pass. Other fields are skipped unread.
    ///
    /// # Errors
    /// Where the body is not a JSON object in UTF-8, or one of the fields is not as it should be.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        Self::parse_with_default_model(body, None)
    }

    /// The same for routes on which `model` may be left out.
    ///
    /// # Errors
    /// As [`Self::parse`]; a missing model is one only without a default.
    pub fn parse_with_default_model(
        body: &[u8],
        default: Option<&str>,
    ) -> Result<Self, RequestError> {
        let open = check_object(body)?;
        let text = str::from_utf8(body).map_err(|error| RequestError::InvalidJson {
            reason: format!("byte {} is not UTF-8", error.valid_up_to()),
        })?;
        let fields: Fields<'_> =
            serde_json::from_str(text).map_err(|error| fields_error(&error))?;
        let stream = optional_bool(fields.stream, "stream")?.unwrap_or(false);
        let (model, model_place) = match (fields.model, default) {
            (Some(raw), _) => (model_name(raw)?, Place::Value(span(body, raw))),
            (None, Some(default)) => (default.to_owned(), first_field(body, open)),
            (None, None) => return Err(missing("model")),
        };
        Ok(Self {
            model,
            stream,
            model_place,
            usage_edit: usage_edit(body, open, fields.stream_options)?.filter(|_| stream),
        })
    }

    /// Whether the client itself asked for usage at the end of the stream.
    #[must_use]
    pub fn wants_usage(&self) -> bool {
        self.stream && self.usage_edit.is_none()
    }

    /// The body to send upstream, and whether usage was asked for on top of what the client asked.
    ///
    /// `body` must be the one that was parsed. It comes back as it is where nothing changes.
    #[must_use]
    pub fn rewrite(&self, body: &Bytes, upstream_model: &str, ask_usage: bool) -> (Bytes, bool) {
        let inserted = matches!(self.model_place, Place::FirstField { .. });
        let model = (inserted || self.model != upstream_model).then_some(upstream_model);
        let usage = self.usage_edit.as_ref().filter(|_| ask_usage);
        if model.is_none() && usage.is_none() {
            return (body.clone(), false);
        }
        let added = upstream_model.len() + usage.map_or(0, |edit| edit.text.len()) + 16;
        let mut out = Vec::with_capacity(body.len() + added);
        let model_at = self.model_place.range();
        let usage_first = usage.filter(|edit| edit.at.start < model_at.start);
        let usage_last = usage.filter(|edit| edit.at.start >= model_at.start);
        let mut from = 0;
        if let Some(edit) = usage_first {
            from = edit.apply(body, from, &mut out);
        }
        if let Some(model) = model {
            out.extend_from_slice(&body[from..model_at.start]);
            self.model_place.write(model, &mut out);
            from = model_at.end;
        }
        if let Some(edit) = usage_last {
            from = edit.apply(body, from, &mut out);
        }
        out.extend_from_slice(&body[from..]);
        (out.into(), usage.is_some())
    }
}

impl Place {
    fn range(&self) -> Range<usize> {
        match self {
            Self::Value(range) => range.clone(),
            Self::FirstField { at, .. } => *at..*at,
        }
    }

    fn write(&self, model: &str, out: &mut Vec<u8>) {
        match self {
            Self::Value(_) => json::append(out, model),
            Self::FirstField { alone, .. } => {
                out.extend_from_slice(b"\"model\":");
                json::append(out, model);
                out.extend_from_slice(if *alone { b"" } else { b"," });
            }
        }
    }
}

impl Edit {
    /// Copies `body` up to the edit and writes it; returns where to go on.
    fn apply(&self, body: &[u8], from: usize, out: &mut Vec<u8>) -> usize {
        out.extend_from_slice(&body[from..self.at.start]);
        out.extend_from_slice(self.text.as_bytes());
        self.at.end
    }
}

/// The fields as they stand in the body; `null` counts as there.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default, deserialize_with = "raw")]
    model: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "raw")]
    stream: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "raw")]
    stream_options: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct StreamOptions<'a> {
    #[serde(borrow, default, deserialize_with = "raw")]
    include_usage: Option<&'a RawValue>,
}

fn raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Raw fields fit any JSON, so what is not a syntax error is a field given twice.
fn fields_error(error: &serde_json::Error) -> RequestError {
    let text = error.to_string();
    let known = ["model", "stream", "stream_options", "include_usage"];
    let twice = |name: &&&str| text.starts_with(&format!("duplicate field `{name}`"));
    match known.iter().find(twice) {
        Some(name) => RequestError::Duplicate {
            param: (*name).into(),
        },
        None => RequestError::from_json(error),
    }
}

fn model_name(raw: &RawValue) -> Result<String, RequestError> {
    let invalid = |expected| RequestError::invalid("model", expected);
    let name: Option<String> =
        serde_json::from_str(raw.get()).map_err(|_| invalid("it must be a string"))?;
    match name {
        None => Err(missing("model")),
        Some(name) if name.trim().is_empty() => Err(missing("model")),
        Some(name) if name.chars().count() > MAX_MODEL_CHARS => {
            Err(invalid("it must have at most 256 characters"))
        }
        Some(name) if name.chars().any(char::is_control) => {
            Err(invalid("it must not have control characters"))
        }
        Some(name) => Ok(name),
    }
}

fn optional_bool(
    raw: Option<&RawValue>,
    param: &'static str,
) -> Result<Option<bool>, RequestError> {
    match raw.map(RawValue::get) {
        None | Some("null") => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(RequestError::invalid(param, "it must be true or false")),
    }
}

/// What turns `stream_options` into one with `include_usage`; `None` where it is there.
fn usage_edit(
    body: &[u8],
    open: usize,
    options: Option<&RawValue>,
) -> Result<Option<Edit>, RequestError> {
    let Some(raw) = options else {
        let at = open + 1..open + 1;
        // a stream's body has `stream` at least, so the comma is due
        let text = r#""stream_options":{"include_usage":true},"#;
        return Ok(Some(Edit { at, text }));
    };
    let place = span(body, raw);
    if raw.get() == "null" {
        let text = r#"{"include_usage":true}"#;
        return Ok(Some(Edit { at: place, text }));
    }
    if !raw.get().starts_with('{') {
        return Err(RequestError::invalid(
            "stream_options",
            "it must be an object",
        ));
    }
    let options: StreamOptions<'_> =
        serde_json::from_str(raw.get()).map_err(|error| fields_error(&error))?;
    let text = match (options.include_usage, first_field(body, place.start)) {
        (Some(include), _) => {
            let asked = optional_bool(Some(include), "stream_options.include_usage")?;
            let (at, text) = (span(body, include), "true");
            return Ok((asked != Some(true)).then_some(Edit { at, text }));
        }
        (None, Place::FirstField { alone: true, .. }) => r#""include_usage":true"#,
        (None, _) => r#""include_usage":true,"#,
    };
    let at = place.start + 1..place.start + 1;
    Ok(Some(Edit { at, text }))
}

/// The place behind the brace at `open`.
fn first_field(body: &[u8], open: usize) -> Place {
    Place::FirstField {
        at: open + 1,
        alone: body[open + 1..].trim_ascii_start().starts_with(b"}"),
    }
}

/// Where a value that was borrowed from `body` stands in it.
fn span(body: &[u8], raw: &RawValue) -> Range<usize> {
    let start = raw.get().as_ptr() as usize - body.as_ptr() as usize;
    start..start + raw.get().len()
}

#[cfg(test)]
mod tests;
