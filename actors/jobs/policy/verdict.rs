//! What becomes of a job after an attempt that failed.

use std::time::Duration;

use troupe_protocol::failure::FailureKind;

use crate::{
    jobs::{config::JobsConfig, job::JobFailure},
    providers::exchange::ExchangeError,
};

/// Why an attempt brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: FailureKind,
    /// The upstream's own code, where it gave one; else the kind's name.
    pub code: String,
    /// For people; holds no secret.
    pub message: String,
    /// No credential could be had: the upstream was not asked.
    pub cold: bool,
    /// The upstream may still be at work on it, or charge for it, and cannot be asked for it again.
    pub open: bool,
    /// The upstream has taken it, or a part of it, as a task and can be asked for that again.
    pub held: bool,
    /// The same with all that is known of it, where it got as far as the provider's credentials.
    pub error: Option<Box<ExchangeError>>,
}

impl Fault {
    /// One of the gateway's own making, before any upstream was asked.
    #[must_use]
    pub fn of(kind: FailureKind, message: &str) -> Self {
        Self {
            kind,
            code: kind.to_string(),
            message: message.to_owned(),
            cold: false,
            open: false,
            held: false,
            error: None,
        }
    }

    /// Whether an upstream has said it.
    #[must_use]
    pub fn was_said(&self) -> bool {
        matches!(self.error.as_deref(), Some(ExchangeError::Failed { .. }))
    }

    /// Whether it was drawn, and our store did not take it.
    #[must_use]
    pub fn is_of_our_store(&self) -> bool {
        matches!(self.error.as_deref(), Some(ExchangeError::NotStored { .. }))
    }
}

impl From<&Fault> for JobFailure {
    fn from(fault: &Fault) -> Self {
        Self {
            kind: match fault.is_of_our_store() {
                true => "storage".to_owned(),
                false => fault.kind.to_string(),
            },
            code: fault.code.clone(),
            message: fault.message.clone(),
        }
    }
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Try again after a wait.
    Retry(Duration),
    /// Wait for a credential; the attempt does not count.
    Rest(Duration),
    Fail,
}

/// The rest where nobody said how long; also the shortest.
const SOME: Duration = Duration::from_secs(1);
/// The longest rest: credentials may come back early, by an operator's hand.
const LONGEST: Duration = Duration::from_secs(600);

/// Decides. `attempts` counts the failed one.
#[must_use]
pub fn verdict(fault: &Fault, attempts: u32, config: &JobsConfig) -> Verdict {
    let rest = || {
        Verdict::Rest(
            fault
                .kind
                .retry_after()
                .unwrap_or(SOME)
                .clamp(SOME, LONGEST),
        )
    };
    match fault.kind {
        _ if fault.cold => rest(),
        FailureKind::RateLimited { .. } | FailureKind::QuotaExhausted { .. } => rest(),
        // it is drawn, and asked for again when there may be room for it
        _ if fault.held && fault.is_of_our_store() => {
            Verdict::Rest(Duration::from_millis(config.max_retry_ms))
        }
        _ if attempts >= config.max_attempts => Verdict::Fail,
        // perhaps drawn and charged for, and nothing to ask for it by
        _ if fault.open => Verdict::Fail,
        FailureKind::Network
        | FailureKind::Timeout
        | FailureKind::Upstream
        | FailureKind::Overloaded { .. } => {
            let asked = fault.kind.retry_after().unwrap_or_default();
            Verdict::Retry(config.backoff(attempts).max(asked.min(LONGEST)))
        }
        FailureKind::InvalidRequest
        | FailureKind::ContentPolicy
        | FailureKind::AuthInvalid
        | FailureKind::NotEntitled
        | FailureKind::Cancelled => Verdict::Fail,
    }
}
