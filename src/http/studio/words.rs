//! What the studio's API says to people, in their language.

use actix_web::HttpRequest;
use troupe_actors::jobs::{JobFailure, standing::NO_CREDENTIAL};
use troupe_protocol::{openai::error::ErrorCode, pictures::Sizes};

use crate::{
    http::error::ApiError,
    pages::{language::Language, preferences::Preferences},
};

/// The language of a request: that chosen on the pages, else the browser's or client's, else English.
pub fn language(request: &HttpRequest) -> Language {
    Preferences::of(request.headers()).language
}

/// Why a task failed, with what to do about it.
pub fn failure(failure: &JobFailure, language: Language) -> String {
    let key = match failure.kind.as_str() {
        "content_policy" => "failure-content-policy",
        "invalid_request" => "failure-invalid-request",
        "auth_invalid" | "not_entitled" => "failure-credential",
        "rate_limited" | "overloaded" => "failure-busy",
        "quota_exhausted" => "failure-quota",
        "timeout" => "failure-timeout",
        "interrupted" => "failure-interrupted",
        "storage" => "failure-storage",
        _ => "failure-upstream",
    };
    detailed(key, &failure.message, language)
}

/// Why a task is tried again later.
pub fn setback(setback: &JobFailure, language: Language) -> String {
    let key = match (setback.kind.as_str(), setback.code.as_str()) {
        (_, NO_CREDENTIAL) => "setback-credential",
        ("rate_limited", _) => "setback-rate",
        ("quota_exhausted", _) => "setback-quota",
        ("overloaded", _) => "setback-overloaded",
        ("timeout", _) => "setback-timeout",
        ("network", _) => "setback-network",
        ("interrupted", _) => "setback-interrupted",
        _ => "setback-upstream",
    };
    language.say(key).into_owned()
}

/// Why a request is refused.
pub fn refusal(error: &ApiError, language: Language) -> String {
    let key = match error.code {
        ErrorCode::AppLimitReached | ErrorCode::GatewayOverloaded => {
            let wait = error.retry_after.map_or(1, |wait| wait.as_secs().max(1));
            let seconds = ("seconds", wait.to_string().into());
            return language
                .say_with("refusal-too-many", [seconds])
                .into_owned();
        }
        ErrorCode::MissingApiKey | ErrorCode::InvalidApiKey => "refusal-key",
        ErrorCode::ModelNotFound | ErrorCode::MissingModel => "refusal-model",
        ErrorCode::KeyRateLimited => "refusal-rate",
        ErrorCode::BodyTooLarge => "refusal-too-large",
        ErrorCode::UrlNotAllowed | ErrorCode::UrlNotFetched => "refusal-link",
        ErrorCode::StorageFull | ErrorCode::StorageUnavailable | ErrorCode::SpoolFull => {
            "refusal-storage"
        }
        _ if error.status < 500 => "refusal-request",
        _ => "refusal-gateway",
    };
    detailed(key, &error.message, language)
}

/// Which sizes a model makes.
pub fn sizes(sizes: &Sizes, language: Language) -> String {
    let list = |items: Vec<String>| items.join(&language.say("list-comma"));
    match sizes {
        Sizes::Any => language.say("sizes-any").into_owned(),
        Sizes::Listed(listed) => list(listed.iter().map(ToString::to_string).collect()),
        Sizes::Ratios(ratios) => {
            let ratios = ratios
                .iter()
                .map(|(width, height)| format!("{width}:{height}"));
            let ratios = list(ratios.collect());
            language
                .say_with("sizes-ratios", [("ratios", ratios.into())])
                .into_owned()
        }
        Sizes::Within {
            side: [least, most],
            multiple,
            pixels: [fewest, largest],
        } => {
            let range = [
                ("least", least.to_string().into()),
                ("most", most.to_string().into()),
            ];
            let mut text = language.say_with("sizes-sides", range).into_owned();
            if *multiple > 1 {
                let multiple = [("multiple", multiple.to_string().into())];
                text.push_str(&language.say_with("sizes-multiple", multiple));
            }
            if (*fewest, *largest) != (0, u64::MAX) {
                let range = [
                    ("least", fewest.to_string().into()),
                    ("most", largest.to_string().into()),
                ];
                text.push_str(&language.say_with("sizes-pixels", range));
            }
            text
        }
    }
}

fn detailed(key: &str, detail: &str, language: Language) -> String {
    language
        .say_with(key, [("detail", detail.into())])
        .into_owned()
}
