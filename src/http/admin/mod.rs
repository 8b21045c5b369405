//! The admin's JSON: calls, restarts, the supervision tree.

pub mod gate;
mod lists;
mod supervision;

use actix_web::{HttpResponse, http::StatusCode, http::header, web};
use serde::Serialize;

use super::{
    error::{ApiError, REQUEST_ID},
    services::OnWorker,
};

/// `/api/admin/…`
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/api/admin/calls").get(lists::calls))
        .service(web::resource("/api/admin/restarts").get(lists::restarts))
        .service(web::resource("/api/admin/pools").get(lists::pools))
        .service(web::resource("/api/admin/supervision").get(supervision::tree))
        .service(web::resource("/api/admin/supervision/events").get(supervision::events))
        .service(
            web::resource("/api/admin/supervision/{path:.*}/restart").post(supervision::restart),
        )
        .service(web::resource("/api/admin/supervision/{path:.*}/fault").post(supervision::fault));
}

/// A page of a list.
#[derive(Serialize)]
struct List<T> {
    /// Rows in all, over all pages.
    count: u64,
    list: Vec<T>,
    /// The cursor of the next page; none on the last.
    next: Option<String>,
}

fn json<T: Serialize>(body: &T) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(body)
}

fn refuse(error: &ApiError) -> HttpResponse {
    let id = uuid::Uuid::now_v7().to_string();
    let mut response = error.respond(&id);
    if response.status() == StatusCode::UNAUTHORIZED {
        // lets a browser ask for the password
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            header::HeaderValue::from_static("Basic realm=\"Troupe admin\", charset=\"UTF-8\""),
        );
    }
    debug_assert!(response.headers().contains_key(REQUEST_ID));
    response
}

/// Lets an admin in, or answers for why not.
async fn admitted(worker: &OnWorker, request: &actix_web::HttpRequest) -> Result<(), HttpResponse> {
    let admins = &worker.0.services.admins;
    let entered = admins.enter(request, &worker.0.services.database).await;
    entered.map_err(|error| refuse(&error))
}
