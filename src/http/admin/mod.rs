//! The admin's JSON: calls, charges, restarts, pools, routes, jobs and what is told of them, housekeeping, the
//! supervision tree.

mod admitted;
pub mod gate;
mod housekeeping;
mod jobs;
mod lists;
mod route;
mod supervision;

use actix_web::{
    FromRequest as _, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header,
    middleware::{Next, from_fn},
    web,
};
use serde::Serialize;

use self::admitted::Admin;
use super::layers::resource;

/// `/api/admin/…`
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/api/admin/calls").get(lists::calls))
        .service(resource("/api/admin/charges").get(lists::charges))
        .service(resource("/api/admin/restarts").get(lists::restarts))
        .service(resource("/api/admin/pools").get(lists::pools))
        .service(resource("/api/admin/route").get(route::explain))
        .service(resource("/api/admin/jobs").get(jobs::list))
        .service(resource("/api/admin/jobs/{id}/cancel").post(jobs::cancel))
        .service(resource("/api/admin/webhooks/deliveries").get(jobs::deliveries))
        .service(resource("/api/admin/webhooks/deliveries/{id}/redeliver").post(jobs::redeliver))
        .service(
            resource("/api/admin/housekeeping")
                .get(housekeeping::last)
                .post(housekeeping::run),
        )
        .service(resource("/api/admin/supervision").get(supervision::tree))
        .service(resource("/api/admin/supervision/events").get(supervision::events))
        .service(resource("/api/admin/supervision/{path:.*}/restart").post(supervision::restart))
        .service(resource("/api/admin/supervision/{path:.*}/fault").post(supervision::fault));
}

/// `/admin/…`: the pages, for admins only.
pub fn pages(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("")
            .guard(actix_web::guard::fn_guard(|context| {
                context.head().uri.path().starts_with("/admin/")
            }))
            .configure(crate::pages::admin)
            .wrap(from_fn(admins_only)),
    );
}

async fn admins_only(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match Admin::extract(request.request()).await {
        Ok(_) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(refusal) => Ok(request.error_response(refusal)),
    }
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

/// What an admin asked for; it is not for caches.
pub fn json<T: Serialize>(body: &T) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(body)
}
