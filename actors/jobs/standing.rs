//! How a job that is not finished stands beyond its state: where in the queue it is, and what it waits for.

use troupe_protocol::failure::FailureKind;

use super::{
    job::{Job, JobFailure},
    policy::Fault,
};

/// What followers were last told of; what differs is news.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Of a job that runs.
    pub progress: u8,
    /// Of one that waits.
    pub position: Option<usize>,
}

/// The place of a job that waits: its position, and when it is tried again.
pub(super) type Place = (Option<usize>, Option<i64>);

/// See [`Place`]; none of a job that does not wait.
pub(super) fn place(job: &Job) -> Option<Place> {
    job.state.waits().then_some((job.position, job.wake_at))
}

/// The code where no credential could be had.
pub const NO_CREDENTIAL: &str = "no_credential";

/// Why a job is tried again later. What the upstream said in its own words is for the log: it may be tried again
/// elsewhere, and with success.
pub(super) fn setback(fault: &Fault) -> JobFailure {
    let (code, message) = match fault.kind {
        _ if fault.cold => (NO_CREDENTIAL, "no credential is free for it"),
        FailureKind::RateLimited { .. } => {
            (&*fault.code, "the upstream takes no more at the moment")
        }
        FailureKind::QuotaExhausted { .. } => (&*fault.code, "the quota is used up"),
        FailureKind::Overloaded { .. } => (&*fault.code, "the upstream is overloaded"),
        FailureKind::Timeout => (&*fault.code, "the upstream took too long"),
        FailureKind::Network => (&*fault.code, "the upstream could not be reached"),
        _ => (&*fault.code, "the upstream failed"),
    };
    JobFailure {
        kind: fault.kind.to_string(),
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setback_is_told_in_the_gateways_own_words() {
        let kind = FailureKind::RateLimited { retry_after: None };
        let fault = Fault::of(kind, "key sk-1 of org o has 3 rpm");
        let told = setback(&fault);
        assert_eq!((&*told.kind, &*told.code), ("rate_limited", "rate_limited"));
        assert!(!told.message.contains("sk-1"), "{}", told.message);
        let cold = Fault {
            cold: true,
            ..fault
        };
        assert_eq!(setback(&cold).code, NO_CREDENTIAL);
    }
}
