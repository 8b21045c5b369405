//! Upstreams that speak OpenAI's protocol: OpenAI itself and the many that are compatible.
//!
//! Source: the official SDKs' resource paths (`/chat/completions`, `/embeddings`,
//! `/images/generations`, `/models`), relative to a base URL that includes the version.

use std::time::Duration;

use awc::http::{Method, Uri, header::HeaderValue};
use derive_more::{Display, Error};
use troupe_protocol::{failure::FailureKind, openai::classify::classify};

use super::upstream::{Endpoint, Outgoing, Plan, Upstream};
use crate::secrets::Secret;

/// An OpenAI-compatible service, its URLs parsed once.
pub struct OpenAi {
    chat: Uri,
    embeddings: Uri,
    images: Uri,
    models: Uri,
}

/// The base URL cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
#[display("base_url must be an absolute http or https URL that includes the version prefix")]
pub struct BadBaseUrl;

impl OpenAi {
    /// A service at `base_url`, such as `https://api.openai.com/v1`.
    ///
    /// # Errors
    /// [`BadBaseUrl`].
    pub fn new(base_url: &str) -> Result<Self, BadBaseUrl> {
        let base = base_url.trim_end_matches('/');
        let at = |path: &str| -> Result<Uri, BadBaseUrl> {
            let uri: Uri = format!("{base}{path}").parse().map_err(|_| BadBaseUrl)?;
            let web = matches!(uri.scheme_str(), Some("http" | "https"));
            if web && uri.host().is_some() {
                Ok(uri)
            } else {
                Err(BadBaseUrl)
            }
        };
        Ok(Self {
            chat: at("/chat/completions")?,
            embeddings: at("/embeddings")?,
            images: at("/images/generations")?,
            models: at("/models")?,
        })
    }
}

impl Upstream for OpenAi {
    fn plan(&self, outgoing: &Outgoing, secret: Option<&Secret>) -> Option<Plan> {
        let (method, uri) = match outgoing.endpoint {
            Endpoint::Chat => (Method::POST, &self.chat),
            Endpoint::Embeddings => (Method::POST, &self.embeddings),
            Endpoint::Images => (Method::POST, &self.images),
            Endpoint::Models => (Method::GET, &self.models),
        };
        Some(Plan::Http {
            method,
            uri: uri.clone(),
            authorization: secret.and_then(bearer),
        })
    }

    fn classify(&self, status: u16, retry_after: Option<Duration>, body: &[u8]) -> FailureKind {
        classify(status, retry_after, body)
    }

    fn owns(&self, uri: &Uri) -> bool {
        uri.scheme() == self.chat.scheme() && uri.authority() == self.chat.authority()
    }

    fn lists_models(&self) -> bool {
        true
    }
}

/// None for a token with bytes that no header can carry; the upstream then refuses the request.
fn bearer(secret: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", secret.expose())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn the_credential_goes_into_the_header_and_the_path_behind_the_base() {
        let service = OpenAi::new("https://api.example.com/v1/").unwrap();
        let outgoing = Outgoing {
            endpoint: Endpoint::Chat,
            body: Bytes::new(),
            stream: false,
        };
        let secret = Secret::from("sk-1".to_owned());
        let Some(Plan::Http {
            uri, authorization, ..
        }) = service.plan(&outgoing, Some(&secret))
        else {
            panic!("no plan");
        };
        assert_eq!(uri, "https://api.example.com/v1/chat/completions");
        let value = authorization.unwrap();
        assert_eq!(value, "Bearer sk-1");
        assert!(value.is_sensitive());
    }

    #[test]
    fn a_base_url_must_be_absolute() {
        for bad in ["", "api.example.com/v1", "ftp://x/v1", "/v1", "http://"] {
            assert!(OpenAi::new(bad).is_err(), "{bad}");
        }
    }
}
