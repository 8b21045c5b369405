//! What every upstream protocol says about a request: where it goes, and what a failure means.

use std::{sync::Arc, time::Duration};

use awc::http::{Method, Uri, header::HeaderValue};
use bytes::Bytes;
use derive_more::Display;
use troupe_protocol::failure::FailureKind;

use super::model::Model;
use crate::secrets::Secret;

/// The surfaces that providers serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display)]
pub enum Endpoint {
    #[display("chat")]
    Chat,
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
    pub body: Bytes,
    /// Whether the answer is asked for as a stream of events.
    pub stream: bool,
}

/// Where a request goes. The same plan runs in an HTTP worker and in a job's task.
pub enum Plan {
    /// Over the network, carried by the thread that asked.
    Http {
        method: Method,
        uri: Uri,
        authorization: Option<HeaderValue>,
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

/// One upstream protocol. Pure: it decides, it does not carry.
pub trait Upstream: Send + Sync {
    /// Where `outgoing` goes with that credential. None where the protocol has no such endpoint.
    fn plan(&self, outgoing: &Outgoing, secret: Option<&Secret>) -> Option<Plan>;

    /// What a failed answer means. `body` may be cut at a limit.
    fn classify(&self, status: u16, retry_after: Option<Duration>, body: &[u8]) -> FailureKind;

    /// Whether a link leads to the very host and port that the operator configured.
    fn owns(&self, uri: &Uri) -> bool;

    /// Whether its models can be asked for.
    fn lists_models(&self) -> bool;

    /// The models of a built-in provider, which are the same always.
    fn own_models(&self) -> Option<Arc<[Model]>> {
        None
    }
}
