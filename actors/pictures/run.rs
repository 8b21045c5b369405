//! One errand with one credential, from its first call to its last.

use std::time::Duration;

use actix_rt::time::sleep;
use troupe_protocol::{
    failure::FailureKind,
    pictures::{Answer, Call, Errand, Failure, Heard, Outcome, Step, Ticket},
};

use super::{
    carry::{CallFault, Carried, CarriedBody, Carrier},
    events::Events,
};
use crate::{media::Spooled, providers::exchange::ExchangeError};

/// What an errand brought home.
#[derive(Debug)]
pub(super) struct Brought {
    pub outcome: Outcome,
    /// What was put aside of the last answer.
    pub files: Vec<Spooled>,
}

/// Why an errand brought nothing.
#[derive(Debug)]
pub(super) struct RunFault {
    pub failure: Failure,
    /// Whether the upstream may still be at work on it, or charge for it.
    pub open: bool,
    /// It is our store that did not take what came.
    pub not_stored: Option<Box<ExchangeError>>,
}

impl RunFault {
    pub fn new(failure: Failure, open: bool) -> Self {
        Self {
            failure,
            open,
            not_stored: None,
        }
    }
}

/// The wait before a question after a task is asked again; doubles.
const RETRY: Duration = Duration::from_secs(1);

/// Runs an errand. `taken` is told of each task that the upstream has taken the order as, which is one but where the
/// errand draws again; nothing goes on before it has returned.
pub(super) async fn run(
    errand: &mut dyn Errand,
    carrier: &Carrier<'_>,
    taken: &impl AsyncFn(Ticket),
) -> Result<Brought, RunFault> {
    let mut told = errand.ticket();
    let mut step = errand.next(Heard::Start);
    let mut events: Option<Box<Events>> = None;
    let mut files = Vec::new();
    loop {
        let ticket = errand.ticket();
        if let Some(ticket) = ticket.filter(|ticket| told.as_ref() != Some(ticket)) {
            told = Some(ticket.clone());
            taken(ticket).await;
        }
        let call = match step {
            Step::Done(outcome) => return Ok(Brought { outcome, files }),
            Step::Failed(failure) => return Err(RunFault::new(failure, false)),
            Step::Listen => {
                step = listen(errand, carrier, &mut events).await?;
                continue;
            }
            Step::Call(call) => call,
            Step::After(wait, call) => {
                sleep(wait.min(carrier.left())).await;
                call
            }
        };
        if carrier.left().is_zero() {
            return Err(late(told.is_some()));
        }
        let carried = carry(carrier, &call)
            .await
            .map_err(|fault| fallen(fault, told.is_some()))?;
        let (status, headers) = (carried.status, carried.headers);
        (step, events) = match carried.body {
            CarriedBody::Events(mut opened) => {
                let step = hear(errand, carrier, &mut opened).await?;
                (step, Some(opened))
            }
            CarriedBody::Whole(received) => {
                files = received.files;
                let heard = Heard::Answer(Answer {
                    status,
                    headers: &headers,
                    body: &received.body,
                    now: carrier.now(),
                });
                (errand.next(heard), None)
            }
        };
    }
}

fn late(open: bool) -> RunFault {
    let message = "the upstream did not finish in time";
    RunFault::new(Failure::new(FailureKind::Timeout, message), open)
}

/// A call without an answer: an order that the upstream has taken goes on there.
fn fallen(fault: CallFault, taken: bool) -> RunFault {
    let message = fault.message.unwrap_or_default();
    RunFault {
        not_stored: fault.not_stored,
        ..RunFault::new(Failure::new(fault.kind, &message), fault.sent || taken)
    }
}

async fn listen(
    errand: &mut dyn Errand,
    carrier: &Carrier<'_>,
    events: &mut Option<Box<Events>>,
) -> Result<Step, RunFault> {
    match events {
        Some(events) => hear(errand, carrier, events).await,
        // a whole answer came where events were expected
        None => Ok(errand.next(Heard::End)),
    }
}

async fn hear(
    errand: &mut dyn Errand,
    carrier: &Carrier<'_>,
    events: &mut Events,
) -> Result<Step, RunFault> {
    let event = events.next().await.map_err(|fault| fallen(fault, true))?;
    Ok(match &event {
        Some((name, data)) => errand.next(Heard::Event {
            name,
            data,
            now: carrier.now(),
        }),
        None => errand.next(Heard::End),
    })
}

/// Makes a call; one that may be repeated is, after faults that pass.
pub(super) async fn carry(carrier: &Carrier<'_>, call: &Call) -> Result<Carried, CallFault> {
    let mut failures = 0;
    loop {
        let carried = carrier.carry(call).await;
        let passes = match &carried {
            Ok(carried) => matches!(carried.status, 408 | 429 | 500..=599),
            Err(fault) if fault.not_stored.is_some() => false,
            Err(fault) => matches!(
                fault.kind,
                FailureKind::Network | FailureKind::Timeout | FailureKind::Upstream
            ),
        };
        let wait = RETRY.saturating_mul(1 << failures.min(5));
        if !passes
            || !call.repeats
            || failures >= carrier.config.poll_failures
            || wait >= carrier.left()
        {
            return carried;
        }
        failures += 1;
        sleep(wait).await;
    }
}
