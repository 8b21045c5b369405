//! Reads a request into its fields. Files go to disk as they come, also those inside JSON.

use std::time::Duration;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::{
    HttpRequest,
    error::PayloadError,
    http::header,
    web::{Bytes, Payload},
};
use futures_util::{Stream, StreamExt as _};
use serde_json::{Map, Value};
use troupe_actors::{
    media::{MediaError, Spool, Spooled},
    pictures::Atelier,
};
use troupe_protocol::{
    json::check_depth,
    openai::{error::ErrorCode, request_error::RequestError},
    pictures::{
        lift::{LiftError, Lifter},
        spec::refused,
    },
};

use super::{Entry, Form, Given};
use crate::{
    config::ServerConfig,
    http::{
        body::{too_late, unread},
        call::Call,
        error::ApiError,
        services::Services,
    },
};

/// The most of a form's field that is no file.
const MAX_TEXT: usize = 256 << 10;
/// The most fields of a form.
const MAX_FIELDS: usize = 100;

/// Takes a place for a request that was let in, then reads it, in either form.
///
/// # Errors
/// What [`Call::admit`] says; 400, 408, 413 or 415, with the limit that was passed.
pub async fn admitted_form(
    call: &mut Call,
    services: &Services,
    request: &HttpRequest,
    payload: Payload,
) -> Result<Form, ApiError> {
    call.admit(services).await?;
    let (atelier, config, nonce) = (&services.atelier, &services.config, call.draw());
    let wait = Duration::from_millis(config.body_timeout_ms);
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let reading = async {
        if content_type.starts_with("multipart/form-data") {
            read_form(atelier, Multipart::new(request.headers(), payload), nonce).await
        } else if content_type.is_empty() || content_type.starts_with("application/json") {
            read_json(atelier, config, payload, nonce).await
        } else {
            let message = "the body must be JSON or a form, set `content-type: application/json` or `multipart/form-data`";
            Err(ApiError::new(ErrorCode::UnsupportedMediaType, message))
        }
    };
    match actix_rt::time::timeout(wait, reading).await {
        Ok(read) => read,
        Err(_) => Err(too_late(config)),
    }
}

async fn read_json(
    atelier: &Atelier,
    config: &ServerConfig,
    mut payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    nonce: u64,
) -> Result<Form, ApiError> {
    let mut lifter = Lifter::new(nonce, config.max_body_bytes);
    let mut parts = Vec::new();
    let mut open: Option<(usize, Spool)> = None;
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|error| unread(&error))?;
        let mut decoded = Vec::new();
        let lifted = lifter.feed(&piece, |at, bytes| decoded.push((at, bytes)));
        lifted.map_err(|error| not_lifted(error, config))?;
        for (at, bytes) in decoded {
            if open.as_ref().is_none_or(|(open, _)| *open != at) {
                close(atelier, &mut open, &mut parts).await?;
                open = Some((at, spool(atelier).await?));
            }
            if let Some((_, spool)) = &mut open {
                spool.write(bytes.into()).await.map_err(not_spooled)?;
            }
        }
    }
    close(atelier, &mut open, &mut parts).await?;
    let json = lifter.finish();
    check_depth(&json, config.max_json_depth)
        .map_err(|error| ApiError::new(ErrorCode::JsonTooDeep, error.to_string()))?;
    let values: Value = serde_json::from_slice(&json).map_err(|error| {
        ApiError::from(RequestError::InvalidJson {
            reason: error.to_string(),
        })
    })?;
    let Value::Object(values) = values else {
        return Err(RequestError::NotAnObject.into());
    };
    Ok(Form {
        parts,
        ..Form::of(values, nonce)
    })
}

async fn close(
    atelier: &Atelier,
    open: &mut Option<(usize, Spool)>,
    parts: &mut Vec<Spooled>,
) -> Result<(), ApiError> {
    if let Some((_, spool)) = open.take() {
        parts.push(spool.finish().await.map_err(not_spooled)?);
        few_enough(atelier, parts.len())?;
    }
    Ok(())
}

async fn read_form(atelier: &Atelier, mut fields: Multipart, nonce: u64) -> Result<Form, ApiError> {
    let mut form = Form::of(Map::new(), nonce);
    let (mut seen, mut files) = (0, 0);
    while let Some(field) = fields.next().await {
        let field = field.map_err(|error| bad_form(&error))?;
        seen += 1;
        if seen > MAX_FIELDS {
            let message = format!("the form has more than {MAX_FIELDS} fields");
            return Err(ApiError::new(ErrorCode::InvalidRequest, message));
        }
        let name = field
            .name()
            .unwrap_or_default()
            .trim_end_matches("[]")
            .to_owned();
        let is_file = field
            .content_disposition()
            .is_some_and(|disposition| disposition.get_filename().is_some());
        let entry = if is_file {
            files += 1;
            few_enough(atelier, files)?;
            Entry::Picture(Given::File(save(atelier, field).await?))
        } else {
            Entry::Value(text(field).await?.into())
        };
        form.fields.push((name, entry));
    }
    Ok(form)
}

async fn save(atelier: &Atelier, mut field: Field) -> Result<Spooled, ApiError> {
    let mut spool = spool(atelier).await?;
    while let Some(piece) = field.next().await {
        let piece = piece.map_err(|error| bad_form(&error))?;
        spool.write(piece).await.map_err(not_spooled)?;
    }
    spool.finish().await.map_err(not_spooled)
}

async fn text(mut field: Field) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.next().await {
        bytes.extend_from_slice(&piece.map_err(|error| bad_form(&error))?);
        if bytes.len() > MAX_TEXT {
            let message = format!("a field of the form is larger than {MAX_TEXT} bytes");
            return Err(ApiError::new(ErrorCode::BodyTooLarge, message));
        }
    }
    String::from_utf8(bytes).map_err(|_| {
        ApiError::new(
            ErrorCode::InvalidRequest,
            "a field of the form is not valid UTF-8",
        )
    })
}

async fn spool(atelier: &Atelier) -> Result<Spool, ApiError> {
    let limit = atelier.config.max_file_bytes;
    atelier.media.spool(limit).await.map_err(not_spooled)
}

fn few_enough(atelier: &Atelier, files: usize) -> Result<(), ApiError> {
    let most = atelier.config.max_inputs;
    if files <= most {
        return Ok(());
    }
    Err(refused("image", format!("give {most} pictures at most")).into())
}

/// What is told of a file that cannot be put aside.
pub fn not_spooled(error: MediaError) -> ApiError {
    let code = match error {
        MediaError::TooLarge { .. } => ErrorCode::BodyTooLarge,
        _ => ErrorCode::InternalError,
    };
    ApiError::new(code, error.to_string())
}

fn not_lifted(error: LiftError, config: &ServerConfig) -> ApiError {
    match error {
        LiftError::TooLarge => {
            let limit = config.max_body_bytes;
            let message = format!("the body without its pictures is larger than {limit} bytes");
            ApiError::new(ErrorCode::BodyTooLarge, message)
        }
        LiftError::TooMany | LiftError::Base64 => {
            ApiError::new(ErrorCode::InvalidRequest, error.to_string())
        }
    }
}

fn bad_form(error: &MultipartError) -> ApiError {
    ApiError::new(
        ErrorCode::InvalidRequest,
        format!("the form cannot be read: {error}"),
    )
}
