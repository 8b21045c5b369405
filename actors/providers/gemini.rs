//! Google's Gemini, in its own protocol.
//!
//! Source: the REST reference of `v1beta`: `/models/{model}:generateContent`,
//! `:streamGenerateContent?alt=sse`, `:countTokens`, `/models`, with the header `x-goog-api-key`.

use std::time::Duration;

use awc::http::{Method, Uri, header::HeaderName};
use troupe_protocol::{
    dialect::Dialect,
    failure::FailureKind,
    gemini::{
        classify::{classify, is_signature_error},
        parse_models,
    },
    openai::upstream_error::MalformedAnswer,
};

use super::{
    base_url::{BadBaseUrl, BaseUrl},
    openai::secret_header,
    upstream::{Endpoint, Outgoing, Plan, Upstream},
};
use crate::{egress::Exempt, secrets::Secret};

/// A service that speaks Gemini's protocol.
pub struct Gemini {
    base: BaseUrl,
    models: Uri,
}

const API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

impl Gemini {
    /// A service at `base_url`, such as `https://generativelanguage.googleapis.com/v1beta`.
    ///
    /// # Errors
    /// [`BadBaseUrl`].
    pub fn new(base_url: &str) -> Result<Self, BadBaseUrl> {
        let base = BaseUrl::parse(base_url)?;
        Ok(Self {
            // the longest page that there is
            models: base.at("/models?pageSize=1000")?,
            base,
        })
    }

    /// The URL of a model's method. None for a name that would lead elsewhere.
    fn at(&self, model: &str, method: &str) -> Option<Uri> {
        let model = model.strip_prefix("models/").unwrap_or(model);
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+');
        if model.is_empty() || !model.bytes().all(plain) {
            return None;
        }
        self.base.at(&format!("/models/{model}:{method}")).ok()
    }
}

impl Upstream for Gemini {
    fn plan(&self, outgoing: &Outgoing, secret: Option<&Secret>) -> Option<Plan> {
        let model = &outgoing.model;
        let (method, uri) = match outgoing.endpoint {
            Endpoint::Chat(Dialect::Gemini) if outgoing.stream => (
                Method::POST,
                self.at(model, "streamGenerateContent?alt=sse")?,
            ),
            Endpoint::Chat(Dialect::Gemini) => (Method::POST, self.at(model, "generateContent")?),
            Endpoint::CountTokens(Dialect::Gemini) => {
                (Method::POST, self.at(model, "countTokens")?)
            }
            Endpoint::Models => (Method::GET, self.models.clone()),
            _ => return None,
        };
        let key = secret.and_then(|secret| secret_header(API_KEY, secret.expose()));
        Some(Plan::Http {
            method,
            uri,
            headers: key.into_iter().collect(),
        })
    }

    fn chat_dialect(&self, _: Dialect) -> Dialect {
        Dialect::Gemini
    }

    fn counts_tokens(&self) -> Option<Dialect> {
        Some(Dialect::Gemini)
    }

    fn classify(&self, status: u16, retry_after: Option<Duration>, body: &[u8]) -> FailureKind {
        classify(status, retry_after, body)
    }

    fn refuses_thoughts(&self, status: u16, body: &[u8]) -> bool {
        is_signature_error(status, body)
    }

    fn host(&self) -> Option<Exempt> {
        self.base.host()
    }

    fn lists_models(&self) -> bool {
        true
    }

    fn read_models(&self, body: &[u8]) -> Result<Vec<String>, MalformedAnswer> {
        parse_models(body).map(|page| page.models)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_stands_in_the_path_and_cannot_leave_it() {
        let service = Gemini::new("https://api.example.com/v1beta").unwrap();
        let at = |model: &str| {
            service
                .at(model, "generateContent")
                .map(|uri| uri.to_string())
        };
        let expected = "https://api.example.com/v1beta/models/gemini-x:generateContent";
        assert_eq!(at("gemini-x").as_deref(), Some(expected));
        assert_eq!(at("models/gemini-x").as_deref(), Some(expected));
        for odd in ["", "../x", "a/b", "a?b", "a:b", "a b"] {
            assert_eq!(at(odd), None, "{odd}");
        }
    }
}
