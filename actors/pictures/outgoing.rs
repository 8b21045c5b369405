//! The body of a call, made as it goes out: no file of it is ever held whole.

use std::{fmt::Write as _, io};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, future::ready, stream};
use sha2::{Digest as _, Sha256};
use troupe_protocol::pictures::{
    Body, Field,
    order::{Segment, split_at_inputs},
};

use crate::media::Spooled;

/// A body whose length is known and which can be read more than once.
pub(super) struct Outgoing {
    pieces: Vec<Piece>,
    pub content_type: Option<String>,
    pub length: u64,
}

enum Piece {
    Bytes(Bytes),
    File(Spooled),
    Base64(Spooled),
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(file) => file.bytes(),
            Self::Base64(file) => file.bytes().div_ceil(3) * 4,
        }
    }
}

impl Outgoing {
    /// The body for an order whose marks have that nonce.
    pub fn new(body: &Body, inputs: &[Spooled], nonce: u64) -> Self {
        let (pieces, content_type) = match body {
            Body::None => (Vec::new(), None),
            Body::Json(json) => {
                let pieces = with_files(&json.to_string(), inputs, nonce);
                (pieces, Some("application/json".to_owned()))
            }
            Body::Form(fields) => form(fields, inputs, nonce),
            Body::File { input, mime } => {
                let file = inputs.get(*input).cloned().map(Piece::File);
                (file.into_iter().collect(), Some((*mime).to_owned()))
            }
        };
        Self {
            length: pieces.iter().map(Piece::length).sum(),
            pieces,
            content_type,
        }
    }

    /// Its bytes, read anew each time.
    pub fn stream(&self) -> impl Stream<Item = io::Result<Bytes>> + 'static {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Bytes(bytes) => stream::once(ready(Ok(bytes.clone()))).boxed_local(),
            Piece::File(file) => file.pieces().boxed_local(),
            Piece::Base64(file) => base64(file.pieces()).boxed_local(),
        });
        stream::iter(pieces.collect::<Vec<_>>()).flatten()
    }

    /// The SHA-256 of the whole.
    ///
    /// # Errors
    /// A file cannot be read.
    pub async fn sha256(&self) -> io::Result<[u8; 32]> {
        let mut hash = Sha256::new();
        let mut stream = std::pin::pin!(self.stream());
        while let Some(piece) = stream.next().await {
            hash.update(&piece?);
        }
        Ok(hash.finalize().into())
    }
}

/// JSON or text with the base64 of files where their marks stand.
fn with_files(text: &str, inputs: &[Spooled], nonce: u64) -> Vec<Piece> {
    let piece = |segment| match segment {
        Segment::Text(text) => Some(Piece::Bytes(Bytes::copy_from_slice(text.as_bytes()))),
        Segment::Input(at) => inputs.get(at).cloned().map(Piece::Base64),
    };
    let segments = split_at_inputs(text, nonce);
    segments.into_iter().filter_map(piece).collect()
}

fn form(fields: &[Field], inputs: &[Spooled], nonce: u64) -> (Vec<Piece>, Option<String>) {
    // nobody outside knows the nonce, so no field can hold the boundary
    let boundary = format!("troupe-{:016x}", nonce.rotate_left(32));
    let mut pieces = Vec::new();
    for field in fields {
        let mut head = format!("--{boundary}\r\ncontent-disposition: form-data; name=\"");
        match field {
            Field::Text { name, value } => {
                // writing to a string cannot fail
                let _ = write!(head, "{}\"\r\n\r\n{value}\r\n", quoted(name));
                pieces.extend(with_files(&head, inputs, nonce));
            }
            Field::File { name, input } => {
                let Some(file) = inputs.get(*input) else {
                    continue;
                };
                let (mime, ending) = kind_of(file);
                let name = quoted(name);
                let _ = write!(
                    head,
                    "{name}\"; filename=\"image{input}.{ending}\"\r\ncontent-type: {mime}\r\n\r\n"
                );
                pieces.push(Piece::Bytes(head.into()));
                pieces.push(Piece::File(file.clone()));
                pieces.push(Piece::Bytes(Bytes::from_static(b"\r\n")));
            }
        }
    }
    pieces.push(Piece::Bytes(format!("--{boundary}--\r\n").into()));
    let content_type = format!("multipart/form-data; boundary={boundary}");
    (pieces, Some(content_type))
}

/// A field's name as browsers write it.
fn quoted(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn kind_of(file: &Spooled) -> (&'static str, &'static str) {
    match file.format() {
        Some(format) => (format.mime(), format.ending()),
        None => ("application/octet-stream", "bin"),
    }
}

/// A file's base64, as its pieces come.
pub fn base64(
    pieces: impl Stream<Item = io::Result<Bytes>> + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    let end = stream::once(ready(None));
    let pieces = pieces.map(Some).chain(end);
    pieces.scan(Vec::new(), |carried: &mut Vec<u8>, piece| {
        let encoded = match piece {
            Some(Ok(piece)) => {
                carried.extend_from_slice(&piece);
                let rest = carried.split_off(carried.len() / 3 * 3);
                Ok(BASE64_STANDARD
                    .encode(std::mem::replace(carried, rest))
                    .into())
            }
            Some(Err(error)) => Err(error),
            None => Ok(BASE64_STANDARD.encode(std::mem::take(carried)).into()),
        };
        ready(Some(encoded))
    })
}
