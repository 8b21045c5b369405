//! One configured provider: what never changes about it, and the handles to what does.

use std::{sync::Arc, time::Duration};

use super::{config::Timeouts, upstream::Upstream};
use crate::{accounts::limits::Gate, credentials::Pool, egress::Exempt, pictures::Studio};

/// A provider as requests see it. Shared, immutable; its changing parts are actors behind handles.
pub struct Provider {
    /// The prefix of its model ids.
    pub name: Arc<str>,
    /// Its place in the configuration.
    pub rank: usize,
    /// Whether bare model names resolve here before other providers.
    pub is_default: bool,
    pub upstream: Box<dyn Upstream>,
    /// What it draws, if it draws.
    pub studio: Option<Studio>,
    /// Whether it has OpenAI's own image API, whose requests pass as they are.
    pub passes_pictures: bool,
    pub pool: Pool,
    /// Bounds the requests under way at this provider.
    pub gate: Gate,
    /// How long a request waits at the gate.
    pub gate_wait: Duration,
    pub timeouts: Timeouts,
    /// Attempts of one request, failovers included.
    pub max_attempts: usize,
    /// Whether to ask for usage in streams that did not.
    pub ask_stream_usage: bool,
    /// `max_tokens` where the upstream needs one and the client gave none.
    pub default_max_tokens: u64,
    /// Whether converted requests use OpenAI's newer fields.
    pub openai_fields: bool,
}

impl Provider {
    /// The hosts and ports that the operator configured for it: links of its answers may lead there, whatever
    /// their address.
    #[must_use]
    pub fn trusted(&self) -> Vec<Exempt> {
        let studio = self.studio.iter();
        let drawn = studio.flat_map(|studio| studio.trusted.iter().cloned());
        drawn.chain(self.upstream.host()).collect()
    }

    /// Whether a URL leads to where the operator has pictures drawn.
    #[must_use]
    pub fn draws_at(&self, url: &str) -> bool {
        let studio = self.studio.as_ref();
        studio.is_some_and(|studio| studio.owns(url))
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Provider({})", self.name)
    }
}
