//! The history: completed tasks that still have pictures.

use actix_web::{HttpRequest, HttpResponse, web::Path};
use serde::Deserialize;
use serde_json::json;
use troupe_actors::images::{
    HistoryWish,
    history::{COUNTED, From},
};
use troupe_protocol::openai::error::ErrorCode;

use super::{
    ids::{job_id, task_id},
    refusal::{Refusal, Thing},
    tasks::{answer, asked, find, fresh, limit, remove, shown},
    words,
};
use crate::http::{auth, error::ApiError, services::OnWorker};

/// What a page is to hold.
#[derive(Debug, Deserialize)]
pub struct Asked {
    /// Words of the prompt.
    q: Option<String>,
    tag: Option<String>,
    model: Option<String>,
    limit: Option<usize>,
    /// From 1 on.
    page: Option<usize>,
    /// `next` of the page before; in place of `page`.
    after: Option<String>,
}

/// `GET /api/v1/history`: newest first.
pub async fn list(worker: OnWorker, request: HttpRequest) -> HttpResponse {
    let (services, language) = (&worker.0.services, words::language(&request));
    let listed = async {
        let principal = auth::principal(&request, &services.keys)?;
        let asked: Asked = asked(&request)?;
        let limit = limit(asked.limit, services);
        let page = asked.page.unwrap_or(1).max(1);
        let said = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let wish = HistoryWish {
            words: said(asked.q).map(|words| words.trim().to_owned()),
            tag: said(asked.tag),
            model: said(asked.model),
            from: match asked.after {
                Some(after) => From::After(job_id(&after).unwrap_or(after)),
                None => From::Skip(skipped(page, limit)?),
            },
            limit,
        };
        let history = services
            .studio
            .images
            .history(principal.app_id(), wish)
            .await?;
        let next = history.next.map(|id| task_id(&id));
        let items = shown(&history.jobs, services, language).await?;
        Ok(fresh().json(json!({
            "total": history.total.map(|total| total.count),
            "total_is_exact": history.total.map(|total| total.is_exact),
            "page": page,
            "limit": limit,
            "items": items,
            "next": next,
        })))
    };
    answer(listed.await, language)
}

/// How many a page goes after. Far down it is `after` that finds it without counting all that is before it.
fn skipped(page: usize, limit: usize) -> Result<usize, Refusal> {
    let skipped = (page - 1).saturating_mul(limit);
    if skipped <= COUNTED {
        return Ok(skipped);
    }
    let message = format!("pages go down to task {COUNTED}, take `after` from there on");
    Err(ApiError::param(ErrorCode::InvalidRequest, "page", message).into())
}

/// `DELETE /api/v1/history/{task_id}`: the task with its pictures.
pub async fn delete(worker: OnWorker, request: HttpRequest, id: Path<String>) -> HttpResponse {
    let (services, language) = (&worker.0.services, words::language(&request));
    let deleted = async {
        let job = find(services, &request, &id).await?;
        if !job.state.is_final() {
            return Err(Refusal::Absent(Thing::Task));
        }
        remove(services, &request, &job).await?;
        Ok(HttpResponse::NoContent().finish())
    };
    answer(deleted.await, language)
}
