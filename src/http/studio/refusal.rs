//! Errors of the studio's API: `{"error": "…", "message": "…"}`, with `details` by field where a request's fields are
//! at fault, and `retry_after` where waiting helps.

use std::time::Duration;

use actix_web::HttpResponse;
use derive_more::From;
use serde_json::{Map, Value, json};
use troupe_actors::{
    images::ImagesError, jobs::JobError, media::ThumbnailError, storage::StorageError,
};
use troupe_protocol::openai::error::ErrorCode;
use uuid::Uuid;

use super::words;
use crate::{
    http::{call::Call, error::ApiError},
    pages::language::Language,
};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, From)]
pub enum Refusal {
    /// Its fields, all that are at fault.
    Fields(Vec<Fault>),
    /// There is no such thing, or it is another app's.
    Absent(Thing),
    Other(ApiError),
}

/// What may not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    Task,
    Image,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub field: &'static str,
    /// For the caller, in its language.
    pub message: String,
}

/// As far as nobody says how long to wait.
const WAIT_SECONDS: u64 = 5;

impl Refusal {
    /// What the gateway's other surfaces would say.
    pub fn plain(&self) -> ApiError {
        match self {
            Self::Other(error) => error.clone(),
            Self::Absent(_) => {
                let message = "this app has no such task or picture, or not any more";
                ApiError::new(ErrorCode::NotFound, message)
            }
            Self::Fields(faults) => {
                let message = messages(faults, "; ");
                let field = faults.first().map_or("", |fault| fault.field);
                ApiError::param(ErrorCode::InvalidRequest, field, message)
            }
        }
    }

    /// The error as JSON.
    pub fn body(&self, language: Language) -> Value {
        let error = self.plain();
        let message = match self {
            Self::Fields(faults) => messages(faults, &language.say("list-semicolon")),
            Self::Absent(Thing::Task) => language.say("refusal-no-task").into_owned(),
            Self::Absent(Thing::Image) => language.say("refusal-no-image").into_owned(),
            Self::Other(error) => words::refusal(error, language),
        };
        let mut body = json!({
            "error": name(status(&error)),
            "message": message,
            "code": error.code.as_str(),
        });
        if status(&error) == 400 {
            body["details"] = match self {
                Self::Fields(faults) => by_field(faults),
                _ => error
                    .param
                    .iter()
                    .map(|field| (own_name(field), json!([message])))
                    .collect(),
            };
        }
        if let Some(wait) = wait(&error) {
            body["retry_after"] = wait.into();
        }
        body
    }

    /// The answer to a request that has no record.
    pub fn respond(&self, language: Language) -> HttpResponse {
        self.respond_as(&Uuid::now_v7().to_string(), language)
    }

    /// Records a refusal and makes its answer.
    pub fn refuse(&self, call: Call, language: Language) -> HttpResponse {
        let response = self.respond_as(call.id(), language);
        call.refuse_as(&self.plain(), response)
    }

    /// The answer to the request of that id.
    pub fn respond_as(&self, request_id: &str, language: Language) -> HttpResponse {
        let plain = self.plain();
        let told = ApiError {
            status: status(&plain),
            ..plain
        };
        let mut body = self.body(language);
        body["request_id"] = request_id.into();
        // the headers are those of every surface
        told.respond(request_id)
            .set_body(body.to_string())
            .map_into_boxed_body()
    }
}

/// The clients of this surface know a full gateway by 429 alone.
fn status(error: &ApiError) -> u16 {
    match error.code {
        ErrorCode::GatewayOverloaded => 429,
        _ => error.status,
    }
}

fn wait(error: &ApiError) -> Option<u64> {
    error
        .retry_seconds()
        .or((status(error) == 429).then_some(WAIT_SECONDS))
}

/// The name of an error, by its status.
pub fn name(status: u16) -> &'static str {
    match status {
        400 | 422 => "validation_error",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        405 => "method_not_allowed",
        408 => "request_timeout",
        409 => "conflict",
        413 => "payload_too_large",
        415 => "unsupported_media_type",
        429 => "rate_limit_exceeded",
        503 => "service_unavailable",
        504 => "upstream_timeout",
        500..600 => "internal_error",
        _ => "request_failed",
    }
}

