//! Error answers in the words of OpenAI, for chat, Responses, embeddings, images and models.

use actix_web::Error;
use serde_json::{Value, json};

use crate::{
    behaviour::{Reason, Refusal},
    voice::{Problem, Voice},
};

/// How OpenAI refuses.
pub(crate) struct OpenAi;

impl Voice for OpenAi {
    fn no_credential(&self) -> Problem {
        let text = "You didn't provide an API key. You need to provide your API key in an \
                    Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).";
        Problem::new(401, error(text, "invalid_request_error", None))
    }

    fn bad_request(&self, message: &str) -> Problem {
        Problem::new(400, error(message, "invalid_request_error", None))
    }

    fn refusal(&self, refusal: &Refusal, token: &str, model: &str) -> Problem {
        let body = text(&refusal.reason, refusal.status, token, model);
        Problem {
            retry_after: refusal.retry_after.clone(),
            ..Problem::new(refusal.status, body)
        }
    }

    fn headers(&self, spent: bool) -> Vec<(&'static str, String)> {
        let left = if spent { "0" } else { "9999" };
        [
            ("x-request-id", "req_sim"),
            ("openai-processing-ms", "12"),
            ("x-ratelimit-limit-requests", "10000"),
            ("x-ratelimit-limit-tokens", "2000000"),
            ("x-ratelimit-remaining-requests", left),
            ("x-ratelimit-remaining-tokens", "1999989"),
            ("x-ratelimit-reset-requests", "6ms"),
            ("x-ratelimit-reset-tokens", "1s"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into()
    }
}

/// Ends a request that makes no sense with 400.
pub(crate) fn bad_request(message: &str) -> Error {
    OpenAi.bad_request(message).end(&OpenAi)
}

/// 400 that names the parameter and the code.
pub(crate) fn objection(message: &str, param: &str, code: Option<&str>) -> Problem {
    let param = (!param.is_empty()).then_some(param);
    let body = json!({"error": {
        "message": message, "type": "invalid_request_error", "param": param, "code": code,
    }});
    Problem::new(400, body)
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
        Reason::WrongCredential => usual_text(401, token, model),
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
