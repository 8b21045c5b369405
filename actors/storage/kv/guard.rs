//! What stands before every store on a network: a breaker, and a bound on each wait.

use std::{cell::RefCell, time::Duration};

use crate::supervision::Clock;

use super::{Breaker, BreakerPolicy, KvError};

/// Lets operations through to one store, and takes note of how they end.
pub(super) struct Guard {
    /// The store's name in the log.
    name: &'static str,
    timeout: Duration,
    clock: Clock,
    breaker: RefCell<Breaker>,
}

impl Guard {
    /// A guard that lets all through. `timeout` bounds every operation.
    pub fn new(name: &'static str, timeout: Duration, policy: BreakerPolicy, clock: Clock) -> Self {
        Self {
            name,
            timeout,
            clock,
            breaker: RefCell::new(Breaker::new(policy)),
        }
    }

    /// Whether operations go through.
    pub fn is_closed(&self) -> bool {
        self.breaker.borrow().admits()
    }

    /// Does one operation, unless the breaker is open. [`KvError::Unavailable`] counts as a failure of the store, any
    /// other error as a sign of life.
    pub async fn ask<T>(
        &self,
        operation: impl Future<Output = Result<T, KvError>>,
    ) -> Result<T, KvError> {
        if !self.is_closed() {
            return Err(left_alone());
        }
        self.watch(operation).await
    }

    /// Like [`Self::ask`] for the one operation that finds out whether an open breaker may close.
    pub async fn probe<T>(
        &self,
        operation: impl Future<Output = Result<T, KvError>>,
    ) -> Result<T, KvError> {
        if !self.breaker.borrow_mut().admits_probe(self.clock.now()) {
            return Err(left_alone());
        }
        self.watch(operation).await
    }

    async fn watch<T>(
        &self,
        operation: impl Future<Output = Result<T, KvError>>,
    ) -> Result<T, KvError> {
        let outcome = tokio::time::timeout(self.timeout, operation).await;
        let outcome = outcome.unwrap_or_else(|_elapsed| Err(no_answer(self.timeout)));
        match &outcome {
            Err(KvError::Unavailable(reason)) => self.note_failure(reason),
            _ => self.note_success(),
        }
        outcome
    }

    fn note_success(&self) {
        if self.breaker.borrow_mut().succeed() {
            log::info!("{} answers again", self.name);
        }
    }

    fn note_failure(&self, reason: &str) {
        if self.breaker.borrow_mut().fail(self.clock.now()) {
            let name = self.name;
            log::warn!("{name} is left alone until it answers a ping: {reason}");
        }
    }
}

/// The error of an operation that outlasted its time.
pub(super) fn no_answer(timeout: Duration) -> KvError {
    KvError::Unavailable(format!("no answer within {} ms", timeout.as_millis()))
}

fn left_alone() -> KvError {
    KvError::Unavailable("it did not answer lately and is left alone for the moment".to_owned())
}
