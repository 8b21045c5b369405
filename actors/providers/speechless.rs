//! Upstreams that draw and do not talk: all they do goes by their studio.

use std::time::Duration;

use troupe_protocol::{dialect::Dialect, failure::FailureKind, openai::classify::classify};

use super::upstream::{Outgoing, Plan, Upstream};
use crate::{egress::Exempt, secrets::Secret};

/// Serves no endpoint of its own.
pub struct Speechless;

impl Upstream for Speechless {
    fn plan(&self, _: &Outgoing, _: Option<&Secret>) -> Option<Plan> {
        None
    }

    fn chat_dialect(&self, client: Dialect) -> Dialect {
        client
    }

    fn classify(&self, status: u16, retry_after: Option<Duration>, body: &[u8]) -> FailureKind {
        classify(status, retry_after, body)
    }

    fn host(&self) -> Option<Exempt> {
        None
    }

    fn lists_models(&self) -> bool {
        false
    }
}
