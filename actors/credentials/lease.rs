//! A credential lent for one attempt. However the attempt ends, its lease reports exactly once:
//! by [`Lease::report`], or by `Drop`.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use actix::Message;
use derive_more::{Display, Error};
use troupe_protocol::failure::{FailureKind, QuotaScope};

use super::{
    cooldown::{ColdReason, in_words},
    token_pool::token::Identity,
};
use crate::{affinity::Affinity, secrets::Secret, supervision::AskError};

pub use super::token_pool::token::TokenIndex;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display)]
pub enum Outcome {
    #[display("success")]
    Success,
    #[display("{_0}")]
    Failure(FailureKind),
    /// The attempt went away without a word: its task was cancelled, or it panicked.
    #[display("dropped")]
    Dropped,
}

/// On which terms a credential is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The conversation, which gets the same credential each time while it can be lent.
    pub affinity: Option<Affinity>,
    /// Whether the request waits in the pool when all credentials rest. Who can go elsewhere does not.
    pub may_wait: bool,
    /// How long the request has waited for credentials so far: its attempts share the time that it may wait.
    pub waited: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            affinity: None,
            may_wait: true,
            waited: Duration::ZERO,
        }
    }
}

/// What the lender needs to take a lease back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    pub token: TokenIndex,
    /// The lender's incarnation: leases from before its restart are not counted after it.
    pub epoch: u32,
    pub trial: Trial,
    /// Lent in calm times, without the lender's knowledge; see [`calm`](super::token_pool::calm).
    pub standing: bool,
}

/// What else is found out with a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trial {
    /// Whether the upstream is back, for the circuit breaker.
    pub probe: bool,
    /// Whether a credential that was refused as invalid is accepted again.
    pub recheck: bool,
}

/// The end of a lease, on its way to the lender.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Report {
    pub ticket: Ticket,
    pub model: Arc<str>,
    pub outcome: Outcome,
}

/// Where leases report to. The report must arrive even if the caller goes away at once, so this
/// neither waits nor fails.
pub trait ReportTo: Send + Sync {
    fn report(&self, report: Report);
}

/// A lent credential. See the module.
pub struct Lease {
    identity: Arc<Identity>,
    ticket: Ticket,
    model: Arc<str>,
    lender: Arc<dyn ReportTo>,
    reported: bool,
}

impl Lease {
    /// A lease that `lender` counts as out from now on.
    #[must_use]
    pub fn new(
        identity: Arc<Identity>,
        ticket: Ticket,
        model: Arc<str>,
        lender: Arc<dyn ReportTo>,
    ) -> Self {
        Self {
            identity,
            ticket,
            model,
            lender,
            reported: false,
        }
    }

    /// What opens the upstream; none for an upstream that asks for nothing.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        self.identity.secret.as_ref()
    }

    /// The name that may be shown, such as `#1 …abcd`.
    #[must_use]
    pub fn alias(&self) -> &Arc<str> {
        &self.identity.alias
    }

    /// The model that it was lent for, by the upstream's name.
    #[must_use]
    pub fn model(&self) -> &Arc<str> {
        &self.model
    }

    /// The name under which the credential's state is stored: a keyed hash.
    #[must_use]
    pub fn token_name(&self) -> &str {
        &self.identity.hash
    }

    /// For the list of credentials to exclude when the request asks for another.
    #[must_use]
    pub fn token(&self) -> TokenIndex {
        self.ticket.token
    }

    /// Whether it finds out for all others if the upstream is back.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.ticket.trial.probe
    }

    /// Gives the credential back and says how the attempt ended.
    pub fn report(mut self, outcome: Outcome) {
        self.send(outcome);
    }

    fn send(&mut self, outcome: Outcome) {
        self.reported = true;
        if self.ticket.standing {
            self.identity.standing.fetch_sub(1, Relaxed);
            // nothing that the lender does not know
            if matches!(outcome, Outcome::Success | Outcome::Dropped) {
                return;
            }
        }
        self.lender.report(Report {
            ticket: self.ticket,
            model: Arc::clone(&self.model),
            outcome,
        });
    }
}

/// Why no credential was lent.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
pub enum LeaseError {
    /// None thawed within the time that a request may wait; `reason` is that of the first to thaw.
    #[display("no credential of the provider can be used now ({reason}), try again in {}", in_words(*retry_after))]
    AllCold {
        retry_after: Duration,
        reason: ColdReason,
    },
    /// The upstream failed too often in a row and is left alone for a while.
    #[display("the provider failed repeatedly and is left alone, try again in {}", in_words(*retry_after))]
    BreakerOpen { retry_after: Duration },
    /// Every credential is in the list of those that this request has tried already.
    #[display("no other credential of the provider is left to try")]
    NoCredential,
    /// As many requests as may wait for a credential do so already.
    #[display("too many requests wait for a credential of the provider, try again in {}", in_words(*retry_after))]
    TooManyWaiting { retry_after: Duration },
    /// The lender did not answer.
    #[display("{_0}")]
    Unavailable(#[error(source)] AskError),
}

impl LeaseError {
    /// When another try makes sense, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::AllCold { retry_after, .. }
            | Self::BreakerOpen { retry_after }
            | Self::TooManyWaiting { retry_after } => Some(*retry_after),
            Self::NoCredential | Self::Unavailable(_) => None,
        }
    }

    /// The failure that it amounts to for a request that may go to another provider.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        let retry_after = self.retry_after();
        match self {
            Self::AllCold { reason, .. } => match reason {
                ColdReason::RateLimited => FailureKind::RateLimited { retry_after },
                ColdReason::QuotaExhausted => FailureKind::QuotaExhausted {
                    scope: QuotaScope::Credential,
                    retry_after,
                },
                ColdReason::NotEntitled => FailureKind::NotEntitled,
                ColdReason::Overloaded | ColdReason::Busy => {
                    FailureKind::Overloaded { retry_after }
                }
                ColdReason::Fault => FailureKind::Upstream,
                ColdReason::Invalid => FailureKind::AuthInvalid,
            },
            Self::BreakerOpen { .. } => FailureKind::Upstream,
            Self::NoCredential => FailureKind::AuthInvalid,
            Self::TooManyWaiting { .. } | Self::Unavailable(_) => {
                FailureKind::Overloaded { retry_after }
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.reported {
            self.send(Outcome::Dropped);
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("alias", self.alias())
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}
