//! The way to a token pool.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use super::{
    actor::TokenPool,
    calm::Lane,
    messages::{GetReadiness, GetSnapshot, Lend, Lent, Reset},
    outlook::Readiness,
    snapshot::PoolSnapshot,
    stored::StateStore,
    token::{Identity, TokenIndex},
};
use crate::{
    credentials::{
        config::PoolConfig,
        lease::{Lease, LeaseError, Report, ReportTo, Terms, Ticket, Trial},
    },
    secrets::{KeyedHash, Secret},
    supervision::{AskError, ChildSpec, Clock, Handle, Tree, TreeError},
};

/// What a pool is made of.
pub struct PoolSetup {
    pub provider: Arc<str>,
    /// None: the upstream asks for nothing.
    pub tokens: Vec<Secret>,
    pub config: PoolConfig,
    /// Makes the names under which the tokens' state is stored.
    pub hasher: KeyedHash,
    pub clock: Clock,
    pub store: Arc<dyn StateStore>,
}

/// A provider's tokens, to be lent. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    handle: Handle<TokenPool>,
    lender: Arc<dyn ReportTo>,
    identities: Arc<[Arc<Identity>]>,
    lane: Lane,
    clock: Clock,
    sticks: bool,
    /// How long an answer may take once the request waits in the pool.
    patience: Duration,
}

/// The thread that all pools share: they never block and do little.
const ARBITER: &str = "pools";

/// Of leases that no incarnation of the pool has lent: what they report is not judged.
const NO_EPOCH: u32 = u32::MAX;

/// What a waiting request's answer may take beyond the configured wait.
const GRACE: Duration = Duration::from_secs(1);

impl Pool {
    /// Starts the pool as `providers/{provider}/tokens`.
    ///
    /// # Errors
    /// [`TreeError`] when it does not come up.
    pub async fn start(tree: &Tree, setup: PoolSetup) -> Result<Self, TreeError> {
        let path = format!("providers/{}/tokens", setup.provider);
        let patience = Duration::from_millis(setup.config.max_wait_ms).saturating_add(GRACE);
        let clock = setup.clock.clone();
        let sticks = setup.config.sticks() && setup.tokens.len() > 1;
        let identities = Identity::of_all(&setup.tokens, &setup.hasher);
        let starts = AtomicU32::new(0);
        let lane = Lane::default();
        let for_actor = lane.clone();
        let all: Arc<[_]> = identities.clone().into();
        let spec = ChildSpec::new(path, ARBITER, move || {
            let epoch = starts.fetch_add(1, Ordering::Relaxed);
            Ok(TokenPool::new(&setup, &identities, epoch, &for_actor))
        })
        .contained();
        let handle = tree.start(spec).await?;
        Ok(Self {
            lender: Arc::new(Lender {
                pool: handle.clone(),
                lane: lane.clone(),
            }),
            handle,
            identities: all,
            lane,
            clock,
            sticks,
            patience,
        })
    }

    /// Borrows a token for one attempt with `model`. Waits up to the configured time if all rest,
    /// less what the request has waited already.
    ///
    /// `exclude` are tokens that this request has tried in vain and should not get again. One that
    /// was rate limited need not be among them: it rests, and may be waited for.
    /// `terms` say for which conversation, and whether the request waits at all.
    ///
    /// # Errors
    /// See [`LeaseError`].
    pub async fn lease(
        &self,
        model: &Arc<str>,
        exclude: &[TokenIndex],
        terms: Terms,
    ) -> Result<Lease, LeaseError> {
        if exclude.is_empty()
            && let Some(lease) =
                self.lane
                    .lend(self.clock.now(), model, terms.affinity, &self.lender)
        {
            return Ok(lease);
        }
        let lend = Lend {
            model: Arc::clone(model),
            exclude: exclude.to_vec(),
            terms,
            lender: Arc::clone(&self.lender),
        };
        let lent = self.handle.ask(lend).await;
        match lent.map_err(LeaseError::Unavailable)?? {
            Lent::Now(lease) => Ok(lease),
            Lent::Later(reply) => match tokio::time::timeout(self.patience, reply).await {
                Ok(Ok(answer)) => answer,
                // the pool fell, and its queue with it
                Ok(Err(_)) => Err(LeaseError::Unavailable(AskError::Unavailable {
                    path: self.path(),
                })),
                Err(_) => Err(LeaseError::Unavailable(AskError::Timeout {
                    path: self.path(),
                })),
            },
        }
    }

    /// The token of that [name](Lease::token_name), whether it rests or not: for questions after what it has been
    /// used for. How they end says nothing about it. None if there is no such token any more.
    #[must_use]
    pub fn lease_of(&self, model: &Arc<str>, name: &str) -> Option<Lease> {
        let mut identities = self.identities.iter();
        let identity = identities.find(|identity| identity.hash == name)?;
        identity.standing.fetch_add(1, Ordering::Relaxed);
        let ticket = Ticket {
            token: identity.index,
            epoch: NO_EPOCH,
            trial: Trial::default(),
            standing: true,
        };
        let (model, lender) = (Arc::clone(model), Arc::clone(&self.lender));
        Some(Lease::new(Arc::clone(identity), ticket, model, lender))
    }

    /// How many tokens it has; one that carries no secret counts as well.
    #[must_use]
    pub fn size(&self) -> usize {
        self.identities.len()
    }

    /// Whether it matters for the choice of a token which conversation a request belongs to.
    #[must_use]
    pub fn sticks(&self) -> bool {
        self.sticks
    }

    /// When another request for `model` has a chance, all that was reported before this call being judged.
    ///
    /// # Errors
    /// [`AskError`] when it does not answer.
    pub async fn ready_in(&self, model: &Arc<str>) -> Result<Duration, AskError> {
        let model = Arc::clone(model);
        let readiness = self.handle.ask(GetReadiness { model }).await?;
        Ok(readiness.left().unwrap_or_default())
    }

    /// How the chances of a request for `model` look now. Costs no hop.
    #[must_use]
    pub fn readiness(&self, model: &str) -> Readiness {
        self.lane.readiness(self.clock.now(), model)
    }

    /// The pool as operators see it.
    ///
    /// # Errors
    /// [`AskError`] when it does not answer.
    pub async fn snapshot(&self) -> Result<PoolSnapshot, AskError> {
        self.handle.ask(GetSnapshot).await
    }

    /// Ends all rests of one token, or with `None` of all, and closes the breaker then. For
    /// operators who know better. False if there is no such token.
    ///
    /// # Errors
    /// [`AskError`] when it does not answer.
    pub async fn reset(&self, token: Option<TokenIndex>) -> Result<bool, AskError> {
        self.handle.ask(Reset { token }).await
    }

    fn path(&self) -> Arc<str> {
        Arc::clone(self.handle.vitals().path())
    }
}

/// The way back for leases.
struct Lender {
    pool: Handle<TokenPool>,
    lane: Lane,
}

impl ReportTo for Lender {
    fn report(&self, report: Report) {
        if report.ticket.standing {
            self.lane.tells();
        }
        if let Err(error) = self.pool.tell(report) {
            log::warn!("a lease could not be given back: {error}");
        }
    }
}
