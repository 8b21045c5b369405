//! One request on its way: its record, its place at the gate, and the time that was the gateway's.

use std::{rc::Rc, sync::Arc, time::Duration};

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};
use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use troupe_actors::{
    accounts::{
        calls::{CallGuard, Outcome},
        keys::Principal,
        limits::Admission,
    },
    answers::Made,
    catalog::{Candidates, Target},
    jobs::Submission,
    providers::{exchange::Watch, provider::Provider},
    supervision::clock::Monotonic,
};
use troupe_protocol::{
    chat::{Losses, StreamFault},
    dialect::Client,
    openai::error::ErrorCode,
    usage::Usage,
};
use uuid::Uuid;

use super::{
    ending,
    error::{ApiError, error_event, request_id_headers},
    rate::{self, Words},
    services::{Services, Worker},
};

const PROVIDER: HeaderName = HeaderName::from_static("x-troupe-provider");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-troupe-attempts");
/// Fields of the request that the upstream's dialect cannot say.
const DROPPED: HeaderName = HeaderName::from_static("x-troupe-dropped");
/// The answer is the gateway's own estimate.
const ESTIMATE: HeaderName = HeaderName::from_static("x-troupe-estimate");
/// The job that draws the picture.
const JOB: HeaderName = HeaderName::from_static("x-troupe-job");
const OVERHEAD: HeaderName = HeaderName::from_static("x-troupe-overhead-ms");

/// A request that was let in. Dropping it records that the client has left.
pub struct Call {
    guard: CallGuard,
    principal: Arc<Principal>,
    draw: u64,
    tally: Tally,
    target: Option<Target>,
    client: Client,
    /// In which it is told where its key stands.
    words: Words,
    /// Headers of this answer alone.
    notes: Vec<(HeaderName, HeaderValue)>,
    began: Monotonic,
    upstream: Duration,
    /// For credentials.
    waited: Duration,
    places: Places,
    counted: bool,
    /// The status that has gone out ahead of the answer.
    begun: Option<StatusCode>,
    submission: Option<Submission>,
}

/// Places at the gates, given back when the request is over.
#[derive(Default)]
struct Places {
    admission: Option<Rc<Admission>>,
    provider: Option<OwnedSemaphorePermit>,
}

impl Call {
    /// Begins the record of a request.
    pub fn begin(
        worker: &Rc<Worker>,
        id: Uuid,
        principal: Arc<Principal>,
        endpoint: &str,
        client: Client,
    ) -> Self {
        let clock = &worker.services.clock;
        Self {
            guard: CallGuard::begin(&worker.recorder, clock, id, &principal, endpoint),
            principal,
            draw: id.as_u64_pair().1,
            tally: Tally::begin(worker),
            target: None,
            client,
            words: Words::of(endpoint, client),
            notes: Vec::new(),
            began: clock.now(),
            upstream: Duration::ZERO,
            waited: Duration::ZERO,
            places: Places::default(),
            counted: false,
            begun: None,
            submission: None,
        }
    }

    /// The request has an `Idempotency-Key`, for jobs that come of it.
    pub fn submits(&mut self, submission: Option<Submission>) {
        self.submission = submission;
    }

    pub fn submission(&self) -> Option<&Submission> {
        self.submission.as_ref()
    }

    pub fn id(&self) -> &str {
        self.guard.id()
    }

    pub fn app_id(&self) -> &str {
        self.principal.app_id()
    }

    /// Bits that differ at random from one request to the next.
    pub fn draw(&self) -> u64 {
        self.draw
    }

    /// Who serves it, once that is known; with several targets the last that was asked.
    pub fn provider(&self) -> Option<&Provider> {
        self.target.as_ref().map(|target| &*target.provider)
    }

    /// Counts the request, and takes a place at the app's and the gateway's gate until it is over. Only the first time
    /// does anything: what reads a body takes the place before that, so that bodies are bounded by the gate too.
    ///
    /// # Errors
    /// 429 when the key has had its requests, 429 or 503 when there was no place in time.
    pub async fn admit(&mut self, services: &Services) -> Result<(), ApiError> {
        if !self.counted {
            let key_id = self.principal.key_id();
            let (told, counted) = rate::count(&services.rate, key_id, self.words).await;
            self.notes.extend(told.into_iter().flatten());
            counted?;
            self.counted = true;
        }
        if self.places.admission.is_none() {
            let place = services.limits.admit(&self.principal).await?;
            self.places.admission = Some(Rc::new(place));
        }
        Ok(())
    }

    /// A place was taken for it before, to read its body.
    pub fn holds(&mut self, place: Option<Rc<Admission>>) {
        self.places.admission = place;
    }

