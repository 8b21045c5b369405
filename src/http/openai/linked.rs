//! Answers of OpenAI's image API whose pictures are put into our store on their way. None is held in memory: base64
//! goes to disk as it comes, and is read from there where the client gets it.

use std::{borrow::Cow, pin::pin};

use actix_web::{HttpResponse, web::Bytes};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use troupe_actors::{
    credentials::Outcome as LeaseOutcome,
    media::{Kept, Owner},
    pictures::{
        follow::Astray,
        receive::{ReceiveError, Received, receive},
    },
};
use troupe_protocol::{
    failure::FailureKind,
    openai::{
        error::ErrorCode,
        images::{ImageAnswer, ImageFormat, ImageItem},
    },
    pictures::order::part_mark,
    usage::Usage,
};

use super::{drawn::send, forward::Asked};
use crate::http::{call::Call, error::ApiError, pictures::answer::Piece, services::Services};

/// How many links of one answer are followed at a time.
const LINKS: usize = 4;

/// Answers with links to our own store in place of the upstream's pictures or links. Where no format was asked for,
/// base64 stays base64; a link whose picture cannot be had stays as it is, so that what was paid for is not lost.
pub async fn linked(
    asked: Asked,
    mut call: Call,
    services: &Services,
    format: Option<ImageFormat>,
) -> HttpResponse {
    let answer = asked.answer;
    let (nonce, limit) = (call.draw(), services.atelier.config.max_file_bytes);
    let receiving = pin!(receive(answer.body, false, &services.media, limit, nonce));
    let received = match services.unless_cut(receiving).await {
        Ok(Ok(received)) => received,
        Ok(Err(error)) => {
            answer.lease.report(fate(&error));
            return call.refuse(&refusal(error));
        }
        Err(cut) => return call.refuse(&cut),
    };
    answer.lease.report(LeaseOutcome::Success);
    call.used(Usage::from_openai_body(&received.body));
    match pieces(received, nonce, &call, services, format).await {
        Ok(pieces) => send(pieces, call, services).await,
        Err(error) => call.refuse(&error),
    }
}

/// What is said of the credential: it has no part in a store of ours that takes nothing.
fn fate(error: &ReceiveError) -> LeaseOutcome {
    match error {
        ReceiveError::Body(fault) => LeaseOutcome::Failure(fault.kind()),
        ReceiveError::Media(error) if error.is_ours() => LeaseOutcome::Dropped,
        ReceiveError::Lift(_) | ReceiveError::Media(_) => {
            LeaseOutcome::Failure(FailureKind::Upstream)
        }
    }
}

fn refusal(error: ReceiveError) -> ApiError {
    match error {
        ReceiveError::Body(fault) => fault.into(),
        ReceiveError::Lift(fault) => ApiError::new(ErrorCode::UpstreamError, fault.to_string()),
        ReceiveError::Media(error) => error.into(),
    }
}

/// The answer with all pictures stored: their links in it, or the base64 of those that are to stay so.
async fn pieces(
    received: Received,
    nonce: u64,
    call: &Call,
    services: &Services,
    format: Option<ImageFormat>,
) -> Result<Vec<Piece>, ApiError> {
    let mut kept = Vec::new();
    for (at, file) in received.files.into_iter().enumerate() {
        let stored = services.media.keep(file, owner(call)).await?;
        kept.push((part_mark(nonce, at), stored));
    }
    let mut answer = ImageAnswer::parse(&received.body)
        .map_err(|error| ApiError::new(ErrorCode::UpstreamError, error.to_string()))?;
    let items = answer.data.iter();
    let items = items.map(|item| stored(item, &kept, call, services, format));
    let stored: Vec<_> = stream::iter(items).buffered(LINKS).try_collect().await?;
    for (item, stored) in answer.data.iter_mut().zip(stored) {
        let Some(stored) = stored else {
            continue;
        };
        let link = services.media.links().link(&stored.name);
        *item = ImageItem {
            url: Some(Cow::Owned(format!("{}{link}", services.public_url))),
            b64_json: None,
            rest: std::mem::take(&mut item.rest),
        };
    }
    Ok(with_base64(&answer.render(), &kept))
}

/// The file that a link is to lead to; none where the item stays as it is.
async fn stored(
    item: &ImageItem<'_>,
    kept: &[(String, Kept)],
    call: &Call,
    services: &Services,
    format: Option<ImageFormat>,
) -> Result<Option<Kept>, ApiError> {
    // no format was asked for, and the upstream chose base64
    if item.b64_json.is_some() && format.is_none() {
        return Ok(None);
    }
    let text = item.b64_json.as_ref().or(item.url.as_ref());
    if let Some((_, kept)) = kept
        .iter()
        .find(|(mark, _)| text.is_some_and(|text| text == mark))
    {
        return Ok(Some(kept.clone()));
    }
    match (&item.b64_json, &item.url) {
        // too short to have been put aside
        (Some(base64), _) => {
            let stored = services.media.store(decoded(base64)?, owner(call)).await?;
            Ok(Some(stored))
        }
        (None, Some(url)) => Ok(fetched(url, call, services).await),
        (None, None) => Ok(None),
    }
}

fn owner(call: &Call) -> Owner {
    Owner {
        app_id: call.app_id().to_owned(),
        call_id: call.id().to_owned(),
    }
}

/// A JSON text, with the files' base64 where their marks are left.
fn with_base64(json: &[u8], kept: &[(String, Kept)]) -> Vec<Piece> {
    let text = String::from_utf8_lossy(json);
    let (mut rest, mut pieces) = (&*text, Vec::new());
    for (mark, kept) in kept {
        if let Some((before, behind)) = rest.split_once(mark.as_str()) {
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Base64(kept.name.as_str().to_owned()));
            rest = behind;
        }
    }
    pieces.push(Piece::Text(rest.to_owned()));
    pieces
}

fn decoded(base64: &str) -> Result<Bytes, ApiError> {
    STANDARD.decode(base64).map(Bytes::from).map_err(|_| {
        ApiError::new(
            ErrorCode::UpstreamError,
            "the upstream's picture is not valid base64",
        )
    })
}

/// The picture behind an upstream's link, in our store; none where it cannot be had.
async fn fetched(url: &str, call: &Call, services: &Services) -> Option<Kept> {
    let provider = call.provider()?;
    let stored = async {
        let file = services.atelier.follow(url, provider).await?;
        let kept = services.media.keep(file, owner(call)).await;
        kept.map_err(|error| Astray::from(ReceiveError::from(error)))
    };
    match stored.await {
        Ok(kept) => Some(kept),
        Err(error) => {
            let name = &provider.name;
            log::warn!(
                "a link of {name} goes to the client as it is, its picture is not stored: {error}"
            );
            None
        }
    }
}
