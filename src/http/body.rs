//! The body of a request: read only once its key is known, within a size and a time.

use std::time::Duration;

use actix_rt::time::timeout;
use actix_web::{
    HttpRequest,
    error::PayloadError,
    http::header,
    web::{Bytes, BytesMut, Payload},
};
use futures_util::{Stream, StreamExt as _};
use troupe_protocol::{json::check_depth, openai::error::ErrorCode};

use super::error::ApiError;
use crate::config::ServerConfig;

/// The whole JSON body, as it came.
///
/// # Errors
/// 400, 408, 413 or 415, with the limit that was passed.
pub async fn read_json(
    config: &ServerConfig,
    request: &HttpRequest,
    payload: Payload,
) -> Result<Bytes, ApiError> {
    if !is_json(request) {
        return Err(ApiError::new(
            ErrorCode::UnsupportedMediaType,
            "the body must be JSON, set `content-type: application/json`",
        ));
    }
    let body = read_whole(config, request, payload).await?;
    check_depth(&body, config.max_json_depth)
        .map_err(|error| ApiError::new(ErrorCode::JsonTooDeep, error.to_string()))?;
    Ok(body)
}

/// The whole body of any type, as it came.
///
/// # Errors
/// 400, 408 or 413, with the limit that was passed.
pub async fn read_whole(
    config: &ServerConfig,
    request: &HttpRequest,
    payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
) -> Result<Bytes, ApiError> {
    let wait = Duration::from_millis(config.body_timeout_ms);
    let declared = declared_length(request);
    let body = timeout(wait, collect(payload, declared, config.max_body_bytes)).await;
    body.map_err(|_| too_late(config))?
}

/// 408 for a body that does not come.
pub fn too_late(config: &ServerConfig) -> ApiError {
    let message = format!("the body did not come within {} ms", config.body_timeout_ms);
    ApiError::new(ErrorCode::RequestTimeout, message)
}

fn is_json(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    content_type.is_none_or(|value| {
        let value = value.as_bytes();
        value.starts_with(b"application/json") || value.starts_with(b"text/")
    })
}

fn declared_length(request: &HttpRequest) -> Option<usize> {
    let length = request.headers().get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

async fn collect(
    mut payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    declared: Option<usize>,
    limit: usize,
) -> Result<Bytes, ApiError> {
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let Some(first) = payload.next().await else {
        return Ok(Bytes::new());
    };
    let first = first.map_err(|error| unread(&error))?;
    // most bodies come in one piece, which is then not copied
    if declared == Some(first.len()) {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(declared.unwrap_or(first.len()).max(first.len()));
    whole.extend_from_slice(&first);
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|error| unread(&error))?;
        if whole.len() + piece.len() > limit {
            return Err(too_large(limit));
        }
        whole.extend_from_slice(&piece);
    }
    if whole.len() > limit {
        return Err(too_large(limit));
    }
    Ok(whole.freeze())
}

fn too_large(limit: usize) -> ApiError {
    let message = format!("the body is larger than the limit of {limit} bytes");
    ApiError::new(ErrorCode::BodyTooLarge, message)
}

/// 400 for a body that breaks off.
pub fn unread(error: &PayloadError) -> ApiError {
    log::debug!("a request body broke off: {error}");
    let message = "the body could not be read to its end";
    ApiError::new(ErrorCode::InvalidRequest, message)
}
