//! The orderly end: readiness off, streams to their end or to a typed last event, then everything else.

use std::time::Duration;

use actix_rt::{
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep, timeout},
};
use actix_web::dev::ServerHandle;
use tokio_util::sync::CancellationToken;

use crate::http::services::Services;

/// Why the gateway ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// SIGTERM or SIGINT.
    Drain,
    /// The supervision tree cannot go on.
    Now,
}

/// How long streams have for their last event once they are cut.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How often the drain looks whether it is over.
const LOOK: Duration = Duration::from_millis(20);
/// How often the drain tells how far it is.
const TELL: Duration = Duration::from_secs(5);

/// Waits until the gateway is to end.
pub async fn wished(gave_up: CancellationToken) -> Wish {
    tokio::select! {
        () = stop_signal() => Wish::Drain,
        () = gave_up.cancelled() => Wish::Now,
    }
}

async fn stop_signal() {
    let signals = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    let [Ok(mut terminate), Ok(mut interrupt)] = signals else {
        log::error!("the system delivers no signals; only a kill can stop this process");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Lets what is under way end, up to the configured time, then cuts it. A second signal ends the wait.
pub async fn drain(services: &Services, server: &ServerHandle, wish: Wish) {
    services.draining.cancel();
    services.jobs.drain();
    if wish == Wish::Drain {
        log::info!(
            "draining: {} requests and jobs under way",
            under_way(services)
        );
        let wait = Duration::from_secs(services.config.drain_seconds);
        tokio::select! {
            () = all_ended(services, wait) => {}
            () = stop_signal() => log::warn!("a second signal: the drain ends now"),
        }
    }
    services.cut.cancel();
    all_ended(services, LAST_WORDS).await;
    if timeout(LAST_WORDS, server.stop(true)).await.is_err() {
        server.stop(false).await;
    }
}

async fn all_ended(services: &Services, wait: Duration) {
    let begun = Instant::now();
    let mut told = begun;
    while under_way(services) > 0 && begun.elapsed() < wait {
        sleep(LOOK).await;
        if told.elapsed() >= TELL {
            told = Instant::now();
            log::info!("draining: {} requests and jobs left", under_way(services));
        }
    }
}

/// Requests that have a place, or whose answer is about to be kept, which comes after that; and jobs that cannot be
/// asked for later, some of which have the place of a request.
fn under_way(services: &Services) -> usize {
    let requests = services.limits.in_flight();
    let requests = requests.max(services.answers.under_way());
    requests.max(services.jobs.under_way())
}
