//! What every upstream protocol says about a request: where it goes, and what a failure means.

use std::{sync::Arc, time::Duration};

use awc::http::{
    Method, Uri,
    header::{HeaderName, HeaderValue},
};
use bytes::Bytes;
use derive_more::Display;
use troupe_protocol::{
    dialect::Dialect,
    failure::FailureKind,
    openai::{model::parse_list, upstream_error::MalformedAnswer},
};

use super::model::Model;
use crate::{egress::Exempt, secrets::Secret};

/// The surfaces that providers serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display)]
pub enum Endpoint {
    /// In the dialect that the body is written in.
    #[display("chat ({_0})")]
    Chat(Dialect),
    /// How many tokens a chat request has.
    #[display("count_tokens ({_0})")]
    CountTokens(Dialect),
    #[display("embeddings")]
    Embeddings,
    #[display("images")]
    Images,
    /// The upstream's own list of models.
    #[display("models")]
    Models,
}

/// A request to an upstream, its body already in the upstream's dialect.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub endpoint: Endpoint,
    /// The model as the upstream names it; some have it in the path.
    pub model: Arc<str>,
    pub body: Bytes,
    /// Whether the answer is asked for as a stream of events.
    pub stream: bool,
    /// Headers of the client that belong to its dialect (`anthropic-beta`).
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Outgoing {
    /// The question for the upstream's list of models.
    #[must_use]
    pub fn models() -> Self {
        Self {
            endpoint: Endpoint::Models,
            model: "".into(),
            body: Bytes::new(),
            stream: false,
            headers: Vec::new(),
        }
    }
}

/// Where a request goes. The same plan runs in an HTTP worker and in a job's task.
pub enum Plan {
    /// Over the network, carried by the thread that asked.
    Http {
        method: Method,
        uri: Uri,
        /// The credential, and what the protocol wants besides.
        headers: Vec<(HeaderName, HeaderValue)>,
    },
    /// Answered in this process.
    Local(LocalWork),
}

/// Work that may take a moment of CPU; it runs off the async threads.
pub type LocalWork = Box<dyn FnOnce() -> LocalAnswer + Send>;

/// What a built-in provider says.
#[derive(Debug)]
pub struct LocalAnswer {
    pub status: u16,
    pub content_type: &'static str,
    /// One piece per event or the whole body in one.
    pub pieces: Vec<Bytes>,
    /// The time between two pieces.
    pub pace: Duration,
}

/// One upstream protocol. It decides, it does not carry.
pub trait Upstream: Send + Sync {
    /// Where `outgoing` goes with that credential. None where the protocol has no such endpoint.
    fn plan(&self, outgoing: &Outgoing, secret: Option<&Secret>) -> Option<Plan>;

    /// The dialect in which a chat request of a client that speaks `client` goes upstream.
    fn chat_dialect(&self, client: Dialect) -> Dialect;

    /// The dialect in which it counts tokens, where it does.
    fn counts_tokens(&self) -> Option<Dialect> {
        None
    }

    /// What a failed answer means. `body` may be cut at a limit.
    fn classify(&self, status: u16, retry_after: Option<Duration>, body: &[u8]) -> FailureKind;

    /// Whether a failed answer says that there is no such endpoint at all, which is remembered: the next
    /// [`Self::chat_dialect`] knows.
    fn lacks(&self, _: Endpoint, _status: u16, _body: &[u8]) -> bool {
        false
    }

    /// Whether it speaks `openai_chat` and wants the signatures of its calls back, as Google's service does.
    fn wants_call_signatures(&self) -> bool {
        false
    }

    /// Whether a failed answer complains of the signatures of earlier thoughts.
    fn refuses_thoughts(&self, _status: u16, _body: &[u8]) -> bool {
        false
    }

    /// The host and port that the operator configured; none of one in this process.
    fn host(&self) -> Option<Exempt>;

    /// Whether its models can be asked for.
    fn lists_models(&self) -> bool;

    /// Reads its list of models.
    ///
    /// # Errors
    /// [`MalformedAnswer`].
    fn read_models(&self, body: &[u8]) -> Result<Vec<String>, MalformedAnswer> {
        parse_list(body)
    }

    /// The models of a built-in provider, which are the same always.
    fn own_models(&self) -> Option<Arc<[Model]>> {
        None
    }
}
