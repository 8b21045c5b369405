//! Lending in calm times: while nothing is held against any token or the upstream, a success changes
//! nothing, so nobody needs to be asked or told.
//!
//! The pool's actor publishes [`Calm`] while that holds, and takes it back with the first report that
//! changes something. Handles lend from it on their own thread, without the two hops to the actor
//! (lend, report) that a busy gateway would pay for each request; only failures are reported.

use std::sync::{
    Arc,
    atomic::{
        AtomicU32, AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use arc_swap::ArcSwapOption;

use super::{
    outlook::{Outlook, Readiness},
    policy::PoolState,
    token::{Identity, Token},
};
use crate::credentials::{
    breaker::BreakerView,
    config::Strategy,
    cooldown::Cooldown,
    lease::{Lease, ReportTo, Ticket, Trial},
};
use crate::{
    affinity::{Affinity, mix},
    supervision::clock::Monotonic,
};

/// Where the actor publishes and handles look. Shared by all clones.
#[derive(Clone, Default)]
pub struct Lane(Arc<Shared>);

#[derive(Default)]
struct Shared {
    calm: ArcSwapOption<Calm>,
    /// What keeps requests away; none = nothing does.
    outlook: ArcSwapOption<Outlook>,
    /// Failures on their way to the actor. Until it has judged them nobody knows how calm it is.
    unjudged: AtomicU32,
}

/// Tokens against which nothing is known, and the order to lend them in.
struct Calm {
    tokens: Vec<Arc<Identity>>,
    strategy: Strategy,
    sticks: bool,
    turn: AtomicUsize,
    epoch: u32,
}

impl Lane {
    /// A lease without a hop, in calm times.
    pub fn lend(
        &self,
        now: Monotonic,
        model: &Arc<str>,
        affinity: Option<Affinity>,
        lender: &Arc<dyn ReportTo>,
    ) -> Option<Lease> {
        if self.0.unjudged.load(Acquire) > 0 {
            return None;
        }
        let calm = self.0.calm.load();
        let calm = calm.as_ref()?;
        let identity = calm.choose(affinity)?;
        identity.standing.fetch_add(1, Relaxed);
        identity.day.used(now);
        let ticket = Ticket {
            token: identity.index,
            epoch: calm.epoch,
            trial: Trial::default(),
            standing: true,
        };
        let (model, lender) = (Arc::clone(model), Arc::clone(lender));
        Some(Lease::new(Arc::clone(identity), ticket, model, lender))
    }

    /// How the chances of a request for `model` look, without a hop.
    pub fn readiness(&self, now: Monotonic, model: &str) -> Readiness {
        let outlook = self.0.outlook.load();
        let outlook = outlook.as_ref();
        outlook.map_or(Readiness::Ready, |outlook| outlook.readiness(now, model))
    }

    /// Publishes what keeps requests away. To be called when that has changed.
    pub fn foretell(&self, state: &PoolState) {
        let outlook = state.outlook();
        if outlook.is_some() || self.0.outlook.load().is_some() {
            self.0.outlook.store(outlook.map(Arc::new));
        }
    }

    /// A failure of a lease from the lane is about to be told.
    pub fn tells(&self) {
        self.0.unjudged.fetch_add(1, Release);
    }

    /// The actor has judged such a failure.
    pub fn judged(&self) {
        // one that was lost with a fallen actor was forgiven at its start
        let less = |count: u32| count.checked_sub(1);
        let _ = self.0.unjudged.fetch_update(Release, Relaxed, less);
    }

    /// The actor starts: failures that were lost with its last life will not be judged any more.
    pub fn forgive(&self) {
        self.0.unjudged.store(0, Release);
    }

    /// Opens or closes the lane as the state allows. Cheap where nothing changes.
    pub fn follow(&self, state: &PoolState, anybody_waits: bool) {
        let calm = !anybody_waits && state.is_calm();
        if calm == self.0.calm.load().is_some() && !self.is_from_before(state) {
            return;
        }
        self.0.calm.store(calm.then(|| {
            Arc::new(Calm {
                tokens: state
                    .tokens
                    .iter()
                    .map(|token| Arc::clone(&token.identity))
                    .collect(),
                strategy: state.config.strategy,
                sticks: state.config.sticks(),
                turn: AtomicUsize::new(0),
                epoch: state.epoch,
            })
        }));
    }

    fn is_from_before(&self, state: &PoolState) -> bool {
        self.0
            .calm
            .load()
            .as_ref()
            .is_some_and(|calm| calm.epoch != state.epoch)
    }
}

impl Calm {
    fn choose(&self, affinity: Option<Affinity>) -> Option<&Arc<Identity>> {
        let count = self.tokens.len();
        if let Some(affinity) = affinity.filter(|_| self.sticks) {
            let rank = |identity: &&Arc<Identity>| affinity.rank(identity.lot);
            return self.tokens.iter().max_by_key(rank);
        }
        let turn = || self.turn.fetch_add(1, Relaxed);
        match self.strategy {
            Strategy::RoundRobin => self.tokens.get(turn() % count),
            Strategy::Random => self.tokens.get(mix(turn() as u64) as usize % count),
            Strategy::LeastBusy => {
                let out = |identity: &&Arc<Identity>| identity.standing.load(Relaxed);
                self.tokens.iter().min_by_key(out)
            }
            Strategy::ExhaustFirst => self.tokens.first(),
        }
    }
}

impl PoolState {
    /// Whether a success would change nothing, and any token may be lent for any model.
    fn is_calm(&self) -> bool {
        let pristine = |token: &Token| {
            token.cooldown.is_none() && token.models.is_empty() && token.disabled.is_none()
        };
        self.config.per_token_concurrency == 0
            && self.breaker.view() == BreakerView::Closed { faults: 0 }
            && self.tokens.iter().all(pristine)
    }

    /// Forgets rests that ended so long ago that they say nothing of now, so that calm can return
    /// for models that nobody asks for any more.
    pub fn forget_old_rests(&mut self, now: Monotonic) {
        let longest = std::time::Duration::from_millis(self.config.max_cooldown_ms);
        let stale = |rest: &Cooldown| now > rest.until.saturating_add(longest);
        for token in &mut self.tokens {
            token.models.retain(|_, rest| !stale(rest));
            token.cooldown = token.cooldown.filter(|rest| !stale(rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use troupe_protocol::failure::FailureKind;

    use super::*;
    use crate::{
        credentials::{
            config::PoolConfig,
            lease::{Outcome, Report},
            token_pool::policy::Decision,
        },
        secrets::{KeyedHash, Secret},
    };

    #[derive(Default)]
    struct Desk(Mutex<Vec<Report>>);

    impl ReportTo for Desk {
        fn report(&self, report: Report) {
            self.0.lock().unwrap().push(report);
        }
    }

    fn pool(strategy: Strategy) -> (PoolState, Lane) {
        let tokens: Vec<_> = ["sk-one-1234567890", "sk-two-1234567890"]
            .map(|token| Secret::from(token.to_owned()))
            .into();
        let identities = Identity::of_all(&tokens, &KeyedHash::new(&[1; 32], "token"));
        let config = PoolConfig {
            strategy,
            ..PoolConfig::default()
        };
        let state = PoolState::new(config, &identities, 1);
        let lane = Lane::default();
        lane.follow(&state, false);
        (state, lane)
    }

    fn lend(lane: &Lane, desk: &Arc<Desk>) -> Option<Lease> {
        let lender: Arc<dyn ReportTo> = desk.clone();
        lane.lend(Monotonic::ZERO, &"m".into(), None, &lender)
    }

    #[test]
    fn only_failures_are_told() {
        let (_, lane) = pool(Strategy::RoundRobin);
        let desk = Arc::new(Desk::default());
        lend(&lane, &desk).unwrap().report(Outcome::Success);
        drop(lend(&lane, &desk).unwrap());
        assert!(desk.0.lock().unwrap().is_empty());
        let failure = Outcome::Failure(FailureKind::AuthInvalid);
        lend(&lane, &desk).unwrap().report(failure);
        assert_eq!(desk.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn each_strategy_chooses_its_way() {
        let desk = Arc::new(Desk::default());
        let order = |strategy, count: usize| {
            let (_, lane) = pool(strategy);
            let leases: Vec<_> = (0..count).map(|_| lend(&lane, &desk).unwrap()).collect();
            leases
                .iter()
                .map(|lease| lease.token().0)
                .collect::<Vec<_>>()
        };
        assert_eq!(order(Strategy::RoundRobin, 4), [0, 1, 0, 1]);
        assert_eq!(order(Strategy::LeastBusy, 4), [0, 1, 0, 1]);
        assert_eq!(order(Strategy::ExhaustFirst, 3), [0, 0, 0]);
        let random = order(Strategy::Random, 200);
        assert!(random.contains(&0) && random.contains(&1));
    }

    #[test]
    fn a_conversation_keeps_its_token_also_without_a_hop() {
        let desk = Arc::new(Desk::default());
        let lender: Arc<dyn ReportTo> = desk.clone();
        for strategy in [Strategy::RoundRobin, Strategy::Random, Strategy::LeastBusy] {
            let (mut state, lane) = pool(strategy);
            let mut seen = [0; 2];
            for number in 0..40 {
                let affinity = Some(Affinity::of("app", &number.to_string()));
                let token = lane
                    .lend(Monotonic::ZERO, &"m".into(), affinity, &lender)
                    .unwrap()
                    .token();
                let again = lane
                    .lend(Monotonic::ZERO, &"m".into(), affinity, &lender)
                    .unwrap()
                    .token();
                assert_eq!(token, again);
                let Decision::Lend(ticket) = state.lease(Monotonic::ZERO, "m", &[], affinity, 0)
                else {
                    panic!("none was lent");
                };
                assert_eq!(token, ticket.token, "the pool's actor chooses alike");
                seen[token.0 as usize] += 1;
            }
            assert!(seen[0] > 5 && seen[1] > 5, "{seen:?}");
        }
        let (_, lane) = pool(Strategy::ExhaustFirst);
        for number in 0..10 {
            let affinity = Some(Affinity::of("app", &number.to_string()));
            let lease = lane
                .lend(Monotonic::ZERO, &"m".into(), affinity, &lender)
                .unwrap();
            assert_eq!(lease.token().0, 0, "the first is to be exhausted");
        }
    }

    #[test]
    fn the_first_loan_begins_the_token_s_day() {
        let (state, lane) = pool(Strategy::ExhaustFirst);
        let desk: Arc<dyn ReportTo> = Arc::new(Desk::default());
        let hour = std::time::Duration::from_secs(3600);
        for now in [hour, hour * 2] {
            lane.lend(now, &"m".into(), None, &desk).unwrap();
        }
        let ends = |at: usize| state.tokens[at].identity.day.ends();
        assert_eq!((ends(0), ends(1)), (hour * 25, Monotonic::ZERO));
    }

    #[test]
    fn whatever_a_success_would_change_closes_the_lane() {
        let (mut state, lane) = pool(Strategy::RoundRobin);
        let desk = Arc::new(Desk::default());
        let second = std::time::Duration::from_secs(1);
        lend(&lane, &desk)
            .unwrap()
            .report(Outcome::Failure(FailureKind::RateLimited {
                retry_after: Some(second),
            }));
        let report = desk.0.lock().unwrap().pop().unwrap();
        let outcome = report.outcome;
        state.report(Monotonic::ZERO, report.ticket, &report.model, outcome, 0);
        lane.follow(&state, false);
        assert!(lend(&lane, &desk).is_none());
        state.forget_old_rests(second * 30);
        lane.follow(&state, false);
        assert!(
            lend(&lane, &desk).is_none(),
            "its failures in a row still count"
        );
        state.forget_old_rests(second * 3600);
        lane.follow(&state, false);
        assert!(lend(&lane, &desk).is_some());
        lane.follow(&state, true);
        assert!(lend(&lane, &desk).is_none(), "who waits comes first");
    }
}
