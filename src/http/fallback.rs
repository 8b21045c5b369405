//! A request's way through its candidates: one target after the other, until one answers with a first byte.

use std::pin::pin;

use troupe_actors::{
    catalog::{Affinity, Candidates, Target},
    credentials::Terms,
    providers::{
        exchange::{Answer, ExchangeError, exchange},
        upstream::{Endpoint, Outgoing},
    },
};
use troupe_protocol::{failure::FailureKind, openai::error::ErrorCode};

use super::{call::Call, error::ApiError, pictures::draw::Undrawn, services::Services};

/// What is asked, whoever answers.
pub trait Question {
    /// How an answer comes back to the client.
    type Way;

    /// The model that the client named.
    fn model(&self) -> &str;

    /// Whether the client wants a stream.
    fn stream(&self) -> bool;

    /// The request as that target gets it.
    ///
    /// # Errors
    /// What is wrong with it, or cannot be said to that target.
    fn prepare(&mut self, target: &Target) -> Result<(Outgoing, Self::Way), ApiError>;

    /// Whether the same target may answer if it is asked in another way; the next
    /// [`prepare`](Self::prepare) is that way.
    fn ask_otherwise(&mut self, _: &ExchangeError, _: &Self::Way) -> bool {
        false
    }
}

/// An upstream that has answered.
pub struct Asked<Way> {
    pub answer: Answer,
    pub way: Way,
}

/// Why one target did not answer.
pub struct Miss {
    error: ApiError,
    kind: FailureKind,
    /// Whether an upstream was asked, so that the error tells of it.
    asked: bool,
    /// Whether asking another might do the work twice where that is not harmless.
    risky: bool,
}

/// How often one target is asked in another way: without thoughts, and in another dialect.
const OTHER_WAYS: usize = 2;

/// Looks up who may serve the question, and asks them in their order, as far as the route's policy goes.
///
/// # Errors
/// What the last upstream said; where none was asked at all, why not.
pub async fn ask_in_turn<Q: Question>(
    question: &mut Q,
    affinity: Option<Affinity>,
    services: &Services,
    call: &mut Call,
) -> Result<Asked<Q::Way>, ApiError> {
    let candidates = candidates(
        question.model(),
        question.stream(),
        affinity,
        services,
        call,
    )?;
    let ask =
        async |target: &Target, terms, call: &mut Call| ask(question, target, terms, call).await;
    in_turn(&candidates, affinity, services, call, ask).await
}

/// Turns to one candidate after the other, as far as the route's policy goes, until `ask` brings something.
///
/// # Errors
/// What the last upstream said; where none was asked at all, why not. 503 when a drain has waited long enough.
pub async fn in_turn<T>(
    candidates: &Candidates,
    affinity: Option<Affinity>,
    services: &Services,
    call: &mut Call,
    ask: impl AsyncFnMut(&Target, Terms, &mut Call) -> Result<T, Miss>,
) -> Result<T, ApiError> {
    call.admit(services).await?;
    let asked = pin!(asked_in_turn(candidates, affinity, services, call, ask));
    services.unless_cut(asked).await?
}

async fn asked_in_turn<T>(
    candidates: &Candidates,
    affinity: Option<Affinity>,
    services: &Services,
    call: &mut Call,
    mut ask: impl AsyncFnMut(&Target, Terms, &mut Call) -> Result<T, Miss>,
) -> Result<T, ApiError> {
    let began = services.clock.now();
    let mut said: Option<ApiError> = None;
    for (place, target) in candidates.targets.iter().enumerate() {
        let terms = Terms {
            affinity,
            may_wait: candidates.may_wait(place),
            ..Terms::default()
        };
        let asked = match call.turn_to(target).await {
            Ok(()) => ask(target, terms, call).await,
            Err(error) => Err(Miss::at_the_gate(error)),
        };
        let miss = match asked {
            Ok(asked) => return Ok(asked),
            Err(miss) => miss,
        };
        let next = candidates.targets.get(place + 1);
        let policy = candidates.policy.as_deref();
        let policy = policy.filter(|policy| {
            let elapsed = services.clock.now().saturating_sub(began);
            miss.leaves_room() || policy.continues(miss.kind, place + 1, elapsed) && !miss.risky
        });
        let error = match said.take() {
            // what an upstream said tells more than that another could not be asked
            Some(said) if !miss.asked => said,
            _ => miss.error,
        };
        let (Some(next), Some(policy)) = (next, policy) else {
            return Err(error);
        };
        let ids = [&*target.id, &*next.id];
        fell_back(services, &policy.model, ids, miss.kind);
        said = Some(error);
    }
    // a look-up that finds nobody ends before this
    Err(said.unwrap_or_else(|| unknown_model("")))
}

