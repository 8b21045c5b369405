//! Which dialect a request's errors are told in, before anything else is known of it.

use actix_web::http::header::HeaderMap;
use troupe_protocol::dialect::Client;

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
}
