//! What the end of an answer means: for its record, for the client, and for the credential.

use troupe_actors::{accounts::calls::Outcome, providers::body::BodyFault};
use troupe_protocol::{
    failure::FailureKind,
    openai::{error::ErrorCode, stream::StreamSeen},
};

use super::tap::Tap;

/// How an answer ended.
pub enum End {
    /// The upstream ended it in order, as far as the connection tells.
    Complete,
    Broken(BodyFault),
    EventTooLong,
    /// The gateway is being stopped and has waited long enough.
    Drained,
}

/// See the module's head.
pub struct Verdict {
    pub outcome: Outcome,
    /// Told to the client as a last event.
    pub code: Option<ErrorCode>,
    /// The upstream told the client itself.
    pub upstream_code: Option<ErrorCode>,
    /// What it means for the credential.
    pub blame: Option<FailureKind>,
}

impl Verdict {
    /// Judges an answer by how it ended and by what was seen of it.
    pub fn of(tap: &Tap, end: &End) -> Self {
        match end {
            End::Complete => tap.seen().map_or_else(Self::ok, |seen| {
                Self::complete(seen, matches!(tap, Tap::Converted(_)))
            }),
            End::Broken(fault) => Self::broken(*fault),
            End::EventTooLong => {
                let blame = Some(FailureKind::Upstream);
                Self::told(Outcome::UpstreamError, ErrorCode::UpstreamError, blame)
            }
            End::Drained => Self::told(Outcome::Drained, ErrorCode::ShuttingDown, None),
        }
    }

    fn ok() -> Self {
        Self {
            outcome: Outcome::Ok,
            code: None,
            upstream_code: None,
            blame: None,
        }
    }

    fn told(outcome: Outcome, code: ErrorCode, blame: Option<FailureKind>) -> Self {
        Self {
            outcome,
            code: Some(code),
            upstream_code: None,
            blame,
        }
    }

    fn broken(fault: BodyFault) -> Self {
        let (outcome, code) = match fault {
            BodyFault::Idle | BodyFault::Total => (Outcome::Timeout, ErrorCode::UpstreamTimeout),
            BodyFault::Cut | BodyFault::TooLarge => (Outcome::UpstreamCut, ErrorCode::UpstreamCut),
        };
        Self::told(outcome, code, Some(fault.kind()))
    }

    /// The upstream ended its stream in order; it may still be cut short, or tell of an error. One that is
    /// converted has to be told to the client by us.
    fn complete(seen: &StreamSeen, converted: bool) -> Self {
        match &seen.error {
            Some(error) => {
                let code = ErrorCode::from(error.kind);
                Self {
                    outcome: Outcome::UpstreamError,
                    code: converted.then_some(code),
                    upstream_code: (!converted).then_some(code),
                    blame: Some(error.kind),
                }
            }
            None if seen.done || seen.finish_reason => Self::ok(),
            None => {
                let blame = Some(FailureKind::Network);
                Self::told(Outcome::UpstreamCut, ErrorCode::UpstreamCut, blame)
            }
        }
    }
}
