//! Pictures, documents and sound.

use std::borrow::Cow;

use super::{
    Writer,
    names::Named,
    wire::{Blob, File, Held, Part},
};
use crate::chat::{ConvertError, Document, Image, Source};

/// What Gemini fetches by itself from the web, by the ending of the address's path: the types that its
/// guide to file inputs lists.
const FETCHED: [(&str, &str); 16] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("bmp", "image/bmp"),
    ("pdf", "application/pdf"),
    ("json", "application/json"),
    ("txt", "text/plain"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("css", "text/css"),
    ("xml", "text/xml"),
    ("csv", "text/csv"),
    ("rtf", "text/rtf"),
    ("js", "text/javascript"),
    ("mp4", "video/mp4"),
];

/// Google's own places, whose types it knows.
const GOOGLE: [&str; 3] = [
    "https://generativelanguage.googleapis.com/",
    "https://www.youtube.com/",
    "gs://",
];

impl<'a> Writer<'a> {
    pub(super) fn image(&mut self, image: &'a Image) -> Result<Part<'a>, ConvertError> {
        let asked = image.detail.as_deref();
        self.lose_if(
            asked.is_some_and(|detail| detail != "auto"),
            Named::ImageDetail,
        );
        self.source(&image.source, Named::Image)
    }

    pub(super) fn document(&mut self, document: &'a Document) -> Result<Part<'a>, ConvertError> {
        self.lose_if(document.title.is_some(), Named::Title);
        self.losses
            .note_if(document.context.as_ref(), "document.context");
        self.source(&document.source, Named::Document)
    }

    fn source(&self, source: &'a Source, what: Named) -> Result<Part<'a>, ConvertError> {
        let held = match source {
            Source::Base64 { media_type, data } => Held::InlineData(Blob {
                mime_type: known_as(media_type).into(),
                data,
            }),
            Source::Text(text) => Held::Text(Cow::Borrowed(text)),
            Source::Url(url) => Held::FileData(self.file(url, what)?),
            Source::FileId(_) => {
                let reason = "a file that was uploaded to another provider cannot be read here; send its content as base64";
                return Err(self.refuse(what, reason));
            }
        };
        Ok(held.into())
    }

    /// An address that Gemini fetches: `https`, and of a type that shows.
    fn file(&self, url: &'a str, what: Named) -> Result<File<'a>, ConvertError> {
        let mime_type = type_of(url);
        let is_google = GOOGLE.iter().any(|place| url.starts_with(place));
        let is_web = url.starts_with("https://") && self.model.fetches_urls();
        if is_google || (is_web && mime_type.is_some()) {
            return Ok(File {
                mime_type,
                file_uri: url,
            });
        }
        let reason = match is_web {
            true => {
                "this provider fetches an address only if it ends in a known file type such as .png or .pdf; send the content as base64"
            }
            false => "this provider's model fetches no such address; send the content as base64",
        };
        Err(self.refuse(what, reason))
    }
}

/// Sound, as a part.
pub(super) fn audio<'a>(data: &'a str, format: &str) -> Part<'a> {
    let mime_type = format!("audio/{format}").into();
    Held::InlineData(Blob { mime_type, data }).into()
}

/// `image/jpg` is no type, but is sent; Gemini refuses it.
fn known_as(media_type: &str) -> &str {
    match media_type {
        "image/jpg" => "image/jpeg",
        other => other,
    }
}

fn type_of(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    let (_, ending) = path.rsplit_once('/')?.1.rsplit_once('.')?;
    let known = |(known, _): &&(&str, &str)| ending.eq_ignore_ascii_case(known);
    FETCHED.iter().find(known).map(|(_, mime_type)| *mime_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_show_in_the_path_alone() {
        let cases = [
            (
                "https://x.org/a/cat.PNG?size=2.gif#b.pdf",
                Some("image/png"),
            ),
            ("https://x.org/cat.jpeg", Some("image/jpeg")),
            ("https://x.org/paper.v2.pdf", Some("application/pdf")),
            ("https://x.org/cat", None),
            ("https://pics.png/cat", None),
            ("cat.png", None),
            ("", None),
        ];
        for (url, expected) in cases {
            assert_eq!(type_of(url), expected, "{url}");
        }
    }
}
