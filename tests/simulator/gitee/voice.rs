//! Error answers in the words of Gitee AI.

use serde_json::{Value, json};

use crate::{
    behaviour::{Reason, Refusal},
    voice::{Problem, Voice},
};

/// How Gitee AI refuses.
pub(super) struct Gitee;

impl Voice for Gitee {
    fn no_credential(&self) -> Problem {
        Problem::new(401, body("Unauthorized"))
    }

    fn bad_request(&self, message: &str) -> Problem {
        Problem::new(400, body(message))
    }

    /// What is wrong with the credential, the account or the model is said with 400 alike.
    fn refusal(&self, refusal: &Refusal, token: &str, model: &str) -> Problem {
        let (status, text) = match (&refusal.reason, refusal.status) {
            (Reason::Quota, _) => (400, "Today the free API access limit exceeded.".to_owned()),
            (Reason::Policy, _) => (400, "The content is not allowed.".to_owned()),
            (Reason::LeaksCredential, status) => (status, format!("Invalid access token: {token}")),
            (Reason::WrongCredential, _) | (_, 401) => (401, "Invalid access token".to_owned()),
            (_, 403) => (400, UNAUTHORIZED.to_owned()),
            (_, 402) => (400, UNPAID.to_owned()),
            (_, 404) => (400, format!("Service not found: {model}")),
            (_, 429) => (429, "Too Many Requests".to_owned()),
            (_, 503) => (503, "Service Temporarily Unavailable".to_owned()),
            (_, status) => (status, "Internal Server Error".to_owned()),
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

const UNAUTHORIZED: &str = "The access token cannot access any resources, purchase or authorize \
                            resources to use the access token";

const UNPAID: &str = "Resources are not purchased or authorized. Purchase or authorize resources \
                      before using them.";

pub(super) fn too_many() -> Problem {
    Problem::new(429, body("Too many concurrent tasks"))
}

pub(super) fn no_task() -> Problem {
    Problem::new(404, body("Task not found"))
}

fn body(message: &str) -> Value {
    json!({"message": message})
}
