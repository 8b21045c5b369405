//! Errors as Imagine Server's clients read them: `{"error": "…", "message": "…"}`, and a stable code.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::{call::Call, error::ApiError, services::OnWorker};

/// Lets an admin in, or answers for why not.
pub async fn admin_only(worker: &OnWorker, request: &HttpRequest) -> Result<(), HttpResponse> {
    let services = &worker.0.services;
    let entered = services.admins.enter(request, &services.database).await;
    entered.map_err(|error| unrecorded(&error))
}

/// The answer to a request that is no call.
pub fn unrecorded(error: &ApiError) -> HttpResponse {
    respond(error, &Uuid::now_v7().to_string())
}

/// Records a refusal and makes its answer.
pub fn refuse(call: Call, error: &ApiError) -> HttpResponse {
    let response = respond(error, call.id());
    call.refuse_as(error, response)
}

/// The answer to a request that has no record.
pub fn respond(error: &ApiError, request_id: &str) -> HttpResponse {
    let plain = error.respond(request_id);
    let fault = json!({
        "message": error.message,
        "code": error.code.as_str(),
        "param": error.param,
    });
    let mut body = body(plain.status(), &fault, request_id);
    if let Some(seconds) = error.retry_seconds() {
        body["retry_after"] = seconds.into();
    }
    // the headers are those of every surface
    plain.set_body(body.to_string()).map_into_boxed_body()
}

/// An error's body, made of the `message`, `code` and `param` that it has on OpenAI's surface.
pub fn body(status: StatusCode, fault: &Value, request_id: &str) -> Value {
    let heading = match status.as_u16() {
        400 | 413 | 415 | 422 => "Invalid parameters",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not found",
        429 => "Too Many Requests",
        _ => "Request failed",
    };
    json!({
        "error": heading,
        "message": fault["message"],
        "code": fault["code"],
        "param": fault["param"],
        "request_id": request_id,
    })
}
