//! Error answers in the words of the real service.

use actix_web::{
    Error, HttpResponse, HttpResponseBuilder,
    error::InternalError,
    http::{StatusCode, header},
};
use serde_json::{Value, json};

use crate::behaviour::{Reason, Refusal};

/// The answer to a request of `token` for `model`.
pub(crate) fn answer(refusal: &Refusal, token: &str, model: &str) -> Error {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = HttpResponse::build(status);
    if let Some(after) = &refusal.retry_after {
        answer.insert_header((header::RETRY_AFTER, after.as_str()));
    }
    finish(
        answer,
        match &refusal.reason {
            Reason::Body(body) => body.clone(),
            reason => text(reason, refusal.status, token, model).to_string(),
        },
    )
}

/// 400 for a request that makes no sense.
pub(crate) fn bad_request(message: &str) -> Error {
    let text = error(message, "invalid_request_error", None);
    finish(HttpResponse::BadRequest(), text.to_string())
}

/// 404 for a model that nobody has.
pub(crate) fn unknown_model(model: &str) -> Error {
    let text = usual_text(404, "", model);
    finish(HttpResponse::NotFound(), text.to_string())
}

/// 401 for a request without a credential.
pub(crate) fn no_credential() -> Error {
    let text = error(
        "You didn't provide an API key. You need to provide your API key in an Authorization \
         header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
        "invalid_request_error",
        None,
    );
    finish(HttpResponse::Unauthorized(), text.to_string())
}

fn finish(mut answer: HttpResponseBuilder, body: String) -> Error {
    answer.insert_header((header::CONTENT_TYPE, "application/json"));
    answer.insert_header(("x-request-id", "req_sim"));
    InternalError::from_response("refused", answer.body(body)).into()
}

/// The event that ends a stream in mid-way.
pub(crate) fn stream_error() -> Value {
    error(
        "The server had an error while processing your request. Sorry about that!",
        "server_error",
        None,
    )
}

fn text(reason: &Reason, status: u16, token: &str, model: &str) -> Value {
    match reason {
        Reason::Quota => error(
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota",
            Some("insufficient_quota"),
        ),
        Reason::Policy => error(
            "Your request was rejected as a result of our safety system.",
            "invalid_request_error",
            Some("content_policy_violation"),
        ),
        Reason::LeaksCredential => error(
            &format!("Incorrect API key provided: {token}."),
            "invalid_request_error",
            Some("invalid_api_key"),
        ),
        Reason::Usual | Reason::Body(_) => usual_text(status, token, model),
    }
}

fn usual_text(status: u16, token: &str, model: &str) -> Value {
    match status {
        400 => json!({"error": {
            "message": "This model's maximum context length is 8192 tokens. However, your messages \
                        resulted in 9001 tokens. Please reduce the length of the messages.",
            "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded",
        }}),
        401 => error(
            &format!("Incorrect API key provided: {}.", masked(token)),
            "invalid_request_error",
            Some("invalid_api_key"),
        ),
        403 => error(
            &format!("Project `proj_sim` does not have access to model `{model}`"),
            "invalid_request_error",
            Some("model_not_found"),
        ),
        404 => error(
            &format!("The model `{model}` does not exist or you do not have access to it."),
            "invalid_request_error",
            Some("model_not_found"),
        ),
        429 => error(
            &format!(
                "Rate limit reached for {model} in organization org-sim on requests per min (RPM): \
                 Limit 3, Used 3, Requested 1. Please try again in 20s."
            ),
            "requests",
            Some("rate_limit_exceeded"),
        ),
        503 => error(
            "The engine is currently overloaded, please try again later.",
            "server_error",
            None,
        ),
        _ => stream_error(),
    }
}

fn error(message: &str, kind: &str, code: Option<&str>) -> Value {
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}

/// `sk-a***********wxyz`, as the real service shows a wrong key.
fn masked(token: &str) -> String {
    let (head, tail) = (
        token.get(..4).unwrap_or_default(),
        token
            .get(token.len().saturating_sub(4)..)
            .unwrap_or_default(),
    );
    format!("{head}***********{tail}")
}
