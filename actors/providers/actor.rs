//! The provider actor: it knows which models its upstream has, and announces them.
//!
//! | | |
//! |---|---|
//! | owns | the list of models of one provider, and when it was asked for last |
//! | durable | nothing; the list is configured or asked for again |
//! | derivable | the list |
//! | ephemeral | whether a question to the upstream is under way |
//! | mailbox | an admin's questions, its own timer |
//! | restart | asks the upstream again; what was announced stays in force meanwhile |

use std::{sync::Arc, time::Duration};

use actix::{AsyncContext as _, Message, MessageResult};

use super::{
    exchange::{Watch, exchange},
    model::Model,
    provider::Provider,
    upstream::Outgoing,
};
use crate::{
    credentials::Terms,
    supervision::{Behaviour, Cell, Ctx, Deliver, Receive, StartError},
};

/// Takes the list of models wherever it is needed; none = not known (yet).
pub type Announce = Arc<dyn Fn(Option<Arc<[Model]>>) + Send + Sync>;

/// See the module's head.
pub struct ProviderActor {
    provider: Arc<Provider>,
    announce: Announce,
    /// As configured; none = asked of the upstream.
    configured: Option<Arc<[Model]>>,
    models: Arc<[Model]>,
    asking: bool,
    failures: u32,
}

/// How often an upstream is asked for its models.
const REFRESH: Duration = Duration::from_secs(600);
/// The first wait after a question that failed; doubles up to [`REFRESH`].
const RETRY: Duration = Duration::from_secs(5);
/// The most bytes of a list of models.
const LIST_LIMIT: usize = 8 << 20;

impl ProviderActor {
    #[must_use]
    pub fn new(
        provider: Arc<Provider>,
        announce: Announce,
        configured: Option<Arc<[Model]>>,
    ) -> Self {
        Self {
            provider,
            announce,
            models: configured.clone().unwrap_or_default(),
            configured,
            asking: false,
            failures: 0,
        }
    }

    fn ask_upstream(&mut self, ctx: &mut Ctx<Self>) {
        if self.asking {
            return;
        }
        self.asking = true;
        let provider = self.provider.clone();
        let listed = async move { list_models(&provider).await };
        ctx.spawn(actix::fut::ActorFutureExt::map(
            actix::fut::wrap_future::<_, Cell<Self>>(listed),
            |listed, cell, ctx| cell.heard(listed, ctx),
        ));
    }

    fn heard(&mut self, listed: Result<Vec<String>, String>, ctx: &mut Ctx<Self>) {
        self.asking = false;
        let next = match listed {
            Ok(ids) => {
                self.failures = 0;
                self.models = ids.iter().map(|id| Model::named(id)).collect();
                (self.announce)(Some(self.models.clone()));
                REFRESH
            }
            Err(error) => {
                let name = &self.provider.name;
                if self.failures == 0 {
                    log::warn!("provider {name} did not list its models: {error}");
                }
                self.failures += 1;
                RETRY.saturating_mul(1 << self.failures.min(8)).min(REFRESH)
            }
        };
        ctx.run_later(next, |cell, ctx| cell.ask_upstream(ctx));
    }
}

impl Behaviour for ProviderActor {
    fn started(&mut self, ctx: &mut Ctx<Self>) -> Result<(), StartError> {
        (self.announce)(self.configured.clone());
        if self.configured.is_none() && self.provider.upstream.lists_models() {
            self.ask_upstream(ctx);
        }
        Ok(())
    }
}

/// Nobody waits for the answer.
#[derive(Default)]
struct Unwatched {
    waited: Duration,
}

impl Watch for Unwatched {
    fn attempt(&mut self, _: &Arc<str>) {}

    fn upstream_took(&mut self, _: Duration) {}

    fn waited(&mut self) -> &mut Duration {
        &mut self.waited
    }
}

async fn list_models(provider: &Provider) -> Result<Vec<String>, String> {
    let outgoing = Outgoing::models();
    let (model, terms) = (&outgoing.model, Terms::default());
    let answer = exchange(provider, model, &outgoing, terms, &mut Unwatched::default())
        .await
        .map_err(|error| error.to_string())?;
    let collected = answer.body.collect(LIST_LIMIT).await;
    answer.lease.report(match &collected {
        Ok(_) => crate::credentials::Outcome::Success,
        Err(fault) => crate::credentials::Outcome::Failure(fault.kind()),
    });
    let body = collected.map_err(|fault| fault.to_string())?;
    let models = provider.upstream.read_models(&body);
    models.map_err(|error| error.to_string())
}

/// Which models the provider has, as far as it knows.
#[derive(Message)]
#[rtype(result = "Arc<[Model]>")]
pub struct GetModels;

impl Receive<GetModels> for ProviderActor {
    type Reply = MessageResult<Deliver<GetModels>>;

    fn receive(&mut self, _: GetModels, _: &mut Ctx<Self>) -> Self::Reply {
        MessageResult(self.models.clone())
    }
}
