//! What surrounds every handler: header limit, panic to 500, `connection: close` while draining.

use std::{panic::AssertUnwindSafe, rc::Rc};

use actix_web::{
    HttpRequest, HttpResponse, Resource, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, StatusCode,
        header::{self, HeaderValue},
    },
    middleware::Next,
    web,
};
use derive_more::Display;
use futures_util::FutureExt as _;
use troupe_protocol::{dialect::Client, openai::error::ErrorCode};
use uuid::Uuid;

use super::{dialect::client_of, error::ApiError, services::Worker};

/// Runs the rest of the service, and answers in its place where it must not run or panicked.
///
/// # Errors
/// Those of the service within.
pub async fn guard<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let worker = request.app_data::<Rc<Worker>>().cloned();
    if let Some(worker) = &worker {
        let limit = worker.services.config.max_header_bytes;
        if header_bytes(&request) > limit {
            return Ok(refuse(request, &headers_too_large(limit)));
        }
    }
    let client = client_of(request.path(), request.headers());
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(answered) => Ok(close_while_draining(
            answered?.map_into_boxed_body(),
            worker,
        )),
        Err(_) => {
            if let Some(worker) = worker {
                worker.services.metrics.panicked();
            }
            // the request is gone with the panic, so this cannot be a response to it
            Err(Panicked { client }.into())
        }
    }
}

fn header_bytes(request: &ServiceRequest) -> usize {
    // what surrounds a header on the wire: a colon, a blank, CR and LF
    const AROUND: usize = 4;
    let line = request
        .uri()
        .path_and_query()
        .map_or(0, |path| path.as_str().len());
    let headers = request.headers().iter();
    line + headers
        .map(|(name, value)| name.as_str().len() + value.len() + AROUND)
        .sum::<usize>()
}

fn refuse(request: ServiceRequest, error: &ApiError) -> ServiceResponse<BoxBody> {
    let client = client_of(request.path(), request.headers());
    request.into_response(error.respond_to(client, &Uuid::now_v7().to_string()))
}

fn headers_too_large(limit: usize) -> ApiError {
    let message = format!("the request's headers are larger than the limit of {limit} bytes");
    ApiError::new(ErrorCode::HeadersTooLarge, message)
}

/// While draining, a kept-alive connection would only bring requests that belong elsewhere.
fn close_while_draining(
    mut answered: ServiceResponse<BoxBody>,
    worker: Option<Rc<Worker>>,
) -> ServiceResponse<BoxBody> {
    if worker.is_some_and(|worker| worker.services.draining.is_cancelled()) {
        let response = answered.response_mut();
        response
            .head_mut()
            .set_connection_type(ConnectionType::Close);
        response.headers_mut().insert(header::CONNECTION, CLOSE);
    }
    answered
}

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// A handler panicked.
#[derive(Debug, Display)]
#[display("the gateway failed on this request; it is logged, and others go on")]
pub struct Panicked {
    pub client: Client,
}

impl ResponseError for Panicked {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse {
        let error = ApiError::new(ErrorCode::InternalError, self.to_string());
        error.respond_to(self.client, &Uuid::now_v7().to_string())
    }
}

/// A route that answers other methods than its own in our shape.
pub fn resource(path: &str) -> Resource {
    web::resource(path).default_service(web::to(nothing_here))
}

/// The answer of paths that do not exist, and of methods that a path does not take.
pub async fn nothing_here(request: HttpRequest) -> HttpResponse {
    let known = request.resource_map().has_resource(request.path());
    let error = if known {
        let message = format!("{} does not take {}", request.path(), request.method());
        ApiError::new(ErrorCode::MethodNotAllowed, message)
    } else {
        let message = format!("there is no {}", request.path());
        ApiError::new(ErrorCode::NotFound, message)
    };
    let client = client_of(request.path(), request.headers());
    error.respond_to(client, &Uuid::now_v7().to_string())
}

/// The answer where an extractor could not read a path, query or JSON body.
pub fn unreadable(error: &dyn std::fmt::Display) -> actix_web::Error {
    let told = ApiError::new(ErrorCode::InvalidRequest, error.to_string());
    let response = told.respond(&Uuid::now_v7().to_string());
    actix_web::error::InternalError::from_response(told, response).into()
}
