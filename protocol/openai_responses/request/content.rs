//! The parts of messages and results.

use serde_json::Value;

use super::fields::{Fields, with_paths};
use crate::{
    chat::{Document, Image, Losses, Part, PartBody, Source},
    openai::request_error::RequestError,
};

type Read<T> = Result<T, RequestError>;

/// A string or a list of parts. Empty texts are left out.
pub(super) fn read(fields: &mut Fields, name: &str, unread: &mut Losses) -> Read<Vec<Part>> {
    let items = match fields.take(name) {
        None => return Ok(Vec::new()),
        Some(Value::String(text)) => return Ok(text_part(text).into_iter().collect()),
        Some(Value::Array(items)) => with_paths(items, &fields.path(name)),
        Some(_) => return Err(fields.invalid(name, "a string or a list of parts")),
    };
    let mut parts = Vec::with_capacity(items.len());
    for (item, path) in items {
        parts.extend(read_part(Fields::of(item, path)?, unread)?);
    }
    Ok(parts)
}

/// A list of parts that have nothing but a text: a summary.
pub(super) fn read_texts(fields: &mut Fields, name: &str) -> Read<Vec<String>> {
    let mut texts = Vec::new();
    for (item, path) in fields.list(name)? {
        texts.extend(Fields::of(item, path)?.text("text")?);
    }
    texts.retain(|text| !text.is_empty());
    Ok(texts)
}

fn text_part(text: String) -> Option<Part> {
    (!text.is_empty()).then(|| Part::text(text))
}

fn read_part(mut fields: Fields, unread: &mut Losses) -> Read<Option<Part>> {
    let kind = fields.required_text("type")?;
    let part = match kind.as_str() {
        "input_text" | "output_text" | "text" => {
            // what an upstream once remarked on its own text
            fields.ignore(&["annotations", "logprobs"]);
            text_part(fields.required_text("text")?)
        }
        "refusal" => Some(PartBody::Refusal(fields.required_text("refusal")?).into()),
        "input_image" => Some(PartBody::Image(read_image(&mut fields)?).into()),
        "input_file" => Some(PartBody::Document(read_file(&mut fields)?).into()),
        "input_audio" => Some(read_audio(&mut fields)?.into()),
        _ => {
            unread.note(fields.place());
            return Ok(None);
        }
    };
    fields.note_rest(unread);
    Ok(part)
}

fn read_image(fields: &mut Fields) -> Read<Image> {
    let url = fields.text("image_url")?;
    let source = match (url, fields.text("file_id")?) {
        (Some(url), _) => Source::from_url(&url),
        (None, Some(id)) => Source::FileId(id),
        (None, None) => return Err(fields.missing("image_url")),
    };
    Ok(Image {
        source,
        detail: fields.text("detail")?,
    })
}

fn read_file(fields: &mut Fields) -> Read<Document> {
    fields.ignore(&["detail"]);
    let (data, url) = (fields.text("file_data")?, fields.text("file_url")?);
    let source = match (data, url, fields.text("file_id")?) {
        (Some(data), _, _) => file_data(data),
        (None, Some(url), _) => Source::Url(url),
        (None, None, Some(id)) => Source::FileId(id),
        (None, None, None) => return Err(fields.missing("file_data")),
    };
    Ok(Document {
        source,
        title: fields.text("filename")?,
        context: None,
    })
}

/// A `data:` URL, or the base64 alone: then a PDF, which is what all models read.
fn file_data(data: String) -> Source {
    match Source::from_url(&data) {
        Source::Url(_) => Source::Base64 {
            media_type: "application/pdf".to_owned(),
            data,
        },
        source => source,
    }
}

fn read_audio(fields: &mut Fields) -> Read<PartBody> {
    let Some(mut audio) = fields.object("input_audio")? else {
        return Err(fields.missing("input_audio"));
    };
    Ok(PartBody::Audio {
        data: audio.required_text("data")?,
        format: audio.required_text("format")?,
    })
}
