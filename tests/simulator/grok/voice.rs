//! Error answers in the words of xAI: `{"code": words, "error": text}`.

use serde_json::{Value, json};

use crate::{
    behaviour::{Reason, Refusal},
    voice::{Problem, Voice},
};

/// How xAI refuses.
pub(super) struct Grok;

impl Voice for Grok {
    fn no_credential(&self) -> Problem {
        let text = "No API key provided. You can obtain one from https://console.x.ai.";
        Problem::new(401, body("Unauthenticated", text))
    }

    fn bad_request(&self, message: &str) -> Problem {
        Problem::new(400, body(INVALID, message))
    }

    /// A wrong key is told with 400.
    fn refusal(&self, refusal: &Refusal, token: &str, model: &str) -> Problem {
        let wrong_key = |key: &str| {
            body(
                INVALID,
                &format!(
                    "Incorrect API key provided: {key}. You can obtain an API key from https://console.x.ai."
                ),
            )
        };
        let (status, body) = match (&refusal.reason, refusal.status) {
            (Reason::Quota, _) => (429, body(EXHAUSTED, SPENT)),
            (Reason::Policy, _) => (
                400,
                body(INVALID, "Generated image rejected by content moderation."),
            ),
            (Reason::LeaksCredential, _) => (400, wrong_key(token)),
            (Reason::WrongCredential, _) | (_, 401) => (400, wrong_key("xa***ey")),
            (_, status) => (status, usual(status, model)),
        };
        Problem {
            retry_after: refusal.retry_after.clone(),
            ..Problem::new(status, body)
        }
    }

    fn headers(&self, _spent: bool) -> Vec<(&'static str, String)> {
        vec![("x-request-id", "sim".to_owned())]
    }
}

const INVALID: &str = "Client specified an invalid argument";
const EXHAUSTED: &str = "Some resource has been exhausted";
const SPENT: &str = "Your team sim has either used all available credits or reached its monthly spending limit. \
                     To continue making API requests, please purchase more credits or raise your spending limit.";

fn usual(status: u16, model: &str) -> Value {
    let rate = format!(
        "Too many requests for team sim and model {model}. Your team's rate limit is - Requests per Second (actual/limit): 2/1."
    );
    let missing =
        format!("The model {model} does not exist or your team sim does not have access to it.");
    match status {
        403 => body(
            "The caller does not have permission to execute the specified operation",
            "Your newly created team doesn't have any credits yet. You can purchase credits on https://console.x.ai.",
        ),
        404 => body("Some requested entity was not found", &missing),
        429 => body(EXHAUSTED, &rate),
        503 => body(
            "The service is currently unavailable",
            "Service temporarily unavailable. The model is at capacity and currently cannot serve this request.",
        ),
        400 => body(INVALID, "Invalid argument."),
        _ => body("Internal error", "Internal error"),
    }
}

/// What it says of a video that nobody asked for, or somebody else.
pub(super) fn no_request() -> Problem {
    let text = "The requested video was not found.";
    Problem::new(404, body("Some requested entity was not found", text))
}

fn body(code: &str, text: &str) -> Value {
    json!({"code": code, "error": text})
}
