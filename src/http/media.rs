//! `/media/{name}`: stored pictures and videos. The name is the permission: it cannot be guessed; or the name
//! and a signature, for the time that both say.

use std::{io, ops::Range};

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse, HttpResponseBuilder,
    body::SizedStream,
    http::{
        Method, StatusCode,
        header::{self, EntityTag, IfNoneMatch, IfRange},
    },
    web,
};
use futures_util::stream;
use serde::Deserialize;
use troupe_actors::media::Stored;
use troupe_protocol::openai::error::ErrorCode;
use uuid::Uuid;

use super::{
    error::ApiError,
    layers::resource,
    services::{OnWorker, Services},
};

/// `/media/…`
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(resource("/media/{name}").get(serve).head(serve));
}

/// When a signed link ends, in seconds since 1970, and its signature.
#[derive(Debug, Deserialize)]
struct Seal {
    e: Option<u64>,
    #[serde(default)]
    s: String,
}

/// The stored file behind a link of our own, as a client gives it back: it is not fetched over the network,
/// where it may lead to an address that clients must not name.
pub async fn behind(services: &Services, url: &str) -> Option<Stored> {
    let path = url
        .strip_prefix(&services.public_url)?
        .strip_prefix("/media/")?;
    let (name, query) = path.split_once('?').unwrap_or((path, ""));
    let seal = web::Query::<Seal>::from_query(query).ok()?;
    if !services.media.links().admit(name, seal.e, &seal.s) {
        return None;
    }
    services.media.open(name).await
}

/// A stored file, with ETag and ranges. Its bytes never change under one name.
async fn serve(
    worker: OnWorker,
    request: HttpRequest,
    name: web::Path<String>,
    seal: web::Query<Seal>,
) -> HttpResponse {
    let media = &worker.0.services.media;
    if !media.links().admit(&name, seal.e, &seal.s) {
        return refused();
    }
    let Some(stored) = media.open(&name).await else {
        return not_found();
    };
    let who = match media.links().are_signed() {
        true => Audience::Private,
        false => Audience::Public,
    };
    give(&request, stored, who)
}

/// For whom a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// For whoever knows the link, and any cache on the way.
    Public,
    /// For whoever shows a signature or a key, and for nobody's shared cache.
    Private,
}

/// The answer with a file, or with the part of it that is wanted, or with the word that the client has it.
pub fn give(request: &HttpRequest, stored: Stored, who: Audience) -> HttpResponse {
    let tag = EntityTag::new_strong(stored.name.as_str().to_owned());
    let mut response = HttpResponse::Ok();
    describe(&mut response, &stored, &tag, who);
    if has_it(request, &tag) {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    let range = match wanted(request, &tag, stored.bytes) {
        Wanted::Whole => 0..stored.bytes,
        Wanted::Part(range) => {
            let (first, last) = (range.start, range.end - 1);
            let part = format!("bytes {first}-{last}/{}", stored.bytes);
            response.insert_header((header::CONTENT_RANGE, part));
            response.status(StatusCode::PARTIAL_CONTENT);
            range
        }
        Wanted::Nothing => {
            let whole = format!("bytes */{}", stored.bytes);
            response.insert_header((header::CONTENT_RANGE, whole));
            return response.status(StatusCode::RANGE_NOT_SATISFIABLE).finish();
        }
    };
    let length = range.end - range.start;
    if request.method() == Method::HEAD {
        let nothing = stream::empty::<io::Result<web::Bytes>>();
        return response.body(SizedStream::new(length, nothing));
    }
    response.body(SizedStream::new(length, stored.pieces(range)))
}

/// What is true of the file whichever part of it is sent. It may be shown, but run nothing.
fn describe(response: &mut HttpResponseBuilder, stored: &Stored, tag: &EntityTag, who: Audience) {
    let who = match who {
        Audience::Public => "public",
        Audience::Private => "private",
    };
    let caching = format!("{who}, max-age=31536000, immutable");
    response
        .insert_header((header::CONTENT_TYPE, stored.mime))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_DISPOSITION, "inline"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox",
        ))
        .insert_header((header::CACHE_CONTROL, caching))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header(header::ETag(tag.clone()));
}

/// Whether the client says that it has this file already.
fn has_it(request: &HttpRequest, tag: &EntityTag) -> bool {
    match request.get_header::<IfNoneMatch>() {
        Some(IfNoneMatch::Any) => true,
        Some(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        None => false,
    }
}

/// What the client wants of a file.
enum Wanted {
    Whole,
    Part(Range<u64>),
    /// What the file has not.
    Nothing,
}

/// Several ranges at once and what is no range are answered with the whole, as RFC 9110, section 14.2 allows.
fn wanted(request: &HttpRequest, tag: &EntityTag, bytes: u64) -> Wanted {
    let of_another = match request.get_header::<IfRange>() {
        Some(IfRange::EntityTag(known)) => !known.strong_eq(tag),
        Some(IfRange::Date(_)) => true,
        None => false,
    };
    let ranges = match request.get_header::<header::Range>() {
        Some(header::Range::Bytes(ranges)) if !of_another => ranges,
        _ => return Wanted::Whole,
    };
    match ranges.as_slice() {
        [range] => match range.to_satisfiable_range(bytes) {
            Some((first, last)) => Wanted::Part(first..last + 1),
            None => Wanted::Nothing,
        },
        _ => Wanted::Whole,
    }
}

fn refused() -> HttpResponse {
    let message = "the link is not complete or its time is over, ask for a new one";
    ApiError::new(ErrorCode::LinkRefused, message).respond(&Uuid::now_v7().to_string())
}

fn not_found() -> HttpResponse {
    let message = "there is no such file, or it made room for newer ones";
    ApiError::new(ErrorCode::NotFound, message).respond(&Uuid::now_v7().to_string())
}
