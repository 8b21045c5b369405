//! The body of a request that may be a repeat: it is read before it is known who serves it. Forms go to disk as they
//! come, and are read from there by who serves them; what else there is, is small.

use std::time::Duration;

use actix_rt::time::timeout;
use actix_web::{HttpMessage as _, HttpRequest, dev::Payload, error::PayloadError, web::Bytes};
use futures_util::{StreamExt as _, TryStreamExt as _};
use troupe_actors::{
    answers::{Fingerprint, FormPrint},
    media::Spooled,
};

use crate::http::{
    body::{read_whole, too_late, unread},
    error::ApiError,
    pictures::form::not_spooled,
    services::Services,
};

/// A body that has come.
pub enum Body {
    Whole(Bytes),
    Form(Spooled),
}

impl Body {
    /// Reads it, and says what the request is known by.
    ///
    /// # Errors
    /// 400, 408 or 413, with the limit that was passed.
    pub async fn read(
        services: &Services,
        request: &HttpRequest,
        payload: Payload,
    ) -> Result<(Self, Fingerprint), ApiError> {
        let path = request.uri().path_and_query();
        let path = path.map_or(request.path(), |path| path.as_str());
        if let Some(boundary) = boundary(request) {
            let print = FormPrint::new(path, &boundary);
            let wait = Duration::from_millis(services.config.body_timeout_ms);
            let read = timeout(wait, put_aside(services, payload, print)).await;
            let (file, fingerprint) = read.map_err(|_| too_late(&services.config))??;
            return Ok((Self::Form(file), fingerprint));
        }
        let body = read_whole(&services.config, request, payload).await?;
        let fingerprint = Fingerprint::of(path, &body);
        Ok((Self::Whole(body), fingerprint))
    }

    /// As it came, for who serves it.
    pub fn payload(&self) -> Payload {
        match self {
            Self::Whole(body) => Payload::from(body.clone()),
            Self::Form(file) => Payload::Stream {
                payload: file.pieces().map_err(PayloadError::Io).boxed_local(),
            },
        }
    }

    /// JSON that a record may name the model of.
    pub fn json(&self) -> &[u8] {
        match self {
            Self::Whole(body) => body,
            Self::Form(_) => &[],
        }
    }
}

/// The boundary of a form.
fn boundary(request: &HttpRequest) -> Option<String> {
    let mime = request.mime_type().ok()??;
    let boundary = mime.get_param("boundary")?.as_str();
    (!boundary.is_empty()).then(|| boundary.to_owned())
}

/// All that a form may hold: as many pictures as it may have, of their largest size.
fn limit(services: &Services) -> u64 {
    let pictures = &services.atelier.config;
    pictures
        .max_file_bytes
        .saturating_mul(pictures.max_inputs as u64)
}

async fn put_aside(
    services: &Services,
    mut payload: Payload,
    mut print: FormPrint,
) -> Result<(Spooled, Fingerprint), ApiError> {
    let mut spool = services
        .media
        .spool(limit(services))
        .await
        .map_err(not_spooled)?;
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|error| unread(&error))?;
        print.push(&piece);
        spool.write(piece).await.map_err(not_spooled)?;
    }
    let file = spool.finish().await.map_err(not_spooled)?;
    Ok((file, print.finish()))
}
