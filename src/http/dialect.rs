//! Which dialect a request's errors are told in, before anything else is known of it.

use actix_web::{HttpResponse, http::header::HeaderMap};
use troupe_protocol::dialect::Client;

use super::{error::ApiError, imagine, studio::refusal::Refusal};
use crate::pages::{language::Language, preferences::Preferences};

/// By its path; `/v1/models` is both OpenAI's and Anthropic's, whose clients send their version.
pub fn client_of(path: &str, headers: &HeaderMap) -> Client {
    if path.starts_with("/v1/messages") || headers.contains_key("anthropic-version") {
        Client::Anthropic
    } else if path.starts_with("/v1/responses") {
        Client::OpenaiResponses
    } else {
        Client::OpenaiChat
    }
}

/// In which shape errors are told, where that is not the dialect's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The studio's API, in the caller's language.
    Studio(Language),
    /// Imagine Server's.
    Imagine,
    Of(Client),
}

impl Shape {
    /// By the path. `/api/v1/generate` belongs to two APIs: before it is known which one is meant, errors have the
    /// studio's shape, whose words stand under the same names as Imagine Server's.
    pub fn of(path: &str, headers: &HeaderMap) -> Self {
        match path {
            "/api/v1/generate" | "/api/v1/tasks" => Self::Studio(Preferences::of(headers).language),
            _ if path.starts_with("/api/v1/") => Self::Imagine,
            _ => Self::Of(client_of(path, headers)),
        }
    }

    /// The answer to the request of that id.
    pub fn respond(self, error: &ApiError, request_id: &str) -> HttpResponse {
        match self {
            Self::Studio(language) => Refusal::from(error.clone()).respond_as(request_id, language),
            Self::Imagine => imagine::error::respond(error, request_id),
            Self::Of(client) => error.respond_to(client, request_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn the_path_tells_and_for_models_the_version() {
        let mut headers = HeaderMap::new();
        assert_eq!(
            client_of("/v1/messages/count_tokens", &headers),
            Client::Anthropic
        );
        assert_eq!(
            client_of("/v1/responses/x", &headers),
            Client::OpenaiResponses
        );
        assert_eq!(client_of("/v1/models", &headers), Client::OpenaiChat);
        let version = HeaderName::from_static("anthropic-version");
        headers.insert(version, HeaderValue::from_static("2023-06-01"));
        assert_eq!(client_of("/v1/models", &headers), Client::Anthropic);
    }

    #[test]
    fn each_surface_has_a_shape_of_its_own() {
        let headers = HeaderMap::new();
        let of = |path| Shape::of(path, &headers);
        for path in ["/api/v1/generate", "/api/v1/tasks"] {
            assert_eq!(of(path), Shape::Studio(Language::English), "{path}");
        }
        assert_eq!(of("/api/v1/edit"), Shape::Imagine);
        assert_eq!(of("/v1/messages"), Shape::Of(Client::Anthropic));
    }
}
