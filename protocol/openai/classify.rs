//! The classifier of failed answers of OpenAI-compatible upstreams.
//!
//! Codes and types are trusted before statuses, statuses before words. Words count only where a
//! client cannot put them into the upstream's mouth: an error that quotes the request must not
//! disable a credential. So they are looked for at the message's beginning, or with statuses that
//! are about the credential anyway.

use std::time::Duration;

use super::upstream_error::Said;
use crate::failure::{FailureKind, QuotaScope};

/// A message alone means a used-up quota only if the upstream asks for a longer wait than this;
/// Google words its limits per minute the same way.
const LONGEST_RATE_LIMIT: Duration = Duration::from_secs(600);

const CONTENT_CODES: &[&str] = &[
    "content_filter",
    "content_policy_violation",
    "responsibleaipolicyviolation",
    "moderation_blocked",
    "data_inspection_failed",
    "datainspectionfailed",
    // Zhipu
    "1301",
];

const QUOTA_CODES: &[&str] = &[
    "insufficient_quota",
    "insufficient_balance",
    "insufficient_user_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "quota_exceeded",
    "credit_limit",
    "exceeded_current_quota_error",
    // DashScope, Ark
    "arrearage",
    "accountoverdueerror",
    "operationdenied.serviceoverdue",
    // Zhipu: arrears, no balance, day used up, plan used up or over
    "1112",
    "1113",
    "1304",
    "1308",
    "1309",
    "1310",
    // SiliconFlow
    "30001",
    "30011",
];

const AUTH_CODES: &[&str] = &[
    "invalid_api_key",
    "invalidapikey",
    "invalid_authentication_error",
    "authentication_error",
    "authenticationerror",
    "authentication_fails",
    "account_deactivated",
    "unauthenticated",
];

const OVERLOAD_CODES: &[&str] = &[
    "overloaded",
    "overloaded_error",
    "engine_overloaded_error",
    "server_overloaded",
    "serveroverloaded",
    "model_overloaded",
    "unavailable",
    // Zhipu: the model has too many callers
    "1305",
    "1312",
];

const RATE_CODES: &[&str] = &[
    "rate_limit_exceeded",
    "rate_limit_error",
    "rate_limit_reached_error",
    "throttling",
    "throttling.ratequota",
    "throttling.allocationquota",
    "limit_requests",
    "1302",
    "1303",
];

/// Texts of a used-up account; with 402, 403 and 429 anywhere, with 400 only at the beginning.
const QUOTA_WORDS: &[&str] = &[
    "exceeded your current quota",
    "insufficient balance",
    "balance is insufficient",
    "insufficient credits",
    "余额不足",
    "used all available credits",
    "monthly included credits",
    "credit balance is too low",
    "today the free api access limit exceeded",
    "access denied, please make sure your account is in good standing",
];

/// Beginnings of texts by which some say with 400 that the key is wrong.
const AUTH_WORDS: &[&str] = &[
    "incorrect api key provided",
    "api key not valid",
    "api key expired",
];

/// The kind of a failed answer.
///
/// `retry_after` is what the headers say; where they say nothing, Google's `retryDelay` in the body
/// stands in. `body` may be cut off or anything but JSON.
#[must_use]
pub fn classify(status: u16, retry_after: Option<Duration>, body: &[u8]) -> FailureKind {
    let said = Said::read(body);
    let retry_after = retry_after.or_else(|| retry_delay(&said));
    by_code(status, retry_after, &said).unwrap_or_else(|| by_status(status, retry_after, &said))
}

/// The kind of an error event in a stream that began with 200.
#[must_use]
pub fn classify_event(data: &[u8]) -> FailureKind {
    let said = Said::read(data);
    let status = said
        .code
        .parse()
        .ok()
        .filter(|code| (400..600).contains(code));
    let kind = status.map(|status| classify(status, None, data));
    kind.or_else(|| by_code(0, retry_delay(&said), &said))
        .unwrap_or(FailureKind::Upstream)
}