/// The names that fields have here, where others call them otherwise.
pub fn own_name(field: &str) -> &str {
    match field {
        "n" => "num_images",
        "guidance" | "guidance_scale" => "scale",
        "size" => "width",
        field => field,
    }
}

fn messages(faults: &[Fault], between: &str) -> String {
    let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    messages.join(between)
}

fn by_field(faults: &[Fault]) -> Value {
    let mut details = Map::new();
    for fault in faults {
        let messages = details.entry(fault.field).or_insert_with(|| json!([]));
        if let Value::Array(messages) = messages {
            messages.push(fault.message.as_str().into());
        }
    }
    details.into()
}

impl From<JobError> for Refusal {
    fn from(error: JobError) -> Self {
        Self::Other(error.into())
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        JobError::from(error).into()
    }
}

impl From<ImagesError> for Refusal {
    fn from(error: ImagesError) -> Self {
        match error {
            ImagesError::Database(error) => error.into(),
            ImagesError::Media(error) | ImagesError::Thumbnail(ThumbnailError::Refused(error)) => {
                Self::Other(error.into())
            }
            ImagesError::Thumbnail(error) => {
                let busy = matches!(error, ThumbnailError::Busy);
                let code = match error {
                    ThumbnailError::Busy => ErrorCode::GatewayOverloaded,
                    ThumbnailError::Store(_) => ErrorCode::StorageUnavailable,
                    _ => ErrorCode::UpstreamError,
                };
                let again = busy.then_some(Duration::from_secs(1));
                Self::Other(ApiError::new(code, error.to_string()).retry(again))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(refusal: impl Into<Refusal>, language: Language) -> Value {
        refusal.into().body(language)
    }

    #[test]
    fn all_faults_are_told_by_their_fields() {
        let fault = |field, message: &str| Fault {
            field,
            message: message.to_owned(),
        };
        let faults = vec![
            fault("prompt", "a"),
            fault("steps", "b"),
            fault("prompt", "c"),
        ];
        let body = body(faults, Language::English);
        assert_eq!(body["error"], "validation_error");
        assert_eq!(body["message"], "a; b; c");
        assert_eq!(
            body["details"],
            json!({"prompt": ["a", "c"], "steps": ["b"]})
        );
    }

    #[test]
    fn a_full_queue_is_429_with_the_time_whoever_is_full() {
        for code in [ErrorCode::AppLimitReached, ErrorCode::GatewayOverloaded] {
            let error = ApiError::new(code, "x").retry(Duration::from_secs(60));
            let refusal = Refusal::from(error);
            let response = refusal.respond_as("id", Language::Chinese);
            assert_eq!(response.status(), 429);
            assert_eq!(response.headers().get("retry-after").unwrap(), "60");
            let body = refusal.body(Language::Chinese);
            assert_eq!(
                (&body["error"], &body["retry_after"]),
                (&json!("rate_limit_exceeded"), &json!(60))
            );
            assert!(
                body["message"]
                    .as_str()
                    .unwrap()
                    .starts_with("超出并发任务限制")
            );
        }
    }

    #[test]
    fn what_is_not_there_is_told_in_the_words_of_the_seed() {
        let refusal = Refusal::Absent(Thing::Task);
        assert_eq!(refusal.respond(Language::English).status(), 404);
        let told = refusal.body(Language::Chinese);
        assert_eq!(
            (&told["error"], &told["message"]),
            (&json!("not_found"), &json!("任务不存在"))
        );
    }

    #[test]
    fn fields_are_called_as_they_are_here() {
        let error = ApiError::param(ErrorCode::InvalidRequest, "n", "write 1 to 4");
        let told = body(error, Language::English);
        assert_eq!(told["details"]["num_images"].as_array().unwrap().len(), 1);
    }
}
