//! Error answers in the words of ModelsLab.

use serde_json::{Value, json};

use crate::{
    behaviour::{Reason, Refusal},
    voice::{Problem, Voice},
};

/// How ModelsLab refuses: often with 200.
pub(super) struct ModelsLab;

impl Voice for ModelsLab {
    fn no_credential(&self) -> Problem {
        Problem::new(401, body("Invalid API key"))
    }

    fn bad_request(&self, message: &str) -> Problem {
        Problem::new(400, body(message))
    }

    fn refusal(&self, refusal: &Refusal, token: &str, _model: &str) -> Problem {
        let (status, text) = match (&refusal.reason, refusal.status) {
            // the older part of the service
            (Reason::Quota, _) => {
                let message = "Insufficient credits. Please add more credits to continue.";
                let body = json!({"status": "error", "messege": message});
                return Problem::new(200, body);
            }
            (Reason::Policy, _) => (400, "The prompt is not allowed".to_owned()),
            (Reason::LeaksCredential, status) => (status, format!("Invalid API key: {token}")),
            (Reason::WrongCredential, _) | (_, 401) => (401, "Invalid API key".to_owned()),
            (_, 403) => (
                403,
                "This feature requires a premium subscription".to_owned(),
            ),
            (_, 429) => {
                let message = "Rate limit exceeded. Maximum 5 queued requests allowed.";
                (429, message.to_owned())
            }
            (_, status @ 500..) => (
                status,
                "Internal server error. Please try again.".to_owned(),
            ),
            (_, status) => (status, "Invalid model".to_owned()),
        };
        Problem {
            retry_after: refusal.retry_after.clone(),
            ..Problem::new(status, body(&text))
        }
    }

    fn headers(&self, _spent: bool) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

pub(super) fn no_task() -> Problem {
    Problem::new(404, body("Request not found"))
}

fn body(message: &str) -> Value {
    json!({"status": "error", "message": message})
}