/// Whether a failed answer says that encrypted thoughts cannot be read, as another account's cannot.
#[must_use]
pub fn refuses_thoughts(status: u16, body: &[u8]) -> bool {
    status == 400 && Said::read(body).code == "invalid_encrypted_content"
}

/// Whether a failed answer is about a model, as a 404 for one that the upstream does not have is.
#[must_use]
pub fn names_a_model(body: &[u8]) -> bool {
    let said = Said::read(body);
    said.code == "model_not_found" || said.message.to_lowercase().contains("model")
}

fn by_code(status: u16, retry_after: Option<Duration>, said: &Said) -> Option<FailureKind> {
    let is = |codes: &[&str]| codes.contains(&&*said.code) || codes.contains(&&*said.kind);
    let speaks_of_content = is(CONTENT_CODES) || said.code.contains("sensitivecontentdetected");
    if speaks_of_content || said.error.pointer("/metadata/flagged_input").is_some() {
        return Some(FailureKind::ContentPolicy);
    }
    // a failing server's word on credentials is not taken
    if status >= 500 {
        return is(OVERLOAD_CODES).then_some(FailureKind::Overloaded { retry_after });
    }
    if says_quota_is_a_rate(said) || (status == 429 && is(RATE_CODES)) {
        return Some(FailureKind::RateLimited { retry_after });
    }
    if is(QUOTA_CODES) || is(&["allocationquota.freetieronly"]) {
        let scope = match &*said.code {
            "allocationquota.freetieronly" => QuotaScope::CredentialModel,
            _ => QuotaScope::Credential,
        };
        return Some(FailureKind::QuotaExhausted { scope, retry_after });
    }
    if is(AUTH_CODES) {
        return Some(FailureKind::AuthInvalid);
    }
    if is(OVERLOAD_CODES) {
        return Some(FailureKind::Overloaded { retry_after });
    }
    is(RATE_CODES).then_some(FailureKind::RateLimited { retry_after })
}

fn by_status(status: u16, retry_after: Option<Duration>, said: &Said) -> FailureKind {
    let message = said.message.to_lowercase();
    let quota = FailureKind::QuotaExhausted {
        scope: QuotaScope::Credential,
        retry_after,
    };
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let begins = |words: &[&str]| words.iter().any(|word| message.starts_with(word));
    match status {
        401 => FailureKind::AuthInvalid,
        402 => quota,
        403 | 429 if has(QUOTA_WORDS) && lasts(retry_after, said) => quota,
        400 if begins(QUOTA_WORDS) => quota,
        400 if begins(AUTH_WORDS) => FailureKind::AuthInvalid,
        403 => FailureKind::NotEntitled,
        429 => FailureKind::RateLimited { retry_after },
        408 | 504 | 524 => FailureKind::Timeout,
        // 498 is Groq's "no capacity"
        498 | 503 | 529 => FailureKind::Overloaded { retry_after },
        400..500 => FailureKind::InvalidRequest,
        _ => FailureKind::Upstream,
    }
}

/// DashScope calls its tokens per minute a quota.
fn says_quota_is_a_rate(said: &Said) -> bool {
    let message = said.message.to_lowercase();
    message.starts_with("allocated quota exceeded")
}

/// Whether words about a quota mean more than the limit of a minute.
fn lasts(retry_after: Option<Duration>, said: &Said) -> bool {
    let per_day = || said.error.to_string().contains("PerDay");
    retry_after.is_none_or(|wait| wait > LONGEST_RATE_LIMIT) || per_day()
}

/// Google's `details: [{"@type": "…RetryInfo", "retryDelay": "26s"}]`.
pub(crate) fn retry_delay(said: &Said) -> Option<Duration> {
    let details = said.error.get("details")?.as_array()?;
    let delay = details.iter().find_map(|detail| detail.get("retryDelay"))?;
    crate::retry_after::seconds(delay.as_str()?.strip_suffix('s')?)
}

#[cfg(test)]
mod tests;
