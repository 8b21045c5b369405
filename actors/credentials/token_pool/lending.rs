//! From the policy's decisions to leases and refusals.

use std::{sync::Arc, time::Duration};

use super::{
    messages::Lend,
    policy::{Decision, PoolState},
};
use crate::{
    affinity::mix,
    credentials::{
        cooldown::ColdReason,
        lease::{Lease, LeaseError},
    },
    supervision::clock::Monotonic,
};

/// When to come back if all tokens are in use: any lease may end at any time.
const BUSY_RETRY: Duration = Duration::from_secs(1);

/// One try to lend.
pub enum Try {
    Lent(Lease),
    Refused(LeaseError),
    Later {
        until: Option<Monotonic>,
        reason: ColdReason,
    },
}

/// Asks the policy, and makes the lease where it lends.
pub fn try_lend(state: &mut PoolState, dice: &mut Dice, now: Monotonic, lend: &Lend) -> Try {
    let affinity = lend.terms.affinity;
    match state.lease(now, &lend.model, &lend.exclude, affinity, dice.roll()) {
        Decision::Lend(ticket) => {
            let identity = Arc::clone(&state.tokens[ticket.token.0 as usize].identity);
            let (model, lender) = (Arc::clone(&lend.model), Arc::clone(&lend.lender));
            Try::Lent(Lease::new(identity, ticket, model, lender))
        }
        Decision::Wait { until, reason } => Try::Later { until, reason },
        Decision::NoneLeft => Try::Refused(LeaseError::NoCredential),
        Decision::BreakerOpen { until } => Try::Refused(LeaseError::BreakerOpen {
            retry_after: until.saturating_sub(now),
        }),
    }
}

/// Whether waiting until `deadline` cannot end with a token, as far as can be known.
pub fn is_hopeless(
    now: Monotonic,
    deadline: Monotonic,
    until: Option<Monotonic>,
    reason: ColdReason,
) -> bool {
    let too_late = until.is_some_and(|until| until > deadline);
    now >= deadline || (too_late && reason != ColdReason::Busy)
}

/// The answer to a request that cannot wait, or has waited long enough.
pub fn all_cold(now: Monotonic, until: Option<Monotonic>, reason: ColdReason) -> LeaseError {
    LeaseError::AllCold {
        retry_after: retry_after(now, until, reason),
        reason,
    }
}

/// When another try makes sense.
pub fn retry_after(now: Monotonic, until: Option<Monotonic>, reason: ColdReason) -> Duration {
    let thaw = until.map(|until| until.saturating_sub(now));
    match (thaw, reason) {
        (Some(thaw), ColdReason::Busy) => thaw.min(BUSY_RETRY),
        (Some(thaw), _) => thaw,
        (None, _) => BUSY_RETRY,
    }
}

/// Cheap random bits for jitter and choice, where nobody gains from guessing them (SplitMix64).
pub struct Dice(u64);

impl Dice {
    /// Different at every start.
    #[must_use]
    pub fn seeded() -> Self {
        // without entropy all pools roll alike, which is only less fair
        Self(getrandom::u64().unwrap_or_default())
    }

    /// The next 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }
}
