//! A request's fields and files. Files go to disk as they come, also those inside JSON.

use std::time::Duration;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::{
    HttpRequest,
    error::PayloadError,
    http::header,
    web::{Bytes, Payload},
};
use base64::{Engine as _, prelude::BASE64_STANDARD as STANDARD};
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

use crate::{config::ServerConfig, http::error::ApiError};

/// What a client sent.
pub struct Form {
    values: Map<String, Value>,
    /// Files of a form, by the names of their fields, in their order.
    uploads: Vec<(String, Spooled)>,
    /// Files that stood in JSON; their marks have the nonce.
    parts: Vec<Spooled>,
    pub nonce: u64,
}

/// A picture that a client gave.
#[derive(Debug, Clone)]
pub enum Given {
    Link(String),
    File(Spooled),
    /// Too small to have been put on disk yet.
    Bytes(Bytes),
}

/// The most of a form's field that is no file.
const MAX_TEXT: usize = 256 << 10;
/// The most fields of a form.
const MAX_FIELDS: usize = 100;

/// Reads a request of either form.
///
/// # Errors
/// 400, 408, 413 or 415, with the limit that was passed.
pub async fn read(
    atelier: &Atelier,
    config: &ServerConfig,
    request: &HttpRequest,
    payload: Payload,
    nonce: u64,
) -> Result<Form, ApiError> {
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
        Err(_) => {
            let message = format!("the body did not come within {} ms", config.body_timeout_ms);
            Err(ApiError::new(ErrorCode::RequestTimeout, message))
        }
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
        let piece = piece.map_err(|error| broken(&error))?;
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
    let mut seen = 0;
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
        if is_file {
            form.uploads.push((name, save(atelier, field).await?));
            few_enough(atelier, form.uploads.len())?;
        } else {
            form.add(name, text(field).await?);
        }
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

fn not_spooled(error: MediaError) -> ApiError {
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

fn broken(error: &PayloadError) -> ApiError {
    log::debug!("a request body broke off: {error}");
    ApiError::new(
        ErrorCode::InvalidRequest,
        "the body could not be read to its end",
    )
}

impl Form {
    /// One of fields that came in another way, without files.
    pub fn of(values: Map<String, Value>, nonce: u64) -> Self {
        Self {
            values,
            uploads: Vec::new(),
            parts: Vec::new(),
            nonce,
        }
    }

    /// Looks at a field that is there and not null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// A field of a form; one that comes again makes a list.
    fn add(&mut self, name: String, value: String) {
        match self.values.get_mut(&name) {
            None => {
                self.values.insert(name, value.into());
            }
            Some(Value::Array(list)) => list.push(value.into()),
            Some(first) => *first = Value::Array(vec![first.take(), value.into()]),
        }
    }

    /// Takes a field that is there and not null, under any of its names.
    pub fn take(&mut self, names: &[&str]) -> Option<Value> {
        let taken = names
            .iter()
            .filter_map(|name| self.values.shift_remove(*name));
        taken.fold(None, |first: Option<Value>, value| {
            first.or(Some(value).filter(|value| !value.is_null()))
        })
    }

    /// Takes a text.
    ///
    /// # Errors
    /// It is something else.
    pub fn text(
        &mut self,
        name: &'static str,
        others: &[&str],
    ) -> Result<Option<String>, RequestError> {
        match self.take(&[&[name], others].concat()) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(refused(name, "write a text")),
        }
    }

    /// Takes a number; in forms all values are texts.
    ///
    /// # Errors
    /// It is something else.
    pub fn number(
        &mut self,
        name: &'static str,
        others: &[&str],
    ) -> Result<Option<f64>, RequestError> {
        let number = match self.take(&[&[name], others].concat()) {
            None => return Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(Value::Number(number)) => number.as_f64(),
            Some(_) => None,
        };
        let number = number.filter(|number: &f64| number.is_finite());
        number
            .map(Some)
            .ok_or_else(|| refused(name, "write a number"))
    }

    /// Takes a whole number, 0 or more.
    ///
    /// # Errors
    /// It is something else.
    pub fn whole(
        &mut self,
        name: &'static str,
        others: &[&str],
    ) -> Result<Option<u64>, RequestError> {
        let number = self.number(name, others)?;
        let whole = |number: f64| {
            // beyond it not every whole number has its own value
            const MOST: f64 = 9_007_199_254_740_991.0;
            let whole = number.fract() == 0.0 && (0.0..=MOST).contains(&number);
            whole
                .then_some(number as u64)
                .ok_or_else(|| refused(name, "write a whole number, 0 or more"))
        };
        number.map(whole).transpose()
    }

    /// Takes a yes or no.
    ///
    /// # Errors
    /// It is something else.
    pub fn flag(&mut self, name: &'static str, others: &[&str]) -> Result<bool, RequestError> {
        match self.take(&[&[name], others].concat()) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(Value::String(text)) if text == "true" || text == "1" => Ok(true),
            Some(Value::String(text)) if text == "false" || text == "0" || text.is_empty() => {
                Ok(false)
            }
            Some(_) => Err(refused(name, "write true or false")),
        }
    }

    /// Takes the pictures of fields: files, links, data URIs and base64, one or a list of them. OpenAI's
    /// `{"image_url": …}` and `{"url": …}` are read as well.
    ///
    /// # Errors
    /// A value that is no picture.
    pub fn pictures(
        &mut self,
        name: &'static str,
        others: &[&str],
    ) -> Result<Vec<Given>, RequestError> {
        let names = [&[name], others].concat();
        let (own, rest) = std::mem::take(&mut self.uploads)
            .into_iter()
            .partition(|(field, _)| names.contains(&field.as_str()));
        self.uploads = rest;
        let own: Vec<(String, Spooled)> = own;
        let mut given: Vec<Given> = own.into_iter().map(|(_, file)| Given::File(file)).collect();
        let values = match self.take(&names) {
            None => Vec::new(),
            Some(Value::Array(values)) => values,
            Some(value) => vec![value],
        };
        for value in values {
            given.push(self.picture(&value).ok_or_else(|| {
                refused(
                    name,
                    "give a file, an http or https link, or a data URI in base64",
                )
            })?);
        }
        Ok(given)
    }

    fn picture(&self, value: &Value) -> Option<Given> {
        use troupe_protocol::pictures::{Source, order::source};
        let text = match value {
            Value::String(text) => text,
            Value::Object(fields) => {
                let named = ["image_url", "url"]
                    .iter()
                    .find_map(|name| fields.get(*name));
                return self.picture(named?);
            }
            _ => return None,
        };
        match source(text, self.nonce) {
            Source::Link { url, .. } => Some(Given::Link(url)),
            Source::Part(at) => self.parts.get(at).cloned().map(Given::File),
            Source::Base64(text) => {
                let bytes = STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty());
                bytes.map(|bytes| Given::Bytes(bytes.into()))
            }
        }
    }

    /// What was not taken: the names of files, and the values that are left.
    pub fn rest(self) -> (Vec<String>, Map<String, Value>) {
        let files = self.uploads.into_iter().map(|(name, _)| name);
        (files.collect(), self.values)
    }
}
