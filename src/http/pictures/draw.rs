//! Pictures that are wanted at once: each is a job underneath, begun at once, which goes on if its client leaves.

use std::sync::Arc;

use troupe_actors::{
    catalog::Candidates,
    jobs::{Again, News, Waiting, Yield, policy::Fault, waiting::Ended},
    providers::exchange::Watch as _,
};
use troupe_protocol::{failure::FailureKind, openai::error::ErrorCode, pictures::Order};

use super::{
    draft::Draft,
    plan::{Plan, admitted, plan, submitted},
};
use crate::http::{call::Call, error::ApiError, fallback::fell_back, services::Services};

/// What was drawn, and of what order.
pub struct Drawn {
    pub output: Yield,
    pub order: Arc<Order>,
}

/// Why nothing was drawn.
pub struct Undrawn {
    pub error: ApiError,
    pub kind: FailureKind,
    /// Whether an upstream was asked, so that the error tells of it.
    pub was_said: bool,
    /// Whether the upstream may have drawn it all the same.
    pub open: bool,
}

/// A job that somebody waits for.
pub struct Drawing {
    waiting: Waiting,
    plan: Plan,
    route: Option<Arc<str>>,
}

/// Begins a draft's job with whoever serves its model.
///
/// # Errors
/// What is wrong with the draft, or kept its job from being stored.
pub async fn begin(
    draft: &mut Draft,
    services: &Services,
    call: &mut Call,
) -> Result<Drawing, ApiError> {
    let candidates = admitted(draft, services, call).await?;
    begin_with(draft, &candidates, services, call).await
}

/// The same with these, for a call that was admitted.
///
/// # Errors
/// What none of them can be told, or what kept the job from being stored.
pub async fn begin_with(
    draft: &mut Draft,
    candidates: &Candidates,
    services: &Services,
    call: &mut Call,
) -> Result<Drawing, ApiError> {
    let known = submitted(Again::UnlessLost, services, call).await?;
    let mut plan = plan(draft, candidates, known.as_ref(), services, call).await?;
    let policy = candidates.policy.as_deref();
    let until = policy.map(|policy| services.clock.wall_ms().saturating_add(policy.budget_ms));
    let until = until.map(|until| i64::try_from(until).unwrap_or(i64::MAX));
    let (new, files) = (plan.job(candidates, until), std::mem::take(&mut plan.files));
    let waiting = match known {
        Some(job) => services.jobs.wait_for(call.app_id(), &job.id).await?,
        None => services.jobs.begin(new, files, call.place()).await?,
    };
    call.names_job(waiting.id());
    Ok(Drawing {
        waiting,
        plan,
        route: policy.map(|policy| policy.model.clone()),
    })
}

impl Drawing {
    /// Waits for the end. May be dropped meanwhile, and called again.
    ///
    /// # Errors
    /// [`Undrawn`].
    pub async fn done(&mut self, services: &Services, call: &mut Call) -> Result<Drawn, Undrawn> {
        loop {
            let news = tokio::select! {
                news = self.waiting.next() => news,
                () = services.cut.cancelled() => return Err(self.left(ErrorCode::ShuttingDown, "is being stopped")),
            };
            match news {
                Some(News::Attempt { target, alias }) => {
                    self.turn_to(&target, call);
                    call.attempt(&alias);
                }
                Some(News::Took(time)) => call.upstream_took(time),
                Some(News::FellBack { from, to, kind }) => {
                    let route = self.route.as_deref().unwrap_or_default();
                    fell_back(services, route, [&from, &to], kind);
                }
                Some(News::Ended(ended)) => return self.ended(*ended, call),
                None => {
                    return Err(
                        self.left(ErrorCode::InternalError, "cannot tell what became of it")
                    );
                }
            }
        }
    }

    fn turn_to(&self, target: &str, call: &mut Call) -> Option<Arc<Order>> {
        let mut planned = self.plan.targets.iter();
        let planned = planned.find(|planned| *planned.target.id == *target)?;
        call.served_by_job_at(&planned.target);
        call.dropped(&planned.losses);
        Some(planned.order.clone())
    }

    fn ended(&self, ended: Ended, call: &mut Call) -> Result<Drawn, Undrawn> {
        let order = self.turn_to(&ended.target, call);
        match (ended.result, order) {
            (Ok(output), Some(order)) => Ok(Drawn { output, order }),
            (Ok(_), None) => Err(self.left(ErrorCode::InternalError, "does not know who drew it")),
            (Err(fault), _) => {
                let provider = call.provider().map(|provider| provider.name.clone());
                Err(Undrawn::of(fault, &provider.unwrap_or_default()))
            }
        }
    }

    /// The gateway cannot wait any longer; the job goes on.
    fn left(&self, code: ErrorCode, why: &str) -> Undrawn {
        let id = self.waiting.id();
        let message = format!("the gateway {why}; look at /v1/jobs/{id}, which goes on");
        Undrawn {
            error: ApiError::new(code, message),
            kind: FailureKind::Cancelled,
            was_said: false,
            open: true,
        }
    }
}

impl Undrawn {
    fn of(fault: Fault, provider: &str) -> Self {
        Self {
            kind: fault.kind,
            was_said: fault.was_said(),
            open: fault.open || fault.held,
            error: match fault.error {
                Some(error) => (*error).into(),
                None if fault.cold => ApiError::provider_busy(provider),
                None => ApiError::new(fault.kind.into(), fault.message),
            },
        }
    }
}
