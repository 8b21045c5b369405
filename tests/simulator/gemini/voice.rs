//! Error answers in Google's words.

use serde_json::{Value, json};

use crate::{
    behaviour::{Reason, Refusal},
    voice::{Problem, Voice},
};

/// How Gemini refuses.
pub(crate) struct Gemini;

impl Voice for Gemini {
    fn no_credential(&self) -> Problem {
        let text = "Method doesn't allow unregistered callers (callers without established \
                    identity). Please use API Key or other form of API consumer identity to call \
                    this API.";
        problem(403, "PERMISSION_DENIED", text, json!([]))
    }

    fn bad_request(&self, message: &str) -> Problem {
        invalid(message)
    }

    fn refusal(&self, refusal: &Refusal, token: &str, model: &str) -> Problem {
        let Refusal {
            status,
            reason,
            retry_after,
        } = refusal;
        match (reason, status) {
            (Reason::Quota, _) => exhausted("GenerateRequestsPerDayPerProjectPerModel", refusal),
            (Reason::Policy, _) => invalid("The request was blocked by the safety policy."),
            (Reason::LeaksCredential, _) => wrong_key(&format!("API key not valid: {token}.")),
            (Reason::WrongCredential, _) => {
                wrong_key("API key not valid. Please pass a valid API key.")
            }
            (_, 429) => exhausted("GenerateRequestsPerMinutePerProjectPerModel", refusal),
            _ => Problem {
                retry_after: retry_after.clone(),
                ..usual(*status, model)
            },
        }
    }

    fn headers(&self, _spent: bool) -> Vec<(&'static str, String)> {
        vec![("server-timing", "gfet4t7; dur=12".to_owned())]
    }
}

/// 400 in this service's shape.
pub(super) fn invalid(message: &str) -> Problem {
    problem(400, "INVALID_ARGUMENT", message, json!([]))
}

/// 400 for members of a body, which the details name one by one.
pub(super) fn violation(field: &str, message: &str) -> Problem {
    let details = json!([{
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": field, "description": message}],
    }]);
    problem(400, "INVALID_ARGUMENT", message, details)
}

/// The event that ends a stream in mid-way.
pub(super) fn stream_error() -> Value {
    usual(503, "").body
}

fn problem(status: u16, name: &str, message: &str, details: Value) -> Problem {
    let mut error = json!({"code": status, "message": message, "status": name});
    if details[0].is_object() {
        error["details"] = details;
    }
    Problem::new(status, json!({"error": error}))
}

fn wrong_key(message: &str) -> Problem {
    let details = json!([{
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID",
        "domain": "googleapis.com", "metadata": {"service": "generativelanguage.googleapis.com"},
    }]);
    problem(400, "INVALID_ARGUMENT", message, details)
}

/// 429, with the time to wait in the body: this service sends no `Retry-After`, unless it is a date here.
fn exhausted(quota: &str, refusal: &Refusal) -> Problem {
    let after = refusal.retry_after.as_deref();
    let seconds: Option<u64> = after.map_or(Some(20), |after| after.parse().ok());
    let wait = seconds.map(|seconds| format!("{seconds}s"));
    let mut details = vec![json!({
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{
            "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "quotaId": format!("{quota}-FreeTier"), "quotaValue": "50",
        }],
    })];
    let mut text =
        "You exceeded your current quota, please check your plan and billing details.".to_owned();
    if let Some(wait) = &wait {
        text.push_str(&format!(" Please retry in {wait}."));
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": wait,
        }));
    }
    Problem {
        retry_after: refusal.retry_after.clone().filter(|_| wait.is_none()),
        ..problem(429, "RESOURCE_EXHAUSTED", &text, details.into())
    }
}

fn usual(status: u16, model: &str) -> Problem {
    let (name, text) = match status {
        401 => (
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login \
             cookie or other valid authentication credential.",
        ),
        403 => (
            "PERMISSION_DENIED",
            "Your API key doesn't have the required permissions.",
        ),
        404 => {
            let text = format!(
                "models/{model} is not found for API version v1beta, or is not supported for \
                 generateContent. Call ListModels to see the list of available models and their \
                 supported methods."
            );
            return problem(404, "NOT_FOUND", &text, json!([]));
        }
        503 => (
            "UNAVAILABLE",
            "The model is overloaded. Please try again later.",
        ),
        504 => (
            "DEADLINE_EXCEEDED",
            "Deadline expired before operation could complete.",
        ),
        500.. => ("INTERNAL", "An internal error has occurred. Please retry."),
        _ => (
            "INVALID_ARGUMENT",
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        ),
    };
    problem(status, name, text, json!([]))
}