    /// The place that it was given when it was admitted, for work that goes on if the client leaves.
    pub fn place(&self) -> Option<Rc<Admission>> {
        self.places.admission.clone()
    }

    /// A job serves it, at that target now, and has its own place at the gate.
    pub fn served_by_job_at(&mut self, target: &Target) {
        self.places.provider = None;
        self.target = Some(target.clone());
        self.notes.retain(|(name, _)| *name != DROPPED);
    }

    /// Names the job that draws it, under which it can be looked for.
    pub fn names_job(&mut self, id: &str) {
        let id = HeaderValue::from_str(id);
        self.notes.extend(id.ok().map(|id| (JOB, id)));
    }

    /// The head of the answer goes out before it is known how it ends.
    pub fn begin_answer(&mut self, status: StatusCode) -> HttpResponseBuilder {
        let response = self.response(status);
        self.observe_overhead();
        self.first_byte();
        self.begun = Some(status);
        response
    }

    /// Turns to a target: gives back the place at the provider before, and takes one at this one's gate.
    ///
    /// # Errors
    /// 503 when there was none in time.
    pub async fn turn_to(&mut self, target: &Target) -> Result<(), ApiError> {
        self.places.provider = None;
        self.target = Some(target.clone());
        let provider = &target.provider;
        let place = match provider.gate.try_enter() {
            Some(place) => Some(place),
            None => provider.gate.enter(provider.gate_wait).await,
        };
        let place = place.ok_or_else(|| ApiError::provider_busy(&provider.name))?;
        self.places.provider = Some(place);
        Ok(())
    }

    /// Notes what is asked for, once it is resolved: by the route's name, or the target's full id.
    pub fn asks(&mut self, candidates: &Candidates, stream: bool) {
        let first = candidates.targets.first();
        let route = candidates.policy.as_ref().map(|policy| &policy.model);
        if let Some(model) = route.or(first.map(|target| &target.id)) {
            self.guard.asked(model, stream);
        }
        self.target = first.cloned();
    }

    /// Notes a model that nobody serves.
    pub fn asks_unknown(&mut self, model: &str, stream: bool) {
        self.guard.asked(model, stream);
    }

    /// The answer's headers go out now: what the gateway itself took until here goes into the metrics.
    pub fn observe_overhead(&self) {
        if self.begun.is_some() {
            return;
        }
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
        let status = self.begun.map_or(status, |begun| begun.as_u16());
        self.tally.outcome = outcome;
        ending::note(Made {
            outcome,
            attempts: self.guard.attempts(),
        });
        self.guard.finish(outcome, status, code);
    }

    /// Records a refusal and makes its answer.
    pub fn refuse(self, error: &ApiError) -> HttpResponse {
        let response = error.respond_to(self.client, self.id());
        self.refuse_as(error, response)
    }

    /// Records a refusal whose answer is made by a surface with errors of a shape of its own.
    pub fn refuse_as(self, error: &ApiError, response: HttpResponse) -> HttpResponse {
        let response = self.decorate(response);
        let status = response.status().as_u16();
        self.finish(error.outcome(), status, Some(error.code.as_str()));
        response
    }

    /// The error that ends a broken stream, in the client's dialect.
    pub fn error_event(&self, code: ErrorCode, message: &str) -> Bytes {
        let fault = StreamFault {
            code,
            message,
            request_id: self.id(),
        };
        error_event(self.client, &fault)
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

    /// Tells the client which fields the upstream was not told.
    pub fn dropped(&mut self, losses: &Losses) {
        if !losses.is_empty() {
            let value = HeaderValue::from_str(&losses.to_string());
            self.notes.extend(value.ok().map(|value| (DROPPED, value)));
        }
    }

    /// Tells the client that the answer is a guess.
    pub fn estimated(&mut self) {
        self.notes
            .push((ESTIMATE, HeaderValue::from_static("true")));
    }

    fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let provider = self.provider().map(|provider| &*provider.name);
        // thousandths of a millisecond are noise, hundredths are not
        let overhead = format!("{:.2}", self.overhead().as_secs_f64() * 1e3);
        let attempts = u32::try_from(self.guard.attempts()).unwrap_or(0);
        let named = [
            (
                PROVIDER,
                provider.and_then(|name| HeaderValue::from_str(name).ok()),
            ),
            (ATTEMPTS, Some(HeaderValue::from(attempts))),
            (OVERHEAD, HeaderValue::from_str(&overhead).ok()),
        ];
        let named = named
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let notes = self.notes.iter().cloned();
        request_id_headers(self.client, self.id())
            .chain(named)
            .chain(notes)
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

    fn waited(&mut self) -> &mut Duration {
        &mut self.waited
    }
}
