//! Housekeeping on demand, and what came of it last.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{
    admitted::{Admin, Refused},
    json,
};

/// How it is to be done.
#[derive(Debug, Deserialize)]
pub struct Query {
    /// Only says what would go.
    #[serde(default)]
    dry_run: bool,
}

/// `POST /api/admin/housekeeping?dry_run`: does everything now, and tells what went.
pub async fn run(admin: Admin, query: web::Query<Query>) -> Result<HttpResponse, Refused> {
    Ok(json(&admin.services.housekeeping.run(query.dry_run).await?))
}

/// `GET /api/admin/housekeeping`: the report of the last round since the start; `null` before the first.
pub async fn last(admin: Admin) -> Result<HttpResponse, Refused> {
    Ok(json(&admin.services.housekeeping.last().await?))
}
