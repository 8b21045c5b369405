//! Requests that repeat others: with the same `Idempotency-Key`, or with the same body from a key with dedupe.
//!
//! | room | what it is for |
//! |---|---|
//! | this | the layer around all routes: who is concerned at all |
//! | `body` | its body, read before it is known who serves it |
//! | `request` | the request that may be a repeat, and what becomes of it |
//! | `maker` | the task that makes an answer for all who wait for it |
//! | `bodies` | the bodies that carry it to each of them |
//!
//! It stands around the route table, so a new route under `/v1/` or `/api/v1/` needs to know nothing of it.

mod bodies;
mod body;
mod maker;
mod request;

use std::{
    future::{Ready, ready},
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    Error,
    body::BoxBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    http::{Method, header::HeaderName},
};
use futures_util::future::{Either, LocalBoxFuture};

use self::request::serve;
use super::services::Worker;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The layer. Requests that it does not concern pay for a look at their method and headers.
pub struct Repeats;

impl<S> Transform<S, ServiceRequest> for Repeats
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = Layer<S>;
    type InitError = ();
    type Future = Ready<Result<Layer<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Layer(Rc::new(service))))
    }
}

/// The layer around one HTTP thread's routes.
pub struct Layer<S>(Rc<S>);

impl<S> Service<ServiceRequest> for Layer<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = Either<S::Future, LocalBoxFuture<'static, Result<Self::Response, Error>>>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        match concerned(&request) {
            Some(worker) => Either::Right(Box::pin(serve(self.0.clone(), request, worker))),
            None => Either::Left(self.0.call(request)),
        }
    }
}

/// What stands under these is not given again: answers about webhooks show secrets, once, and a reset is an admin's.
const NOT_THESE: [&str; 2] = ["/v1/webhooks", "/api/v1/token-reset"];

/// A POST of the client surfaces that has a key of its own, or could be of an API key with dedupe.
fn concerned(request: &ServiceRequest) -> Option<Rc<Worker>> {
    let path = request.path();
    let is_surface = path.starts_with("/v1/") || path.starts_with("/api/v1/");
    let may_repeat = is_surface && !NOT_THESE.iter().any(|not| path.starts_with(not));
    if request.method() != Method::POST || !may_repeat {
        return None;
    }
    let worker = request.app_data::<Rc<Worker>>()?;
    let may_be =
        request.headers().contains_key(IDEMPOTENCY_KEY) || worker.services.keys.any_dedupes();
    may_be.then(|| worker.clone())
}
