//! What Google's failed answers mean, beyond what they mean for chats.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::super::{Answer, Failure, failure::said, reset::pacific_midnight};
use crate::{
    failure::{FailureKind, QuotaScope},
    gemini::classify::classify as of_chat,
};

/// How the texts of pictures and videos begin that the filters refuse; further on, they may quote the prompt.
const CONTENT: &[&str] = &[
    "image generation failed with the following error: the prompt could not be submitted",
    "image generation failed with the following error: the response is blocked",
    "the prompt could not be submitted",
    "the response is blocked",
    "your current safety filter threshold prohibited",
    "unable to show generated images",
    "video generation failed with the following error: the prompt could not be submitted",
    "veo could not generate",
];

/// What a failed answer means.
pub(super) fn classify(answer: &Answer<'_>) -> Failure {
    let kind = of_chat(answer.status, answer.retry_after(), answer.body);
    let text = said(answer.body);
    let status = &answer.json()["error"]["status"];
    let failure = Failure::new(refined(kind, answer.status, &text, answer.now), &text);
    Failure {
        status: Some(answer.status),
        code: status.as_str().map(str::to_owned),
        ..failure
    }
}

/// What the error of an operation means: `{"code", "message"}`, its code one of `google.rpc`.
pub(super) fn operation(error: &Value, now: SystemTime) -> Failure {
    let status = match error["code"].as_u64() {
        Some(3 | 9 | 11) => 400,
        Some(16) => 401,
        Some(7) => 403,
        Some(5) => 404,
        Some(8) => 429,
        Some(1) => 499,
        Some(14) => 503,
        Some(4) => 504,
        _ => 500,
    };
    let body = json!({"error": error}).to_string();
    let kind = of_chat(status, None, body.as_bytes());
    let text = error["message"].as_str().unwrap_or("the video failed");
    let failure = Failure::new(refined(kind, status, text, now), text);
    match error["code"].as_u64() {
        Some(code) => failure.with_code(code),
        None => failure,
    }
}

fn refined(kind: FailureKind, status: u16, text: &str, now: SystemTime) -> FailureKind {
    let text = text.to_lowercase();
    let speaks_of_content = CONTENT.iter().any(|words| text.starts_with(words));
    match kind {
        FailureKind::InvalidRequest if speaks_of_content => FailureKind::ContentPolicy,
        FailureKind::InvalidRequest if text.contains("only accessible to billed users") => {
            FailureKind::NotEntitled
        }
        // what costs money has no free quota, tomorrow neither
        _ if status == 429 && text.contains("limit: 0,") => FailureKind::NotEntitled,
        FailureKind::QuotaExhausted {
            scope: QuotaScope::CredentialModel,
            retry_after: None,
        } => FailureKind::QuotaExhausted {
            scope: QuotaScope::CredentialModel,
            retry_after: Some(pacific_midnight(now)),
        },
        kind => kind,
    }
}
