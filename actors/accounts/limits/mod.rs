//! Permits at the edge: how many requests may be under way, in all and per app.
//!
//! A request takes a place at its app's gate and then at the gateway's own, and gives both back when its
//! [`Admission`] is dropped. Where a gate is full it waits in line for a bounded time, in a line of bounded
//! length, and is then refused. A waiting request holds nothing that another app could use: the app's gate
//! comes first.

mod gate;

use std::time::{Duration, Instant};

use derive_more::{Display, Error};
use tokio::sync::OwnedSemaphorePermit;

pub use self::gate::Gate;
use super::{config::LimitsConfig, keys::Principal};

/// The gateway's own gate and how long to wait at any. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub struct Limits {
    gateway: Gate,
    max_wait: Duration,
}

/// A place among the requests under way; dropping it gives the place back.
#[derive(Debug)]
#[must_use = "the place is given back as soon as this is dropped"]
pub struct Admission {
    _app: OwnedSemaphorePermit,
    _gateway: OwnedSemaphorePermit,
}

/// Whose limit a refused request met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display)]
pub enum ShedBy {
    /// The app has as much under way as it may have: 429.
    #[display("app")]
    App,
    /// The gateway as a whole is full: 503.
    #[display("gateway")]
    Gateway,
}

/// The refusal of a request that found no place in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
#[display(
    "too many requests are under way (limit of the {by}): try again in {} s",
    retry_after.as_secs()
)]
pub struct Shed {
    /// Whose limit it met.
    pub by: ShedBy,
    /// What to tell the client to wait, in whole seconds.
    pub retry_after: Duration,
}

impl Limits {
    /// Limits as configured. The limit per app is the [`Principal`]'s.
    #[must_use]
    pub fn new(config: &LimitsConfig) -> Self {
        Self {
            gateway: Gate::new(config.max_in_flight),
            max_wait: Duration::from_millis(config.max_wait_ms),
        }
    }

    /// Takes a place for one request of `principal`. Does not wait, nor touch a timer, where there is room.
    ///
    /// # Errors
    /// [`Shed`] when no place came free within the configured wait or too many wait already.
    pub async fn admit(&self, principal: &Principal) -> Result<Admission, Shed> {
        if let Some(app) = principal.gate().try_enter() {
            if let Some(gateway) = self.gateway.try_enter() {
                return Ok(Admission {
                    _app: app,
                    _gateway: gateway,
                });
            }
            return self.wait_at_gateway(app, self.max_wait).await;
        }
        let began = Instant::now();
        let app = principal
            .gate()
            .enter(self.max_wait)
            .await
            .ok_or_else(|| self.shed(ShedBy::App))?;
        let left = self.max_wait.saturating_sub(began.elapsed());
        self.wait_at_gateway(app, left).await
    }

    /// Requests under way in the whole gateway.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.gateway.inside()
    }

    async fn wait_at_gateway(
        &self,
        app: OwnedSemaphorePermit,
        max_wait: Duration,
    ) -> Result<Admission, Shed> {
        let gateway = self.gateway.enter(max_wait).await;
        Ok(Admission {
            _app: app,
            _gateway: gateway.ok_or_else(|| self.shed(ShedBy::Gateway))?,
        })
    }

    fn shed(&self, by: ShedBy) -> Shed {
        // the wait just failed; header values are whole seconds, and 0 would invite a storm
        let seconds = self.max_wait.as_secs() + u64::from(self.max_wait.subsec_nanos() > 0);
        Shed {
            by,
            retry_after: Duration::from_secs(seconds.max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, future::join_all};

    use super::*;

    fn limits(gateway: usize, max_wait_ms: u64) -> Limits {
        Limits::new(&LimitsConfig {
            max_in_flight: gateway,
            max_in_flight_per_app: 0,
            max_wait_ms,
            ..LimitsConfig::default()
        })
    }

    #[tokio::test]
    async fn places_are_given_back() {
        let limits = limits(2, 0);
        let caller = Principal::sample("a", 2);
        for _ in 0..5 {
            let first = limits.admit(&caller).await.unwrap();
            let second = limits.admit(&caller).await.unwrap();
            assert_eq!(limits.in_flight(), 2);
            drop((first, second));
        }
        assert_eq!(limits.in_flight(), 0);
    }

    #[tokio::test]
    async fn each_limit_says_whose_it_is() {
        let limits = limits(2, 5);
        let (small, large) = (Principal::sample("a", 1), Principal::sample("b", 10));
        let _small = limits.admit(&small).await.unwrap();
        assert_eq!(limits.admit(&small).await.unwrap_err().by, ShedBy::App);
        let _large = limits.admit(&large).await.unwrap();
        let shed = limits.admit(&large).await.unwrap_err();
        assert_eq!(shed.by, ShedBy::Gateway);
        assert_eq!(shed.retry_after, Duration::from_secs(1));
        assert_eq!(large.gate().inside(), 1, "a refused request keeps no place");
    }

    #[tokio::test]
    async fn one_app_at_its_limit_does_not_hinder_another() {
        let limits = limits(100, 60_000);
        let (busy, calm) = (Principal::sample("a", 1), Principal::sample("b", 1));
        let _held = limits.admit(&busy).await.unwrap();
        let mut waiting = Box::pin(limits.admit(&busy));
        assert!(waiting.as_mut().now_or_never().is_none());
        assert!(limits.admit(&calm).now_or_never().unwrap().is_ok());
        assert_eq!(limits.in_flight(), 1, "who waits holds no place");
    }

    #[tokio::test]
    async fn who_waits_gets_the_next_place() {
        let limits = limits(1, 60_000);
        let caller = Principal::sample("a", 10);
        let held = limits.admit(&caller).await.unwrap();
        let mut waiting = Box::pin(limits.admit(&caller));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(held);
        let _place = waiting.await.unwrap();
    }

    #[tokio::test]
    async fn a_waiter_that_leaves_frees_its_place_in_the_line() {
        let limits = limits(1, 60_000);
        let caller = Principal::sample("a", 1);
        let _held = limits.admit(&caller).await.unwrap();
        for _ in 0..3 {
            let mut waiting = Box::pin(limits.admit(&caller));
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        let mut waiting = Box::pin(limits.admit(&caller));
        assert!(
            waiting.as_mut().now_or_never().is_none(),
            "the line has room"
        );
        let refused = limits.admit(&caller).now_or_never().unwrap();
        assert_eq!(refused.unwrap_err().by, ShedBy::App, "the line is full");
    }

    #[tokio::test]
    async fn a_crowd_is_served_in_turn_and_never_exceeds_the_limit() {
        let limits = limits(4, 60_000);
        let caller = Principal::sample("a", 100);
        let served = join_all((0..8).map(|_| async {
            let _place = limits.admit(&caller).await.unwrap();
            assert!(limits.in_flight() <= 4);
            tokio::task::yield_now().await;
        }))
        .await;
        assert_eq!(served.len(), 8);
        assert_eq!(limits.in_flight(), 0);
    }
}
