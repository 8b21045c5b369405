//! Hugging Face under `/huggingface`: Spaces that run Gradio, the router, and the hub.
//!
//! | routes | service |
//! |---|---|
//! | `/spaces/{host}/…` | a Space, see [`space`]; `space_url` of a provider is `…/huggingface/spaces/{host}` |
//! | `/hub/api/spaces/zero-gpu/quota` | the hub; `hub_url` is `…/huggingface/hub` |
//! | `/v1/chat/completions` | the router's chat, as OpenAI's |
//! | `/fal-ai/…`, `/replicate/…`, `/hf-inference/…`, `/together/…`, `/nscale/…`, `/wavespeed/…` | the router, see [`router`]; `base_url` is `…/huggingface` |

mod functions;
mod router;
mod space;
mod stream;
#[cfg(test)]
mod tests;

use actix_web::{HttpRequest, HttpResponse, Result, web};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    behaviour::{Reason, Refusal},
    chat, request,
    script::Script,
    studio::Taken,
    voice::{Problem, Voice},
};

/// All routes.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route(
            "/huggingface/hub/api/spaces/zero-gpu/quota",
            web::get().to(quota),
        )
        .route(
            "/huggingface/spaces/{host}/{path:.*}",
            web::to(space::serve),
        )
        .route(
            "/huggingface/v1/chat/completions",
            web::post().to(chat::complete),
        )
        .route("/huggingface/{via}/{path:.*}", web::to(router::serve));
}

/// How the hub and the router refuse.
struct Hub;

impl Voice for Hub {
    fn no_credential(&self) -> Problem {
        Problem::new(401, json!({"error": "Invalid username or password."}))
    }

    fn bad_request(&self, message: &str) -> Problem {
        Problem::new(400, json!({"error": message}))
    }

    fn refusal(&self, refusal: &Refusal, token: &str, model: &str) -> Problem {
        let status = match refusal.reason {
            Reason::Quota => 402,
            Reason::Policy => 422,
            _ => refusal.status,
        };
        Problem {
            retry_after: refusal.retry_after.clone(),
            ..Problem::new(status, words(&refusal.reason, status, token, model))
        }
    }

    fn headers(&self, _spent: bool) -> Vec<(&'static str, String)> {
        vec![("x-request-id", "Root=1-sim".to_owned())]
    }
}

fn words(reason: &Reason, status: u16, token: &str, model: &str) -> Value {
    let text = match (reason, status) {
        (Reason::Policy, _) => {
            let message = "The content could not be processed because it was flagged by a content checker.";
            let entry = json!({"loc": ["body", "prompt"], "msg": message, "type": "content_policy_violation"});
            return json!({"detail": [entry]});
        }
        (Reason::LeaksCredential, _) => format!("Invalid token {token}."),
        (_, 402) => {
            "You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO to get 20x \
             more monthly included credits."
                .to_owned()
        }
        (Reason::WrongCredential, _) | (_, 401) => "Invalid username or password.".to_owned(),
        (_, 403) => "This authentication method does not have sufficient permissions to call Inference Providers."
            .to_owned(),
        (_, 404) => format!("Model {model} does not exist"),
        (_, 429) => "Rate limit reached. You reached free usage limit (reset hourly).".to_owned(),
        (_, 503) => {
            let text = format!("Model {model} is currently loading");
            return json!({"error": text, "estimated_time": 20.0});
        }
        _ => "Internal Server Error".to_owned(),
    };
    json!({"error": text})
}

/// `GET /api/spaces/zero-gpu/quota`: what the token `quota-…` has used up, others have not.
async fn quota(script: web::Data<Script>, request: HttpRequest) -> Result<HttpResponse> {
    let token = request::token(&request);
    let taken = Taken::of(&Hub, &script, &request, &Bytes::new(), token, "zero-gpu").await?;
    let current = if taken.token.starts_with("quota-") {
        0
    } else {
        240
    };
    Ok(taken.answer(&json!({
        "base": 300, "current": current, "resetsAt": null, "overquotaUsed": 0,
    })))
}
