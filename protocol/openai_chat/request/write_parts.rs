//! What a user or a tool says, for an upstream.

use std::borrow::Cow;

use serde::Serialize;

use super::write::Writing;
use crate::{
    chat::{ConvertError, Document, Image, Part, PartBody, Source},
    dialect::Dialect,
};

/// A plain text wherever there is nothing else: not all upstreams take parts.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum WireContent<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<WirePart<'a>>),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum WirePart<'a> {
    Text { text: Cow<'a, str> },
    ImageUrl { image_url: WireImage<'a> },
    InputAudio { input_audio: WireAudio<'a> },
    File { file: WireFile<'a> },
}

#[derive(Debug, Serialize)]
pub(super) struct WireImage<'a> {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct WireAudio<'a> {
    data: &'a str,
    format: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct WireFile<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_data: Option<String>,
}

/// A part; nothing where it is an empty text, or is written elsewhere.
pub(super) fn write_part<'a>(
    part: &'a Part,
    writing: &mut Writing<'_>,
) -> Result<Option<WirePart<'a>>, ConvertError> {
    writing.losses.note_if(part.cache.as_ref(), "cache_control");
    Ok(match &part.body {
        PartBody::Text(text) | PartBody::Refusal(text) if text.is_empty() => None,
        PartBody::Text(text) | PartBody::Refusal(text) => Some(WirePart::Text {
            text: Cow::Borrowed(text),
        }),
        PartBody::Image(image) => Some(write_image(image, writing)?),
        PartBody::Document(document) => Some(write_document(document, writing)?),
        PartBody::Audio { data, format } => Some(WirePart::InputAudio {
            input_audio: WireAudio { data, format },
        }),
        PartBody::Call(_) | PartBody::Result(_) | PartBody::Thinking(_) => None,
    })
}

fn write_image<'a>(image: &'a Image, writing: &Writing<'_>) -> Result<WirePart<'a>, ConvertError> {
    let url = image.source.to_url().ok_or_else(|| {
        let reason = "it takes pictures as base64 or as a URL, not by the id of a file";
        ConvertError::new(writing.messages_name(), reason)
    })?;
    let detail = image.detail.as_deref();
    let image_url = WireImage { url, detail };
    Ok(WirePart::ImageUrl { image_url })
}

fn write_document<'a>(
    document: &'a Document,
    writing: &mut Writing<'_>,
) -> Result<WirePart<'a>, ConvertError> {
    let title = document.title.as_deref();
    let context = document.context.as_deref();
    let mut file = WireFile {
        file_id: None,
        filename: None,
        file_data: None,
    };
    match &document.source {
        Source::Text(text) => {
            let texts = [title, context, Some(text)].into_iter().flatten();
            let text = texts.collect::<Vec<_>>().join("\n\n").into();
            return Ok(WirePart::Text { text });
        }
        // files are OpenAI's, so only its own clients can mean one
        Source::FileId(id) if is_openai(writing.request.dialect) => file.file_id = Some(id),
        Source::FileId(_) | Source::Url(_) => {
            let reason = "it takes documents as base64 only";
            return Err(ConvertError::new(writing.messages_name(), reason));
        }
        source @ Source::Base64 { .. } => {
            file.filename = Some(title.unwrap_or("document.pdf"));
            file.file_data = source.to_url();
        }
    }
    writing.losses.note_if(context.as_ref(), "context");
    Ok(WirePart::File { file })
}

fn is_openai(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::OpenaiChat | Dialect::OpenaiResponses)
}

/// Texts alone become one.
pub(super) fn content_of(parts: Vec<WirePart<'_>>) -> WireContent<'_> {
    let mut texts = Vec::with_capacity(parts.len());
    for part in &parts {
        match part {
            WirePart::Text { text } => texts.push(text.as_ref()),
            _ => return WireContent::Parts(parts),
        }
    }
    WireContent::Text(texts.join("\n\n").into())
}
