//! Links to what was drawn, or its base64.

use std::io;

use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use troupe_actors::{media::MediaName, pictures::base64 as encoded};

use crate::http::services::Services;

/// The link to a picture in the store; none for what is no name of one.
pub fn link(services: &Services, name: &str) -> Option<String> {
    let link = services.media.links().link(&MediaName::parse(name)?);
    Some(format!("{}{link}", services.public_url))
}

/// A piece of an answer's JSON.
pub enum Piece {
    Text(String),
    /// The base64 of a picture in the store.
    Base64(String),
}

/// An answer's length, and its bytes as they are read from the store: no picture is held whole.
pub async fn stream(
    pieces: Vec<Piece>,
    services: &Services,
) -> Option<(u64, impl Stream<Item = io::Result<Bytes>> + 'static)> {
    let mut length = 0;
    let mut streams = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                length += text.len() as u64;
                let text = Bytes::from(text);
                streams.push(stream::once(async { Ok(text) }).boxed_local());
            }
            Piece::Base64(name) => {
                let stored = services.media.open(&name).await?;
                let bytes = stored.bytes;
                length += bytes.div_ceil(3) * 4;
                streams.push(encoded(stored.pieces(0..bytes)).boxed_local());
            }
        }
    }
    Some((length, stream::iter(streams).flatten()))
}
