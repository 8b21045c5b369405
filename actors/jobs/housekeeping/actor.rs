//! The actor: a timer, and one round at a time.

use std::time::Duration;

use actix::{
    ActorFutureExt as _, AsyncContext as _, Message, MessageResult, ResponseActFuture,
    fut::{ready, wrap_future},
};

use super::{handle::Busy, report::Report, round::Upkeep};
use crate::supervision::{Behaviour, Cell, Ctx, Deliver, Receive, StartError, clock::Monotonic};

/// See the module's head.
pub struct Housekeeping {
    upkeep: Upkeep,
    running: bool,
    last: Option<Report>,
    /// When files and rows were compared by itself.
    compared: Option<Monotonic>,
}

impl Housekeeping {
    pub(super) fn new(upkeep: Upkeep) -> Self {
        Self {
            upkeep,
            running: false,
            last: None,
            compared: None,
        }
    }

    /// A round by itself, unless one is under way.
    fn begin(&mut self, ctx: &mut Ctx<Self>) {
        if self.running {
            return;
        }
        self.running = true;
        let now = self.upkeep.clock.now();
        let every = Duration::from_secs(self.upkeep.config.compare_hours * 3_600);
        let compares = self
            .compared
            .is_none_or(|at| now.saturating_sub(at) >= every);
        if compares {
            self.compared = Some(now);
        }
        let round = self.upkeep.clone().round(false, compares);
        ctx.spawn(wrap_future::<_, Cell<Self>>(round).map(|report, cell, _| cell.end(report)));
    }

    fn end(&mut self, report: Report) {
        self.running = false;
        if !report.is_empty() {
            let went = if report.dry_run {
                "would remove"
            } else {
                "has removed"
            };
            log::info!("housekeeping {went}: {report}");
        }
        self.last = Some(report);
    }
}

impl Behaviour for Housekeeping {
    fn started(&mut self, ctx: &mut Ctx<Self>) -> Result<(), StartError> {
        if self.upkeep.config.automatic {
            let every = Duration::from_secs(self.upkeep.config.every_seconds.max(1));
            ctx.run_interval(every, |cell, ctx| cell.begin(ctx));
        }
        Ok(())
    }
}

/// An admin wants a round, with everything compared.
#[derive(Message)]
#[rtype(result = "Result<Report, Busy>")]
pub(super) struct Run {
    pub dry_run: bool,
}

impl Receive<Run> for Housekeeping {
    type Reply = ResponseActFuture<Cell<Self>, Result<Report, Busy>>;

    fn receive(&mut self, run: Run, _: &mut Ctx<Self>) -> Self::Reply {
        if self.running {
            return Box::pin(ready(Err(Busy)));
        }
        self.running = true;
        let round = self.upkeep.clone().round(run.dry_run, true);
        Box::pin(wrap_future::<_, Cell<Self>>(round).map(|report, cell, _| {
            cell.end(report.clone());
            Ok(report)
        }))
    }
}

/// What came of the last round.
#[derive(Message)]
#[rtype(result = "Option<Report>")]
pub(super) struct Last;

impl Receive<Last> for Housekeeping {
    type Reply = MessageResult<Deliver<Last>>;

    fn receive(&mut self, _: Last, _: &mut Ctx<Self>) -> Self::Reply {
        MessageResult(self.last.clone())
    }
}
