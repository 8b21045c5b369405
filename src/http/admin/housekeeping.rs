//! Housekeeping on demand, and what came of it last.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use troupe_actors::jobs::housekeeping::HousekeepingError;
use troupe_protocol::openai::error::ErrorCode;

use super::{admitted, json, refuse};
use crate::http::{error::ApiError, services::OnWorker};

/// How it is to be done.
#[derive(Debug, Deserialize)]
pub struct Query {
    /// Only says what would go.
    #[serde(default)]
    dry_run: bool,
}

/// `POST /api/admin/housekeeping?dry_run`: does everything now, and tells what went.
pub async fn run(worker: OnWorker, request: HttpRequest, query: web::Query<Query>) -> HttpResponse {
    if let Err(refusal) = admitted(&worker, &request).await {
        return refusal;
    }
    match worker.0.services.housekeeping.run(query.dry_run).await {
        Ok(report) => json(&report),
        Err(error) => refuse(&refused(&error)),
    }
}

/// `GET /api/admin/housekeeping`: the report of the last round since the start; `null` before the first.
pub async fn last(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    if let Err(refusal) = admitted(&worker, &request).await {
        return refusal;
    }
    match worker.0.services.housekeeping.last().await {
        Ok(report) => json(&report),
        Err(error) => refuse(&refused(&error)),
    }
}

fn refused(error: &HousekeepingError) -> ApiError {
    let code = match error {
        HousekeepingError::Busy(_) => ErrorCode::DuplicateRequest,
        HousekeepingError::Unavailable(_) => ErrorCode::InternalError,
    };
    ApiError::new(code, error.to_string())
}
