//! Error answers in the words of ModelScope.

use serde_json::{Value, json};

use crate::{
    behaviour::{Reason, Refusal},
    voice::{Problem, Voice},
};

/// How ModelScope refuses.
pub(super) struct ModelScope;

impl Voice for ModelScope {
    fn no_credential(&self) -> Problem {
        Problem::new(401, body(NO_TOKEN))
    }

    fn bad_request(&self, message: &str) -> Problem {
        Problem::new(400, body(message))
    }

    fn refusal(&self, refusal: &Refusal, token: &str, model: &str) -> Problem {
        let problem = match (&refusal.reason, refusal.status) {
            (Reason::Quota, _) => spent(model),
            (Reason::Policy, _) => Problem::new(400, body("The prompt is not appropriate.")),
            (Reason::LeaksCredential, status) => {
                Problem::new(status, body(&format!("Invalid token: {token}")))
            }
            (Reason::WrongCredential, _) | (_, 401) => self.no_credential(),
            (_, 403) => Problem::new(403, body("Please complete real-name verification first.")),
            (_, 404) => Problem::new(404, body(&format!("Invalid model id: {model}"))),
            (_, 429) => Problem::new(429, body("Request limit exceeded, slow down.")),
            (_, status @ 500..) => {
                Problem::new(status, body("Server is busy, please try again later"))
            }
            (_, status) => Problem::new(status, body("The request is not valid.")),
        };
        Problem {
            retry_after: refusal.retry_after.clone(),
            ..problem
        }
    }

    fn headers(&self, _spent: bool) -> Vec<(&'static str, String)> {
        [
            ("modelscope-ratelimit-requests-limit", "2000"),
            ("modelscope-ratelimit-requests-remaining", "1500"),
            ("modelscope-ratelimit-model-requests-limit", "200"),
            ("modelscope-ratelimit-model-requests-remaining", "100"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into()
    }
}

const NO_TOKEN: &str =
    "Authentication failed, please make sure that a valid ModelScope token is supplied.";

/// Nothing is left of the model's day; of the account's there is.
fn spent(model: &str) -> Problem {
    let text = format!(
        "You have exceeded today's quota for model {model}, please try again tomorrow, or consider \
         using other models"
    );
    Problem {
        headers: &[("modelscope-ratelimit-model-requests-remaining", "0")],
        ..Problem::new(429, body(&text))
    }
}

pub(super) fn no_task(id: &str) -> Problem {
    Problem::new(404, body(&format!("task {id} does not exist")))
}

fn body(message: &str) -> Value {
    json!({"errors": {"message": message}, "request_id": "sim"})
}
