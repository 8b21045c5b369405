//! `/media/{name}`: stored pictures. The name is the permission: it cannot be guessed.

use actix_files::NamedFile;
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderValue},
    web,
};
use troupe_protocol::openai::error::ErrorCode;
use uuid::Uuid;

use super::{error::ApiError, services::OnWorker};

/// `/media/…`
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(web::resource("/media/{name}").get(serve));
}

/// A stored file, with ETag and ranges. Its bytes never change under one name.
async fn serve(worker: OnWorker, request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let Some(stored) = worker.0.services.media.open(&name).await else {
        return not_found();
    };
    let Ok(file) = NamedFile::open_async(&stored.path).await else {
        return not_found();
    };
    let mut response = file
        .set_content_type(
            stored
                .mime
                .parse()
                .unwrap_or(mime::APPLICATION_OCTET_STREAM),
        )
        .into_response(&request);
    let headers = response.headers_mut();
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(header::CACHE_CONTROL, forever);
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

fn not_found() -> HttpResponse {
    let message = "there is no such file, or it made room for newer ones";
    ApiError::new(ErrorCode::NotFound, message).respond(&Uuid::now_v7().to_string())
}
