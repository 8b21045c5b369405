//! Lists of the admin: `{count, list, next}`, newest first, keyset pages.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use troupe_actors::storage::queries::{Cursor, CursorError, calls::CallFilter, charges, restarts};
use troupe_protocol::openai::error::ErrorCode;

use super::{
    admitted::{Admin, Refused},
    json,
};
use crate::http::error::ApiError;

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
    /// Where the asked page begins.
    pub fn before(&self) -> Result<Option<Cursor>, ApiError> {
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

/// `GET /api/admin/calls?app&model&outcome&limit&cursor`
pub async fn calls(admin: Admin, query: web::Query<Query>) -> Result<HttpResponse, Refused> {
    let filter = CallFilter {
        app_id: query.app.clone(),
        model: query.model.clone(),
        outcome: query.outcome.clone(),
    };
    let log = &admin.services.calls;
    let page = log.list(filter, query.before()?, query.limit()).await?;
    Ok(json(&page))
}

/// `GET /api/admin/restarts?limit&cursor`
pub async fn restarts(admin: Admin, query: web::Query<Query>) -> Result<HttpResponse, Refused> {
    let (before, limit) = (query.before()?, query.limit());
    let list = move |conn: &mut _| restarts::list(conn, before.as_ref(), limit);
    Ok(json(&admin.services.database.read(list).await?))
}

/// `GET /api/admin/charges?app&limit&cursor`
pub async fn charges(admin: Admin, query: web::Query<Query>) -> Result<HttpResponse, Refused> {
    let (before, limit, app) = (query.before()?, query.limit(), query.app.clone());
    let list = move |conn: &mut _| charges::list(conn, app.as_deref(), before.as_ref(), limit);
    Ok(json(&admin.services.database.read(list).await?))
}

/// `GET /api/admin/pools`: every provider's tokens, by alias, with the reason and time of each rest.
pub async fn pools(admin: Admin) -> HttpResponse {
    let directory = admin.services.catalog.directory().clone();
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
