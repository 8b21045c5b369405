//! Who is let in, and why somebody or something is refused.

use std::{rc::Rc, sync::Arc};

use actix_web::{
    Error, FromRequest, HttpRequest, HttpResponse, ResponseError,
    dev::Payload,
    error::ErrorInternalServerError,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use derive_more::{Display, From};
use futures_util::future::LocalBoxFuture;
use troupe_actors::{
    jobs::{JobError, housekeeping::HousekeepingError, webhooks::WebhookError},
    storage::StorageError,
    supervision::TreeError,
};
use troupe_protocol::openai::error::ErrorCode;
use uuid::Uuid;

use crate::http::{
    error::ApiError,
    services::{Services, Worker},
};

/// An admin who was let in: a handler that takes one serves nobody else.
pub struct Admin {
    pub services: Arc<Services>,
}

impl FromRequest for Admin {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let worker = request.app_data::<Rc<Worker>>();
            let missing = || ErrorInternalServerError("the worker has no services");
            let services = worker.ok_or_else(missing)?.services.clone();
            let entered = services.admins.enter(&request, &services.database).await;
            entered.map_err(Refused::from)?;
            Ok(Self { services })
        })
    }
}

/// Why an admin gets nothing.
#[derive(Debug, Display, From)]
pub enum Refused {
    Job(JobError),
    Webhook(WebhookError),
    Storage(StorageError),
    Tree(TreeError),
    Housekeeping(HousekeepingError),
    #[display("{}", _0.message)]
    Other(ApiError),
}

impl Refused {
    fn told(&self) -> ApiError {
        let code = match self {
            Self::Other(error) => return error.clone(),
            Self::Job(error) => return error.clone().into(),
            Self::Webhook(error) => return error.clone().into(),
            Self::Storage(error) => {
                let message = format!("{error}; it is tried again by itself, ask again shortly");
                return ApiError::new(ErrorCode::GatewayOverloaded, message);
            }
            Self::Tree(TreeError::NoSuchActor { .. }) => ErrorCode::NotFound,
            Self::Tree(TreeError::Down { .. }) => ErrorCode::ActorDown,
            Self::Tree(TreeError::StartTimeout { .. } | TreeError::NoSupervisor) => {
                ErrorCode::InternalError
            }
            Self::Housekeeping(HousekeepingError::Busy(_)) => ErrorCode::DuplicateRequest,
            Self::Housekeeping(HousekeepingError::Unavailable(_)) => ErrorCode::InternalError,
        };
        ApiError::new(code, self.to_string())
    }
}

impl ResponseError for Refused {
    fn error_response(&self) -> HttpResponse {
        let mut response = self.told().respond(&Uuid::now_v7().to_string());
        if response.status() == StatusCode::UNAUTHORIZED {
            // lets a browser ask for the password
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"Troupe admin\", charset=\"UTF-8\""),
            );
        }
        response
    }
}
