//! Upstreams that speak Anthropic's protocol: Anthropic itself and the compatible ones.
//!
//! Source: the official SDKs: `/messages`, `/messages/count_tokens`, `/models`, with the headers
//! `x-api-key` and `anthropic-version`.

use std::time::Duration;

use awc::http::{
    Method, Uri,
    header::{HeaderName, HeaderValue},
};
use troupe_protocol::{
    anthropic::{
        classify::{classify, is_signature_error},
        models::parse_list,
    },
    dialect::Dialect,
    failure::FailureKind,
    openai::upstream_error::MalformedAnswer,
};

use super::{
    base_url::{BadBaseUrl, BaseUrl},
    openai::secret_header,
    upstream::{Endpoint, Outgoing, Plan, Upstream},
};
use crate::{egress::Exempt, secrets::Secret};

/// An Anthropic-compatible service, its URLs parsed once.
pub struct Anthropic {
    base: BaseUrl,
    messages: Uri,
    count: Uri,
    models: Uri,
}

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// Which version of the protocol is spoken; a client's own header goes before it.
pub const VERSION: HeaderName = HeaderName::from_static("anthropic-version");
/// The version that this code was written for.
const VERSION_VALUE: HeaderValue = HeaderValue::from_static("2023-06-01");

impl Anthropic {
    /// A service at `base_url`, such as `https://api.anthropic.com/v1`.
    ///
    /// # Errors
    /// [`BadBaseUrl`].
    pub fn new(base_url: &str) -> Result<Self, BadBaseUrl> {
        let base = BaseUrl::parse(base_url)?;
        Ok(Self {
            messages: base.at("/messages")?,
            count: base.at("/messages/count_tokens")?,
            // the longest page that there is
            models: base.at("/models?limit=1000")?,
            base,
        })
    }
}

impl Upstream for Anthropic {
    fn plan(&self, outgoing: &Outgoing, secret: Option<&Secret>) -> Option<Plan> {
        let (method, uri) = match outgoing.endpoint {
            Endpoint::Chat(Dialect::Anthropic) => (Method::POST, &self.messages),
            Endpoint::CountTokens(Dialect::Anthropic) => (Method::POST, &self.count),
            Endpoint::Models => (Method::GET, &self.models),
            _ => return None,
        };
        let mut headers = Vec::with_capacity(2);
        headers.extend(secret.and_then(|secret| secret_header(API_KEY, secret.expose())));
        if !outgoing.headers.iter().any(|(name, _)| name == VERSION) {
            headers.push((VERSION, VERSION_VALUE));
        }
        Some(Plan::Http {
            method,
            uri: uri.clone(),
            headers,
        })
    }

    fn chat_dialect(&self, _: Dialect) -> Dialect {
        Dialect::Anthropic
    }

    fn counts_tokens(&self) -> Option<Dialect> {
        Some(Dialect::Anthropic)
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
        parse_list(body).map(|page| page.ids)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn key_and_version_go_into_their_headers() {
        let service = Anthropic::new("https://api.example.com/v1").unwrap();
        let mut outgoing = Outgoing {
            endpoint: Endpoint::Chat(Dialect::Anthropic),
            model: "m".into(),
            body: Bytes::new(),
            stream: false,
            headers: Vec::new(),
        };
        let secret = Secret::from("sk-1".to_owned());
        let headers = |outgoing: &Outgoing| match service.plan(outgoing, Some(&secret)) {
            Some(Plan::Http { uri, headers, .. }) => {
                assert_eq!(uri, "https://api.example.com/v1/messages");
                headers
            }
            _ => panic!("no plan"),
        };
        assert_eq!(
            headers(&outgoing),
            [
                (API_KEY, HeaderValue::from_static("sk-1")),
                (VERSION, VERSION_VALUE)
            ]
        );
        // the client's own version is not sent twice
        outgoing
            .headers
            .push((VERSION, HeaderValue::from_static("2023-01-01")));
        assert_eq!(headers(&outgoing).len(), 1);
        outgoing.endpoint = Endpoint::Embeddings;
        assert!(service.plan(&outgoing, None).is_none());
    }
}
