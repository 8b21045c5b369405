//! The parts of messages and results.

use std::borrow::Cow;

use super::wire::{Content, File, Piece};
use crate::{
    chat::{Document, Image, PartBody, Source, ToolResult},
    dialect::Dialect,
};

/// Why a part cannot be passed on, and what to do instead.
pub(super) struct Refused(pub(super) &'static str);

const SOUND: Refused =
    Refused("it takes no sound in this form; send a transcript, or choose a model that listens");
const FILE: Refused =
    Refused("a file that was uploaded to another provider is not there; send its bytes or a link");

/// Adds what a user or a tool shows. Empty texts are left out.
pub(super) fn push<'a>(
    body: &'a PartBody,
    dialect: Dialect,
    out: &mut Vec<Piece<'a>>,
) -> Result<(), Refused> {
    match body {
        PartBody::Text(text) | PartBody::Refusal(text) => {
            let text = Cow::Borrowed(text.as_str());
            out.extend((!text.is_empty()).then_some(Piece::InputText { text }));
        }
        PartBody::Image(picture) => out.push(image(picture, dialect)?),
        PartBody::Document(paper) => document(paper, dialect, out)?,
        PartBody::Audio { .. } => return Err(SOUND),
        // the assistant's, or results that a result cannot hold
        PartBody::Call(_) | PartBody::Thinking(_) | PartBody::Result(_) => {}
    }
    Ok(())
}

/// A plain string if one text is all there is.
pub(super) fn plain(mut pieces: Vec<Piece<'_>>) -> Content<'_> {
    match pieces.as_mut_slice() {
        [Piece::InputText { text }] => Content::Text(std::mem::take(text)),
        _ => Content::Pieces(pieces),
    }
}

/// What a tool gave: one string if it is all text. That it failed can only be said in words.
pub(super) fn output(result: &ToolResult, dialect: Dialect) -> Result<Content<'_>, Refused> {
    let mut pieces = Vec::new();
    for part in &result.parts {
        push(&part.body, dialect, &mut pieces)?;
    }
    if result.is_error {
        mark_error(&mut pieces);
    }
    let texts: Option<Vec<&str>> = pieces.iter().map(text_of).collect();
    Ok(match texts {
        Some(texts) if texts.len() != 1 => Content::Text(texts.join("\n").into()),
        _ => plain(pieces),
    })
}

fn mark_error(pieces: &mut Vec<Piece<'_>>) {
    match pieces.first_mut() {
        Some(Piece::InputText { text }) => *text = format!("Error: {text}").into(),
        _ => pieces.insert(
            0,
            Piece::InputText {
                text: "Error: ".into(),
            },
        ),
    }
}

fn text_of<'p>(piece: &'p Piece<'_>) -> Option<&'p str> {
    match piece {
        Piece::InputText { text } => Some(text),
        _ => None,
    }
}

/// A file's id is known upstream only if the client meant this provider by it.
fn own_file(id: &str, dialect: Dialect) -> Result<Option<&str>, Refused> {
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiResponses => Ok(Some(id)),
        Dialect::Anthropic | Dialect::Gemini => Err(FILE),
    }
}

fn image(image: &Image, dialect: Dialect) -> Result<Piece<'_>, Refused> {
    let file_id = match &image.source {
        Source::FileId(id) => own_file(id, dialect)?,
        _ => None,
    };
    Ok(Piece::InputImage {
        image_url: image.source.to_url(),
        file_id,
        detail: image.detail.as_deref(),
    })
}

/// A document; a plain text goes as text, and a remark on where it comes from before it.
fn document<'a>(
    document: &'a Document,
    dialect: Dialect,
    out: &mut Vec<Piece<'a>>,
) -> Result<(), Refused> {
    let title = document.title.as_deref();
    let context = document.context.as_deref();
    let (texts, file) = match &document.source {
        Source::Text(text) => ([title, context, Some(text)], None),
        _ => ([None, context, None], Some(file(document, title, dialect)?)),
    };
    let texts = texts.into_iter().flatten();
    out.extend(texts.map(|text| Piece::InputText { text: text.into() }));
    out.extend(file.map(Piece::InputFile));
    Ok(())
}

fn file<'a>(
    document: &'a Document,
    title: Option<&'a str>,
    dialect: Dialect,
) -> Result<File<'a>, Refused> {
    let mut file = File::default();
    match &document.source {
        // bytes are refused without a name
        source @ (Source::Base64 { .. } | Source::Text(_)) => {
            file.filename = title.or(Some("document.pdf"));
            file.file_data = source.to_url();
        }
        Source::Url(link) => file.file_url = Some(link),
        Source::FileId(id) => file.file_id = own_file(id, dialect)?,
    }
    Ok(file)
}