/// Who may serve a model, which the call takes note of.
///
/// # Errors
/// 404 where nobody does.
pub fn candidates(
    model: &str,
    stream: bool,
    affinity: Option<Affinity>,
    services: &Services,
    call: &mut Call,
) -> Result<Candidates, ApiError> {
    let directory = services.catalog.directory();
    let Some(candidates) = directory.candidates(model, affinity, call.draw()) else {
        call.asks_unknown(model, stream);
        return Err(unknown_model(model));
    };
    call.asks(&candidates, stream);
    Ok(candidates)
}

/// 404 for a model that no provider serves.
pub fn unknown_model(model: &str) -> ApiError {
    ApiError::param(
        ErrorCode::ModelNotFound,
        "model",
        format!("the model `{model}` is not served here, GET /v1/models lists those that are"),
    )
}

/// Counts that a route has gone from one target to the next.
pub fn fell_back(services: &Services, route: &str, [from, to]: [&str; 2], kind: FailureKind) {
    log::debug!("route {route}: {from} failed ({kind}), now {to}");
    services.metrics.fell_back([route, from, to], kind);
}

/// Asks one target, and again where it wants to be asked otherwise.
///
/// # Errors
/// Why it does not answer.
pub async fn ask<Q: Question>(
    question: &mut Q,
    target: &Target,
    terms: Terms,
    call: &mut Call,
) -> Result<Asked<Q::Way>, Miss> {
    let mut other_ways = 0;
    loop {
        let (outgoing, way) = question.prepare(target).map_err(Miss::unsaid)?;
        let asked = exchange(&target.provider, &target.upstream, &outgoing, terms, call).await;
        match asked {
            Ok(answer) => return Ok(Asked { answer, way }),
            Err(error) if other_ways < OTHER_WAYS && question.ask_otherwise(&error, &way) => {
                log::debug!("{} is asked in another way: {error}", target.id);
                other_ways += 1;
            }
            Err(error) => return Err(Miss::of(error, outgoing.endpoint)),
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

    /// The target cannot be told the request, or it is wrong.
    pub fn unsaid(error: ApiError) -> Self {
        Self {
            error,
            kind: FailureKind::InvalidRequest,
            asked: false,
            risky: false,
        }
    }

    /// The target was asked, or should have been.
    pub fn of(error: ExchangeError, endpoint: Endpoint) -> Self {
        let open = matches!(
            error,
            ExchangeError::Failed { open: true, .. } | ExchangeError::NotStored { .. }
        );
        Self {
            kind: error.kind(),
            asked: matches!(error, ExchangeError::Failed { .. }),
            // a picture that was perhaps drawn is not ordered twice
            risky: open && endpoint == Endpoint::Images,
            error: error.into(),
        }
    }

    /// The target's job brought nothing.
    pub fn undrawn(undrawn: Undrawn) -> Self {
        Self {
            error: undrawn.error,
            kind: undrawn.kind,
            asked: undrawn.was_said,
            risky: undrawn.open,
        }
    }

    /// Whether the next target is asked whatever the policy says: this one could not be told the request
    /// in its dialect, another may speak the client's own, and have the earlier answer that it goes on from.
    fn leaves_room(&self) -> bool {
        let unsaid = [
            ErrorCode::NotConvertible,
            ErrorCode::PreviousResponseNotFound,
        ];
        unsaid.contains(&self.error.code)
    }
}
