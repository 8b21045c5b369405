//! One request on its way: its record, its place at the gate, and the time that was the gateway's.

use std::{rc::Rc, sync::Arc, time::Duration};

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};
use tokio::sync::OwnedSemaphorePermit;
use troupe_actors::{
    accounts::{
        calls::{CallGuard, Outcome},
        keys::Principal,
        limits::Admission,
    },
    answers::Made,
    catalog::Target,
    providers::{exchange::Watch, provider::Provider},
    supervision::clock::Monotonic,
};
use troupe_protocol::usage::Usage;
use uuid::Uuid;

use super::{
    ending,
    error::{ApiError, REQUEST_ID},
    services::{Services, Worker},
};

const PROVIDER: HeaderName = HeaderName::from_static("x-troupe-provider");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-troupe-attempts");
const OVERHEAD: HeaderName = HeaderName::from_static("x-troupe-overhead-ms");

/// A request that was let in. Dropping it records that the client has left.
pub struct Call {
    guard: CallGuard,
    principal: Arc<Principal>,
    tally: Tally,
    target: Option<Target>,
    began: Monotonic,
    upstream: Duration,
    places: Option<Places>,
}

/// Places at the gates, given back when the request is over.
struct Places {
    _admission: Admission,
    _provider: OwnedSemaphorePermit,
}

impl Call {
    /// Begins the record of a request.
    pub fn begin(worker: &Rc<Worker>, id: Uuid, principal: Arc<Principal>, endpoint: &str) -> Self {
        let clock = &worker.services.clock;
        Self {
            guard: CallGuard::begin(&worker.recorder, clock, id, &principal, endpoint),
            principal,
            tally: Tally::begin(worker),
            target: None,
            began: clock.now(),
            upstream: Duration::ZERO,
            places: None,
        }
    }

    pub fn id(&self) -> &str {
        self.guard.id()
    }

    pub fn app_id(&self) -> &str {
        self.principal.app_id()
    }

    /// Who serves it, once that is known.
    pub fn provider(&self) -> Option<&Provider> {
        self.target.as_ref().map(|target| &*target.provider)
    }

    /// Takes a place at the app's, the gateway's and the provider's gate, until the request is over.
    ///
    /// # Errors
    /// 429 or 503 when there was none in time.
    pub async fn admit(&mut self, services: &Services) -> Result<(), ApiError> {
        let admission = services.limits.admit(&self.principal).await?;
        let Some(target) = &self.target else {
            return Ok(());
        };
        let provider = &target.provider;
        let place = match provider.gate.try_enter() {
            Some(place) => Some(place),
            None => provider.gate.enter(provider.gate_wait).await,
        };
        self.places = Some(Places {
            _admission: admission,
            _provider: place.ok_or_else(|| ApiError::provider_busy(&provider.name))?,
        });
        Ok(())
    }

    /// Notes what is asked for, once it is resolved.
    pub fn asks(&mut self, target: &Target, stream: bool) {
        self.guard.asked(&target.id, stream);
        self.target = Some(target.clone());
    }

    /// Notes a model that nobody serves.
    pub fn asks_unknown(&mut self, model: &str, stream: bool) {
        self.guard.asked(model, stream);
    }

    /// The answer's headers go out now: what the gateway itself took until here goes into the metrics.
    pub fn observe_overhead(&self) {
        let metrics = &self.tally.worker.services.metrics;
        metrics.overhead(self.overhead().as_secs_f64());
    }

    /// A piece of the answer goes out now. Only the first is timed: the clock is not read for the rest.
    pub fn first_byte(&mut self) {
        if !self.guard.has_answered() {
            let overhead = self.overhead();
            self.guard.first_byte(overhead);
        }
    }

    pub fn sent(&mut self, bytes: usize) {
        self.guard.sent(bytes);
    }

    pub fn used(&mut self, usage: Option<Usage>) {
        if let Some(usage) = usage {
            self.guard.used(usage);
        }
    }

    /// Writes the record; the client gets its last byte only after this.
    pub fn finish(mut self, outcome: Outcome, status: u16, code: Option<&'static str>) {
        self.tally.outcome = outcome;
        ending::note(Made {
            outcome,
            attempts: self.guard.attempts(),
        });
        self.guard.finish(outcome, status, code);
    }

    /// Records a refusal and makes its answer.
    pub fn refuse(self, error: &ApiError) -> HttpResponse {
        let response = error.respond(self.id());
        let response = self.decorate(response);
        self.finish(error.outcome(), error.status, Some(error.code.as_str()));
        response
    }

    /// An answer with the headers that every answer has.
    pub fn response(&self, status: StatusCode) -> HttpResponseBuilder {
        let mut response = HttpResponse::build(status);
        for (name, value) in self.headers() {
            response.insert_header((name, value));
        }
        response
    }

    fn decorate(&self, mut response: HttpResponse) -> HttpResponse {
        for (name, value) in self.headers() {
            response.headers_mut().insert(name, value);
        }
        response
    }

    fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let provider = self.provider().map(|provider| &*provider.name);
        // thousandths of a millisecond are noise, hundredths are not
        let overhead = format!("{:.2}", self.overhead().as_secs_f64() * 1e3);
        let attempts = u32::try_from(self.guard.attempts()).unwrap_or(0);
        [
            (REQUEST_ID, HeaderValue::from_str(self.id()).ok()),
            (
                PROVIDER,
                provider.and_then(|name| HeaderValue::from_str(name).ok()),
            ),
            (ATTEMPTS, Some(HeaderValue::from(attempts))),
            (OVERHEAD, HeaderValue::from_str(&overhead).ok()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    /// The time so far that was not spent waiting for the upstream.
    fn overhead(&self) -> Duration {
        let now = self.tally.worker.services.clock.now();
        now.saturating_sub(self.began).saturating_sub(self.upstream)
    }
}

/// Counts a request in, and out with its outcome.
struct Tally {
    worker: Rc<Worker>,
    outcome: Outcome,
}

impl Tally {
    fn begin(worker: &Rc<Worker>) -> Self {
        worker.services.metrics.began();
        Self {
            worker: worker.clone(),
            outcome: Outcome::ClientClosed,
        }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        let outcome = match std::thread::panicking() {
            true => Outcome::Panicked,
            false => self.outcome,
        };
        self.worker.services.metrics.ended(outcome);
    }
}

impl Watch for Call {
    fn attempt(&mut self, alias: &Arc<str>) {
        if let Some(target) = &self.target {
            self.guard
                .attempt(&target.provider.name, &target.upstream, alias);
        }
    }

    fn upstream_took(&mut self, time: Duration) {
        self.upstream += time;
    }
}
