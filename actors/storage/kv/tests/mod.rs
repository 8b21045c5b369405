//! What every store must do in the same way, checked on all of them: Redis for real, services through their protocols.

mod contract;
mod outages;
mod places;

use std::{rc::Rc, time::Duration};

use super::*;

/// Where a test is about the time that operations take.
const TIMEOUT: Duration = Duration::from_millis(500);
/// Where it is not, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
const MINUTE: Duration = Duration::from_secs(60);
const POLICY: BreakerPolicy = BreakerPolicy {
    failures: 2,
    open_for: Duration::from_millis(20),
};

fn open_within(timeout: Duration, url: &str, clock: Clock) -> Rc<dyn Backend> {
    // another test may have installed it already
    let _ = rustls::crypto::ring::default_provider().install_default();
    open(&KvUrl::parse(url).unwrap(), timeout, POLICY, clock).unwrap()
}

pub(super) fn open_with(url: &str, clock: Clock) -> Rc<dyn Backend> {
    open_within(PATIENCE, url, clock)
}

/// The text of an error that says that the store does not answer.
pub(super) fn unavailable<T: std::fmt::Debug>(outcome: Result<T, KvError>) -> String {
    match outcome {
        Err(KvError::Unavailable(text)) => text,
        other => panic!("{other:?}"),
    }
}

/// The text of an error that says that the store will not.
pub(super) fn refused<T: std::fmt::Debug>(outcome: Result<T, KvError>) -> String {
    match outcome {
        Err(KvError::Refused(text)) => text,
        other => panic!("{other:?}"),
    }
}
