//! The content of a client's messages.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

use super::{
    fields::{Fields, invalid, missing, numbered},
    read_tools::read_cache,
};
use crate::{
    chat::{Document, Image, Losses, Part, PartBody, Source},
    openai::request_error::RequestError,
};

/// Whose content is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// The model is to read it: a part of an unknown type is refused, since the answer would not be
    /// the one that was asked for.
    Asked,
    /// The model has said it: such a part is passed over and noted.
    Said,
}

/// `content`: a text, a list of parts, or nothing.
pub(super) fn read_content(
    message: &mut Fields,
    reading: Reading,
    unread: &mut Losses,
) -> Result<Vec<Part>, RequestError> {
    let path = message.path_of("content");
    match message.take("content") {
        None => Ok(Vec::new()),
        Some(Value::String(text)) if text.is_empty() => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![Part::text(text)]),
        Some(Value::Array(list)) => {
            let mut parts = Vec::with_capacity(list.len());
            for (path, part) in numbered(list, &path) {
                parts.extend(read_part(Fields::of(part, path)?, reading, unread)?);
            }
            Ok(parts)
        }
        Some(_) => Err(invalid(path, "it must be a string or a list of parts")),
    }
}

fn read_part(
    mut part: Fields,
    reading: Reading,
    unread: &mut Losses,
) -> Result<Option<Part>, RequestError> {
    let kind = part.needed("type")?;
    let body = match kind.as_str() {
        // the names of `/v1/responses` are sent here too
        "text" | "input_text" | "output_text" => PartBody::Text(part.needed("text")?),
        "refusal" => PartBody::Refusal(part.needed("refusal")?),
        "image_url" => PartBody::Image(read_image(&mut part)?),
        "input_audio" => {
            let mut audio = part.needed_object("input_audio")?;
            PartBody::Audio {
                data: audio.needed("data")?,
                format: audio.needed("format")?,
            }
        }
        "file" => PartBody::Document(read_file(part.needed_object("file")?)?),
        _ if reading == Reading::Said => {
            unread.note(part.path());
            return Ok(None);
        }
        _ => {
            let expected = "it must be text, image_url, input_audio or file; others cannot be passed to this model's provider";
            return Err(invalid(part.path_of("type"), expected));
        }
    };
    let cache = read_cache(&mut part)?;
    part.leave(unread);
    Ok(Some(Part { body, cache }))
}

/// `{"url": …, "detail": …}`, or the URL alone.
fn read_image(part: &mut Fields) -> Result<Image, RequestError> {
    let path = part.path_of("image_url");
    let (url, detail) = match part.take("image_url") {
        None => return Err(missing(path)),
        Some(Value::String(url)) => (url, None),
        Some(object) => {
            let mut image = Fields::of(object, path)?;
            (image.needed("url")?, image.text("detail")?)
        }
    };
    let source = Source::from_url(&url);
    Ok(Image { source, detail })
}

fn read_file(mut file: Fields) -> Result<Document, RequestError> {
    let title = file.text("filename")?;
    let data = file.text("file_data")?;
    let id = file.text("file_id")?;
    let source = match (data, id) {
        (Some(data), _) => source_of(&data, title.as_deref()),
        (None, Some(id)) => Source::FileId(id),
        (None, None) => return Err(missing(file.path_of("file_data"))),
    };
    let context = None;
    Ok(Document {
        source,
        title,
        context,
    })
}

/// A data URL, a link, or bare base64 of what the file's name says. A text comes out as one.
fn source_of(data: &str, name: Option<&str>) -> Source {
    let source = match Source::from_url(data) {
        Source::Url(url) if !url.contains(':') => Source::Base64 {
            media_type: media_type_of(name).to_owned(),
            data: url,
        },
        source => source,
    };
    match text_of(&source) {
        Some(text) => Source::Text(text),
        None => source,
    }
}

fn media_type_of(name: Option<&str>) -> &'static str {
    let ending = name.and_then(|name| name.rsplit_once('.'));
    match ending
        .map(|(_, ending)| ending.to_ascii_lowercase())
        .as_deref()
    {
        Some("txt") => "text/plain",
        Some("md") => "text/markdown",
        _ => "application/pdf",
    }
}

fn text_of(source: &Source) -> Option<String> {
    match source {
        Source::Base64 { media_type, data } if media_type.starts_with("text/") => {
            String::from_utf8(BASE64_STANDARD.decode(data).ok()?).ok()
        }
        _ => None,
    }
}
