//! Error answers in the words of Ark.

use serde_json::{Value, json};

use crate::{
    behaviour::{Reason, Refusal},
    voice::{Problem, Voice},
};

/// How Ark refuses.
pub(super) struct Ark;

impl Voice for Ark {
    fn no_credential(&self) -> Problem {
        problem(
            401,
            "AuthenticationError",
            "the API key in the request is missing",
        )
    }

    fn bad_request(&self, message: &str) -> Problem {
        problem(400, "InvalidParameter", message)
    }

    /// 429 is said of haste and of an empty quota alike.
    fn refusal(&self, refusal: &Refusal, token: &str, model: &str) -> Problem {
        let problem = match (&refusal.reason, refusal.status) {
            (Reason::Quota, _) => problem(
                429,
                "SetLimitExceeded",
                &format!("The inference limit of {model} is reached, and the service is paused."),
            ),
            (Reason::Policy, _) => problem(
                400,
                "InputTextSensitiveContentDetected",
                "The request failed because the input text may contain sensitive information.",
            ),
            (Reason::LeaksCredential, status) => problem(
                status,
                "AuthenticationError",
                &format!("The API key {token} is incorrect."),
            ),
            (Reason::WrongCredential, _) | (_, 401) => problem(
                401,
                "AuthenticationError",
                "The API key format is incorrect.",
            ),
            (_, 402 | 403) => problem(
                403,
                "AccountOverdueError",
                "The request failed because your account has an overdue balance.",
            ),
            (_, 404) => problem(
                404,
                "InvalidEndpointOrModel.NotFound",
                &format!(
                    "The model or endpoint {model} does not exist or you do not have access to it."
                ),
            ),
            (_, 429) => problem(
                429,
                "ModelAccountIpmRateLimitExceeded",
                "The images per minute limit of this model is exceeded.",
            ),
            (_, 503) => problem(429, "ServerOverloaded", "The service is overloaded."),
            (_, status @ 500..) => problem(
                status,
                "InternalServiceError",
                "The service encountered an unexpected internal error.",
            ),
            (_, status) => problem(status, "InvalidParameter", "A parameter is not valid."),
        };
        Problem {
            retry_after: refusal.retry_after.clone(),
            ..problem
        }
    }

    fn headers(&self, _spent: bool) -> Vec<(&'static str, String)> {
        vec![("x-request-id", "sim".to_owned())]
    }
}

pub(super) fn no_task() -> Problem {
    problem(404, "ResourceNotFound", "The task is not found.")
}

/// A picture that is not fit to be seen.
pub(super) fn risky() -> Value {
    error(
        "OutputImageSensitiveContentDetected",
        "The request failed because the output image may contain sensitive information.",
    )
}

fn problem(status: u16, code: &str, message: &str) -> Problem {
    Problem::new(status, json!({ "error": error(code, message) }))
}

fn error(code: &str, message: &str) -> Value {
    let message = format!("{message} Request id: sim");
    json!({"code": code, "message": message, "param": "", "type": "BadRequest"})
}
