//! `/v1/webhooks`: who is told of the ends of jobs, and how that goes.
//!
//! | room | what it is for |
//! |---|---|
//! | `endpoints` | an app's receivers |
//! | `secret` | what signs for the URLs of single jobs |
//! | `deliveries` | what was told, and what could not be |
//! | [`wanted`] | the receiver that a single job names |
//! | `told` | the messages themselves |

mod deliveries;
mod endpoints;
mod secret;
mod told;
pub mod wanted;

use std::time::Duration;

use actix_web::{HttpResponse, http::header, web};
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use troupe_actors::jobs::webhooks::WebhookError;
use troupe_protocol::openai::error::ErrorCode;
use uuid::Uuid;

pub use told::Messages;

use super::{error::ApiError, layers::resource};

/// `/v1/webhooks…`. Fixed routes stand before those with parameters.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            resource("/v1/webhooks")
                .get(endpoints::list)
                .post(endpoints::create),
        )
        .service(resource("/v1/webhooks/secret").get(secret::get))
        .service(resource("/v1/webhooks/secret/rotate").post(secret::rotate))
        .service(resource("/v1/webhooks/deliveries").get(deliveries::list))
        .service(resource("/v1/webhooks/deliveries/{id}/redeliver").post(deliveries::redeliver))
        .service(
            resource("/v1/webhooks/{id}")
                .get(endpoints::get)
                .delete(endpoints::delete),
        )
        .service(resource("/v1/webhooks/{id}/rotate").post(endpoints::rotate))
        .service(resource("/v1/webhooks/{id}/enable").post(endpoints::enable));
}

/// The answer: what is asked, or why not. None of this is a call to a model, so none has a call record.
fn told(answer: Result<Value, ApiError>) -> HttpResponse {
    match answer {
        Ok(body) => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(body),
        Err(error) => error.respond(&Uuid::now_v7().to_string()),
    }
}

/// 404, also for what is another app's.
fn absent(what: &str, id: &str) -> ApiError {
    // an id from a path: shown only as far as ids go
    let id: String = id.chars().take(64).collect();
    let message = format!("there is no {what} `{id}` of this app, or not any more");
    ApiError::new(ErrorCode::NotFound, message)
}

/// A page of a list whose rows were asked for one beyond `limit`.
fn page(mut data: Vec<Value>, limit: usize) -> Value {
    let has_more = data.len() > limit;
    data.truncate(limit);
    let last_id = data.last().map(|last| last["id"].clone());
    json!({"object": "list", "data": data, "has_more": has_more, "last_id": last_id})
}

/// A time as messages tell it, from milliseconds since 1970.
fn iso(at: i64) -> String {
    let at = DateTime::from_timestamp_millis(at).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl From<WebhookError> for ApiError {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::Url(error) => Self {
                param: Some("url".to_owned()),
                ..error.into()
            },
            WebhookError::TooMany { .. } => Self::new(ErrorCode::InvalidRequest, error.to_string()),
            WebhookError::Database(_) => {
                log::warn!("{error}");
                let message = "webhooks cannot be reached at the moment, try again later";
                Self::new(ErrorCode::StorageUnavailable, message).retry(Duration::from_secs(5))
            }
            WebhookError::Secret(_) => {
                log::error!("{error}");
                Self::new(ErrorCode::InternalError, error.to_string())
            }
        }
    }
}
