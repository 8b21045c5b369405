//! One attempt after the other, each with another credential where that may help.

use std::{sync::Arc, time::Duration};

use actix_rt::time::Instant;

use troupe_protocol::failure::FailureKind;

use super::{
    exchange::{ExchangeError, Watch},
    provider::Provider,
};
use crate::credentials::{Lease, LeaseError, Outcome, Terms, TokenIndex};

/// How an attempt ended that brought nothing.
pub(crate) enum Missed {
    /// The upstream, or the way to it, failed. `again` = another attempt is harmless and may help.
    Failed { error: ExchangeError, again: bool },
    /// It says nothing about the credential, and no other would do better.
    Over(ExchangeError),
}

/// Makes one attempt after the other, each with another credential where that may help, borrowed on `terms`,
/// until one brings something. The lease of that one is still to be reported.
///
/// # Errors
/// [`ExchangeError`] of the last attempt.
pub(crate) async fn in_turn<T, W: Watch>(
    provider: &Provider,
    model: &Arc<str>,
    terms: Terms,
    watch: &mut W,
    mut attempt: impl AsyncFnMut(&Lease, &mut W) -> Result<T, Missed>,
) -> Result<(T, Lease), ExchangeError> {
    let mut tried: Vec<TokenIndex> = Vec::new();
    let mut last: Option<ExchangeError> = None;
    let mut patience = Patience::new(provider.max_attempts, provider.pool.size());
    while patience.lasts() {
        let terms = Terms {
            waited: *watch.waited(),
            ..terms
        };
        let asked = Instant::now();
        let lent = provider.pool.lease(model, &tried, terms).await;
        *watch.waited() += asked.elapsed();
        let lease = match lent {
            Ok(lease) => lease,
            // it knows when the first credential is back
            Err(error @ LeaseError::AllCold { .. }) => return Err(ExchangeError::NoLease(error)),
            // what the upstream said tells more than that nothing is left to try
            Err(error) => {
                last.get_or_insert(ExchangeError::NoLease(error));
                break;
            }
        };
        watch.attempt(lease.alias());
        let (error, again) = match attempt(&lease, watch).await {
            Ok(got) => return Ok((got, lease)),
            Err(Missed::Failed { error, again }) => (error, again),
            Err(Missed::Over(error)) => {
                lease.report(Outcome::Dropped);
                return Err(error);
            }
        };
        let (token, kind) = (lease.token(), error.kind());
        lease.report(Outcome::Failure(kind));
        if is_spent(kind, last.is_none()) {
            tried.push(token);
        }
        patience.failed(kind);
        last = Some(error);
        if !again {
            break;
        }
    }
    let error = last.unwrap_or(ExchangeError::NotServed);
    Err(in_time(error, provider, model).await)
}

/// The time after which a request is worth sending again where a credential is free now.
const AT_ONCE: Duration = Duration::from_secs(1);

/// What the client is told when the attempts are used up. When to come again the pool knows, and the upstream
/// only of its last credential.
async fn in_time(error: ExchangeError, provider: &Provider, model: &Arc<str>) -> ExchangeError {
    if !error.kind().passes_with_time() {
        return error;
    }
    match provider.pool.ready_in(model).await {
        Ok(time) => error.again_in(time.max(AT_ONCE)),
        Err(unavailable) => {
            log::debug!("{}: {unavailable}", provider.name);
            error
        }
    }
}

/// Whether the credential must not be lent to this request again. One that is rate limited rests
/// anyway, and may be waited for; and a kept-alive connection that the upstream had closed says
/// nothing about the credential, once.
fn is_spent(kind: FailureKind, is_first: bool) -> bool {
    match kind {
        FailureKind::RateLimited { .. } | FailureKind::QuotaExhausted { .. } => false,
        FailureKind::Network => !is_first,
        _ => true,
    }
}

/// How many attempts a request still has.
struct Patience {
    /// Those that count.
    attempts: usize,
    /// Those that do not: credentials that turn out to be of no use, each of the pool's once.
    strays: usize,
}

impl Patience {
    fn new(attempts: usize, credentials: usize) -> Self {
        Self {
            attempts,
            strays: credentials,
        }
    }

    fn lasts(&self) -> bool {
        self.attempts > 0
    }

    /// An attempt failed so. The upstream did no work for a credential that it turned away: the next one
    /// has not been asked for less because of it.
    fn failed(&mut self, kind: FailureKind) {
        let turned_away = matches!(
            kind,
            FailureKind::QuotaExhausted { .. }
                | FailureKind::AuthInvalid
                | FailureKind::NotEntitled
        );
        match turned_away && self.strays > 0 {
            true => self.strays -= 1,
            false => self.attempts = self.attempts.saturating_sub(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use troupe_protocol::failure::QuotaScope;

    use super::*;

    const SPENT: FailureKind = FailureKind::QuotaExhausted {
        scope: QuotaScope::Credential,
        retry_after: None,
    };

    /// How many attempts are made of which all fail so.
    fn made(mut patience: Patience, kinds: &[FailureKind]) -> usize {
        let failures = kinds.iter().cycle();
        let left = |kind: &&FailureKind| {
            let lasts = patience.lasts();
            patience.failed(**kind);
            lasts
        };
        failures.take_while(left).count()
    }

    #[test]
    fn what_the_upstream_worked_on_counts() {
        for kind in [
            FailureKind::Upstream,
            FailureKind::Network,
            FailureKind::Overloaded { retry_after: None },
            FailureKind::RateLimited { retry_after: None },
        ] {
            assert_eq!(made(Patience::new(4, 100), &[kind]), 4, "{kind}");
        }
    }

    #[test]
    fn credentials_that_are_of_no_use_do_not_count_but_each_is_found_so_once() {
        for kind in [SPENT, FailureKind::AuthInvalid, FailureKind::NotEntitled] {
            assert_eq!(made(Patience::new(4, 6), &[kind]), 10, "{kind}");
            let mixed = [kind, FailureKind::Upstream];
            assert_eq!(made(Patience::new(4, 6), &mixed), 8, "{kind}");
        }
    }

    #[test]
    fn a_closed_connection_says_nothing_of_the_credential_once() {
        assert!(!is_spent(FailureKind::Network, true));
        assert!(is_spent(FailureKind::Network, false));
        assert!(!is_spent(SPENT, true) && is_spent(FailureKind::AuthInvalid, true));
    }
}
