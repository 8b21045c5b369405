//! Lists of the admin: `{count, list, next}`, newest first, keyset pages.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use troupe_actors::storage::{
    StorageError,
    queries::{Cursor, CursorError, calls::CallFilter, charges, restarts},
};
use troupe_protocol::openai::error::ErrorCode;

use super::{admitted, json, refuse};
use crate::http::{error::ApiError, services::OnWorker};

/// What lists can be asked with.
#[derive(Debug, Deserialize)]
pub struct Query {
    /// Rows of a page, 1 to 500.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
    pub app: Option<String>,
    pub model: Option<String>,
    pub provider: Option<String>,
    outcome: Option<String>,
    state: Option<String>,
}

const PAGE: usize = 50;
const MAX_PAGE: usize = 500;

impl Query {
    fn before(&self) -> Result<Option<Cursor>, ApiError> {
        let parsed = self.cursor.as_deref().map(str::parse).transpose();
        parsed.map_err(|error: CursorError| {
            ApiError::param(ErrorCode::InvalidRequest, "cursor", error.to_string())
        })
    }

    /// The state that is asked for, if there is one of that name.
    pub fn state(&self, is_one: impl Fn(&str) -> bool) -> Result<Option<String>, ApiError> {
        match &self.state {
            Some(name) if !is_one(name) => {
                let message = format!("there is no state `{name}`");
                Err(ApiError::param(ErrorCode::InvalidRequest, "state", message))
            }
            state => Ok(state.clone()),
        }
    }

    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(PAGE).clamp(1, MAX_PAGE)
    }
}

/// Lets an admin in, and says where the asked page begins.
pub async fn begin(
    worker: &OnWorker,
    request: &HttpRequest,
    query: &Query,
) -> Result<Option<Cursor>, HttpResponse> {
    admitted(worker, request).await?;
    query.before().map_err(|error| refuse(&error))
}

/// `GET /api/admin/calls?app&model&outcome&limit&cursor`
pub async fn calls(
    worker: OnWorker,
    request: HttpRequest,
    query: web::Query<Query>,
) -> HttpResponse {
    let before = match begin(&worker, &request, &query).await {
        Ok(before) => before,
        Err(refusal) => return refusal,
    };
    let filter = CallFilter {
        app_id: query.app.clone(),
        model: query.model.clone(),
        outcome: query.outcome.clone(),
    };
    let log = &worker.0.services.calls;
    answered(log.list(filter, before, query.limit()).await)
}

/// `GET /api/admin/restarts?limit&cursor`
pub async fn restarts(
    worker: OnWorker,
    request: HttpRequest,
    query: web::Query<Query>,
) -> HttpResponse {
    let before = match begin(&worker, &request, &query).await {
        Ok(before) => before,
        Err(refusal) => return refusal,
    };
    let limit = query.limit();
    let read = worker
        .0
        .services
        .database
        .read(move |conn| restarts::list(conn, before.as_ref(), limit));
    answered(read.await)
}

/// `GET /api/admin/charges?app&limit&cursor`
pub async fn charges(
    worker: OnWorker,
    request: HttpRequest,
    query: web::Query<Query>,
) -> HttpResponse {
    let before = match begin(&worker, &request, &query).await {
        Ok(before) => before,
        Err(refusal) => return refusal,
    };
    let (app, limit) = (query.app.clone(), query.limit());
    let list = move |conn: &mut _| charges::list(conn, app.as_deref(), before.as_ref(), limit);
    answered(worker.0.services.database.read(list).await)
}

fn answered<T: serde::Serialize>(page: Result<T, StorageError>) -> HttpResponse {
    match page {
        Ok(page) => json(&page),
        Err(error) => refuse(&ApiError::new(
            ErrorCode::GatewayOverloaded,
            format!("{error}; it is tried again by itself, ask again shortly"),
        )),
    }
}

/// `GET /api/admin/pools`: every provider's tokens, by alias, with the reason and time of each rest.
pub async fn pools(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    if let Err(refusal) = admitted(&worker, &request).await {
        return refusal;
    }
    let directory = worker.0.services.catalog.directory().clone();
    let mut list = Vec::new();
    for provider in directory.providers() {
        let pool = match provider.pool.snapshot().await {
            Ok(snapshot) => json!(snapshot),
            Err(error) => json!({ "error": error.to_string() }),
        };
        list.push(json!({ "provider": provider.name, "pool": pool }));
    }
    json(&json!({ "count": list.len(), "list": list, "next": null }))
}
