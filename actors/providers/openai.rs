//! Upstreams that speak OpenAI's protocol: OpenAI itself and the many that are compatible.
//!
//! Source: the official SDKs' resource paths (`/chat/completions`, `/responses`, `/embeddings`,
//! `/images/generations`, `/models`), relative to a base URL that includes the version.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use awc::http::{
    Method, Uri,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
};
use troupe_protocol::{
    dialect::Dialect,
    failure::FailureKind,
    openai::classify::{classify, names_a_model, refuses_thoughts},
};

use super::{
    base_url::{BadBaseUrl, BaseUrl},
    config::ResponsesMode,
    upstream::{Endpoint, Outgoing, Plan, Upstream},
};
use crate::{egress::Exempt, secrets::Secret};

/// An OpenAI-compatible service, its URLs parsed once.
pub struct OpenAi {
    base: BaseUrl,
    chat: Uri,
    responses: Uri,
    embeddings: Uri,
    images: Uri,
    models: Uri,
    mode: Mode,
    /// Learnt from an answer: there is no `/responses`. Found out again after a restart.
    lacks_responses: AtomicBool,
}

/// Which of the two chat dialects it is spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The client's, as far as the upstream has it (`kind = "openai"`).
    Both(ResponsesMode),
    /// Only `/responses` (`kind = "openai_responses"`).
    OnlyResponses,
}

impl OpenAi {
    /// A service at `base_url`, such as `https://api.openai.com/v1`.
    ///
    /// # Errors
    /// [`BadBaseUrl`].
    pub fn new(base_url: &str, mode: Mode) -> Result<Self, BadBaseUrl> {
        let base = BaseUrl::parse(base_url)?;
        Ok(Self {
            chat: base.at("/chat/completions")?,
            responses: base.at("/responses")?,
            embeddings: base.at("/embeddings")?,
            images: base.at("/images/generations")?,
            models: base.at("/models")?,
            base,
            mode,
            lacks_responses: AtomicBool::new(false),
        })
    }

    fn has_responses(&self) -> bool {
        match self.mode {
            Mode::OnlyResponses | Mode::Both(ResponsesMode::Native) => true,
            Mode::Both(ResponsesMode::Convert) => false,
            Mode::Both(ResponsesMode::Auto) => !self.lacks_responses.load(Ordering::Relaxed),
        }
    }
}

impl Upstream for OpenAi {
    fn plan(&self, outgoing: &Outgoing, secret: Option<&Secret>) -> Option<Plan> {
        let (method, uri) = match outgoing.endpoint {
            Endpoint::Chat(Dialect::OpenaiChat) => (Method::POST, &self.chat),
            Endpoint::Chat(Dialect::OpenaiResponses) => (Method::POST, &self.responses),
            Endpoint::Chat(_) | Endpoint::CountTokens(_) => return None,
            Endpoint::Embeddings => (Method::POST, &self.embeddings),
            Endpoint::Images => (Method::POST, &self.images),
            Endpoint::Models => (Method::GET, &self.models),
        };
        Some(Plan::Http {
            method,
            uri: uri.clone(),
            headers: secret.and_then(bearer).into_iter().collect(),
        })
    }

    fn chat_dialect(&self, client: Dialect) -> Dialect {
        match (self.mode, client) {
            (Mode::OnlyResponses, _) => Dialect::OpenaiResponses,
            (Mode::Both(_), Dialect::OpenaiResponses) if self.has_responses() => client,
            (Mode::Both(_), _) => Dialect::OpenaiChat,
        }
    }

    fn classify(&self, status: u16, retry_after: Option<Duration>, body: &[u8]) -> FailureKind {
        classify(status, retry_after, body)
    }

