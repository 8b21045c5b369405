//! What the directory answers: who may serve a name, in which order, and why.

use std::sync::Arc;

use serde::Serialize;
use troupe_protocol::failure::FailureKind;

use super::{
    directory::Target,
    route::{Ranked, policy::RoutePolicy},
};

/// Who may serve a request, in the order in which they are asked.
#[derive(Debug, Clone)]
pub struct Candidates {
    /// At least one, best first, and no more than may be asked.
    pub targets: Vec<Target>,
    /// So many at the front can serve now, as far as is known.
    pub ready: usize,
    /// When the next one is asked; none where there is no route.
    pub policy: Option<Arc<RoutePolicy>>,
}

impl Candidates {
    /// Whether the one at `place` should wait when all its credentials rest: who can go on to a target
    /// that is ready need not.
    #[must_use]
    pub fn may_wait(&self, place: usize) -> bool {
        let rests = FailureKind::RateLimited { retry_after: None };
        let policy = self.policy.as_deref();
        place + 1 >= self.ready || policy.is_none_or(|policy| !policy.falls_back_on(rests))
    }
}

/// How a name was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResolvedBy {
    /// A `[[route]]`.
    Route,
    /// `provider/model`, as listed.
    FullId,
    /// A listed model without its provider.
    BareName,
    /// Any name of a provider whose models are not known.
    OpenProvider,
}

/// Why a name is served by whom.
#[derive(Debug, Clone)]
pub struct Explanation {
    pub resolved_by: ResolvedBy,
    /// All targets that are offered, best first.
    pub ranked: Vec<Ranked>,
    /// Targets of the route that no provider offers.
    pub absent: Vec<Arc<str>>,
    pub policy: Option<Arc<RoutePolicy>>,
}
