//! The list of models in Anthropic's shape, page by page.

use actix_web::HttpRequest;
use serde_json::{Value, json};

use crate::request;

/// Models on a page unless `limit` says otherwise, as the real service has it.
const PAGE: usize = 20;

/// A page of the list: `limit`, `after_id` and `before_id` of the query choose it.
pub(crate) fn models(ids: &[String], request: &HttpRequest) -> Value {
    let limit = request::query(request, "limit").and_then(|limit| limit.parse().ok());
    let at = |name| {
        let wanted = request::query(request, name)?;
        ids.iter().position(|id| id == wanted)
    };
    let from = at("after_id").map_or(0, |at| at + 1);
    let until = at("before_id").unwrap_or(ids.len());
    let rest = ids.get(from..until).unwrap_or_default();
    let page: Vec<&String> = rest.iter().take(limit.unwrap_or(PAGE)).collect();
    let data: Vec<Value> = page.iter().map(|id| model(id)).collect();
    json!({"data": data, "has_more": page.len() < rest.len(),
           "first_id": page.first(), "last_id": page.last()})
}

/// One model.
pub(crate) fn model(id: &str) -> Value {
    json!({"type": "model", "id": id, "display_name": id, "created_at": "2025-11-21T08:00:00Z"})
}