    fn lacks(&self, endpoint: Endpoint, status: u16, body: &[u8]) -> bool {
        let auto = self.mode == Mode::Both(ResponsesMode::Auto);
        let asked = endpoint == Endpoint::Chat(Dialect::OpenaiResponses);
        // a model that is not there has the same status as a path that is not
        let missing = matches!(status, 404 | 405 | 501) && !names_a_model(body);
        let lacks = auto && asked && missing;
        if lacks && !self.lacks_responses.swap(true, Ordering::Relaxed) {
            log::info!(
                "the upstream {} has no /responses: requests for it are converted",
                self.chat
            );
        }
        lacks
    }

    fn wants_call_signatures(&self) -> bool {
        let host = self.chat.host().unwrap_or_default();
        host.ends_with(".googleapis.com")
    }

    fn refuses_thoughts(&self, status: u16, body: &[u8]) -> bool {
        refuses_thoughts(status, body)
    }

    fn host(&self) -> Option<Exempt> {
        self.base.host()
    }

    fn lists_models(&self) -> bool {
        true
    }
}

/// None for a token with bytes that no header can carry; the upstream then refuses the request.
fn bearer(secret: &Secret) -> Option<(HeaderName, HeaderValue)> {
    secret_header(AUTHORIZATION, &format!("Bearer {}", secret.expose()))
}

/// A header that is never shown.
pub(super) fn secret_header(name: HeaderName, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn service(mode: Mode) -> OpenAi {
        OpenAi::new("https://api.example.com/v1/", mode).unwrap()
    }

    const AUTO: Mode = Mode::Both(ResponsesMode::Auto);
    const RESPONSES: Endpoint = Endpoint::Chat(Dialect::OpenaiResponses);

    #[test]
    fn the_credential_goes_into_the_header_and_the_path_behind_the_base() {
        let outgoing = Outgoing {
            endpoint: Endpoint::Chat(Dialect::OpenaiChat),
            model: "m".into(),
            body: Bytes::new(),
            stream: false,
            headers: Vec::new(),
        };
        let secret = Secret::from("sk-1".to_owned());
        let Some(Plan::Http { uri, headers, .. }) = service(AUTO).plan(&outgoing, Some(&secret))
        else {
            panic!("no plan");
        };
        assert_eq!(uri, "https://api.example.com/v1/chat/completions");
        let (name, value) = &headers[0];
        assert_eq!(
            (name.as_str(), value.as_bytes()),
            ("authorization", &b"Bearer sk-1"[..])
        );
        assert!(value.is_sensitive());
    }

    #[test]
    fn a_missing_responses_route_is_learnt_but_a_missing_model_is_not_one() {
        let service = service(AUTO);
        let client = Dialect::OpenaiResponses;
        assert_eq!(service.chat_dialect(client), client);
        let no_model =
            br#"{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}"#;
        assert!(!service.lacks(RESPONSES, 404, no_model));
        assert!(!service.lacks(Endpoint::Chat(Dialect::OpenaiChat), 404, b"{}"));
        assert_eq!(service.chat_dialect(client), client);
        assert!(service.lacks(RESPONSES, 404, br#"{"detail":"Not Found"}"#));
        assert_eq!(service.chat_dialect(client), Dialect::OpenaiChat);
    }

    #[test]
    fn the_mode_decides_the_dialect() {
        let native = service(Mode::Both(ResponsesMode::Native));
        assert!(!native.lacks(RESPONSES, 404, b""));
        let cases = [
            (native, Dialect::OpenaiResponses, Dialect::OpenaiResponses),
            (
                service(Mode::Both(ResponsesMode::Convert)),
                Dialect::OpenaiResponses,
                Dialect::OpenaiChat,
            ),
            (service(AUTO), Dialect::Anthropic, Dialect::OpenaiChat),
            (
                service(Mode::OnlyResponses),
                Dialect::OpenaiChat,
                Dialect::OpenaiResponses,
            ),
        ];
        for (service, client, expected) in cases {
            assert_eq!(service.chat_dialect(client), expected);
        }
    }
}
