//! From here to the receiver: one POST, through the guard of links.

use std::sync::Arc;

use awc::http::header::{HeaderName, HeaderValue};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;

use super::{config::WebhooksConfig, policy::Outcome};
use crate::egress::{EgressConfig, EgressError, Guard};

/// Brings messages to receivers.
pub trait Carry: Send + Sync + 'static {
    /// Whether a URL may be a receiver's.
    fn vet<'a>(&'a self, url: &'a str) -> LocalBoxFuture<'a, Result<(), EgressError>>;

    /// Posts a message and tells how that went.
    fn post<'a>(
        &'a self,
        url: &'a str,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    ) -> LocalBoxFuture<'a, Outcome>;
}

/// Carries over the network, by the rules of `[egress]`.
pub struct Carrier {
    guard: Guard,
    max_answer_bytes: usize,
}

/// Longer URLs are no receiver's.
const LONGEST_URL: usize = 2_048;

impl Carrier {
    /// A carrier that goes where `guard` lets it, in the time that `config` gives an attempt.
    #[must_use]
    pub fn new(guard: &Guard, config: &WebhooksConfig) -> Arc<Self> {
        let guard = guard.within(|limits| EgressConfig {
            connect_ms: limits.connect_ms.min(config.timeout_ms),
            first_byte_ms: config.timeout_ms,
            total_ms: config.timeout_ms,
            // the status counts, however much comes after it
            max_bytes: u64::MAX,
            ..limits
        });
        Arc::new(Self {
            guard,
            max_answer_bytes: config.max_answer_bytes,
        })
    }
}

impl Carry for Carrier {
    fn vet<'a>(&'a self, url: &'a str) -> LocalBoxFuture<'a, Result<(), EgressError>> {
        Box::pin(async move {
            match url.len() <= LONGEST_URL {
                true => self.guard.vet(url).await,
                false => Err(EgressError::Syntax),
            }
        })
    }

    fn post<'a>(
        &'a self,
        url: &'a str,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    ) -> LocalBoxFuture<'a, Outcome> {
        Box::pin(async move {
            let fetched = match self.guard.post(url, headers, body).await {
                Ok(fetched) => fetched,
                Err(error) => return Outcome::Failed(error.to_string()),
            };
            let (status, retry_after) = (fetched.status, fetched.retry_after);
            // nothing is read out of it, but some servers take an early end for a client that has failed
            let _ = fetched.body.collect(self.max_answer_bytes).await;
            Outcome::Answered {
                status,
                retry_after,
            }
        })
    }
}
