//! A request's way through its candidates: one target after the other, until one answers with a first byte.

use bytes::Bytes;
use troupe_actors::{
    catalog::{Affinity, Candidates, Target, route::policy::RoutePolicy},
    credentials::Terms,
    providers::{
        exchange::{ExchangeError, exchange},
        upstream::{Endpoint, Outgoing},
    },
};
use troupe_protocol::{failure::FailureKind, openai::request::RequestHead};

use super::forward::{Asked, Surface};
use crate::http::{call::Call, error::ApiError, services::Services};

/// What is asked, whoever answers.
pub struct Question<'a> {
    pub surface: &'a Surface,
    pub head: &'a RequestHead,
    /// The client's body, as `head` was read from it.
    pub body: &'a Bytes,
    pub stream: bool,
    /// The conversation that it belongs to.
    pub affinity: Option<Affinity>,
}

/// Why one target did not answer.
struct Miss {
    error: ApiError,
    kind: FailureKind,
    /// Whether an upstream was asked, so that the error tells of it.
    asked: bool,
    /// Whether asking another might do the work twice where that is not harmless.
    risky: bool,
}

/// Asks the candidates in their order, as far as the route's policy goes.
///
/// # Errors
/// What the last upstream said; where none was asked at all, why not.
pub async fn ask_in_turn(
    question: &Question<'_>,
    candidates: &Candidates,
    services: &Services,
    call: &mut Call,
) -> Result<Asked, ApiError> {
    let began = services.clock.now();
    let mut said: Option<ApiError> = None;
    for (place, target) in candidates.targets.iter().enumerate() {
        let terms = Terms {
            affinity: question.affinity,
            may_wait: candidates.may_wait(place),
        };
        let miss = match question.ask(target, terms, call).await {
            Ok(asked) => return Ok(asked),
            Err(miss) => miss,
        };
        let next = candidates.targets.get(place + 1);
        let policy = candidates.policy.as_deref();
        let policy = policy.filter(|policy| {
            let elapsed = services.clock.now().saturating_sub(began);
            !miss.risky && policy.continues(miss.kind, place + 1, elapsed)
        });
        let error = match said.take() {
            // what an upstream said tells more than that another could not be asked
            Some(said) if !miss.asked => said,
            _ => miss.error,
        };
        let (Some(next), Some(policy)) = (next, policy) else {
            return Err(error);
        };
        fell_back(services, policy, miss.kind, target, next);
        said = Some(error);
    }
    // a look-up that finds nobody ends before this
    Err(said.unwrap_or_else(|| super::forward::unknown_model(&question.head.model)))
}

fn fell_back(
    services: &Services,
    route: &RoutePolicy,
    kind: FailureKind,
    from: &Target,
    to: &Target,
) {
    log::debug!(
        "route {}: {} failed ({kind}), now {}",
        route.model,
        from.id,
        to.id
    );
    let labels = [&*route.model, &*from.id, &*to.id];
    services.metrics.fell_back(labels, kind);
}

impl Question<'_> {
    async fn ask(&self, target: &Target, terms: Terms, call: &mut Call) -> Result<Asked, Miss> {
        call.turn_to(target).await.map_err(Miss::at_the_gate)?;
        let provider = &target.provider;
        let ask_usage = self.surface.may_stream && provider.ask_stream_usage;
        let (body, strip_usage) = self.head.rewrite(self.body, &target.upstream, ask_usage);
        let outgoing = Outgoing {
            endpoint: self.surface.endpoint,
            body,
            stream: self.stream,
        };
        match exchange(provider, &target.upstream, &outgoing, terms, call).await {
            Ok(answer) => Ok(Asked {
                answer,
                strip_usage,
            }),
            Err(error) => Err(Miss::of(error, self.surface.endpoint)),
        }
    }
}

impl Miss {
    fn at_the_gate(error: ApiError) -> Self {
        Self {
            error,
            kind: FailureKind::Overloaded { retry_after: None },
            asked: false,
            risky: false,
        }
    }

    fn of(error: ExchangeError, endpoint: Endpoint) -> Self {
        let open = matches!(error, ExchangeError::Failed { open: true, .. });
        Self {
            kind: error.kind(),
            asked: matches!(error, ExchangeError::Failed { .. }),
            // a picture that was perhaps drawn is not ordered twice
            risky: open && endpoint == Endpoint::Images,
            error: error.into(),
        }
    }
}
