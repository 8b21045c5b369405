//! What every handler can reach: handles and snapshots, never state.

use std::{
    future::{Future, Ready},
    pin::Pin,
    rc::Rc,
    sync::Arc,
};

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload, error::ErrorInternalServerError};
use tokio_util::sync::CancellationToken;
use troupe_actors::{
    accounts::{
        calls::{CallLog, CallRecorder, Spool},
        keys::KeyCheck,
        limits::Limits,
        rate::RateLimit,
    },
    answers::Answers,
    catalog::CatalogReader,
    egress::Guard,
    jobs::{JobsHandle, housekeeping::HousekeepingHandle, webhooks::WebhooksHandle},
    media::Media,
    pictures::Atelier,
    responses::ResponseStore,
    storage::{Database, kv::KvStore},
    supervision::{Clock, Tree},
    tokens::TokenCounter,
};

use super::{
    admin::gate::AdminGate, error::ApiError, metrics::Metrics, seats::Seats, session::Sessions,
    studio::Studio,
};
use crate::config::ServerConfig;

/// The whole service as its handlers see it; one for the process.
pub struct Services {
    pub config: ServerConfig,
    pub public_url: String,
    /// How this node is told from others: the address that it serves on.
    pub node: String,
    pub fault_injection: bool,
    pub clock: Clock,
    pub tree: Tree,
    pub keys: KeyCheck,
    pub limits: Limits,
    pub rate: RateLimit,
    pub spool: Spool,
    pub calls: CallLog,
    pub answers: Answers,
    pub catalog: CatalogReader,
    pub media: Media,
    /// Has pictures drawn.
    pub atelier: Atelier,
    /// Orders that outlive their request.
    pub jobs: JobsHandle,
    /// The streams of their events.
    pub job_streams: Seats,
    /// Removes what is past its time, or belongs to nothing.
    pub housekeeping: HousekeepingHandle,
    /// What the studio's routes reach besides.
    pub studio: Studio,
    /// Who is told of their ends.
    pub webhooks: WebhooksHandle,
    /// Opens the links of clients.
    pub egress: Guard,
    /// Opens the links in what upstreams answer, which may lead to the upstreams themselves.
    pub results: Guard,
    pub database: Database,
    pub kv: KvStore,
    pub tokens: TokenCounter,
    pub responses: ResponseStore,
    pub admins: AdminGate,
    pub sessions: Sessions,
    pub metrics: Metrics,
    /// Cancelled when the drain begins: readiness goes off.
    pub draining: CancellationToken,
    /// Cancelled when the drain's time is up: streams end with an error event.
    pub cut: CancellationToken,
}

impl Services {
    /// Waits for `work`, but not beyond a drain. It stays where the caller has pinned it, and is not copied.
    ///
    /// # Errors
    /// 503 when a drain has waited long enough; `work` is not polled any more, and ends when the caller drops it.
    pub async fn unless_cut<T>(
        &self,
        work: Pin<&mut impl Future<Output = T>>,
    ) -> Result<T, ApiError> {
        tokio::select! {
            // what watches for the cut itself has more to say about it
            biased;
            done = work => Ok(done),
            () = self.cut.cancelled() => Err(ApiError::shutting_down()),
        }
    }
}

/// What one HTTP thread has of its own, besides the services.
pub struct Worker {
    pub services: Arc<Services>,
    pub recorder: Rc<CallRecorder>,
}

/// Extracts the thread's [`Worker`].
pub struct OnWorker(pub Rc<Worker>);

impl FromRequest for OnWorker {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let worker = request.app_data::<Rc<Worker>>().cloned();
        let missing = || ErrorInternalServerError("the worker has no services");
        std::future::ready(worker.map(OnWorker).ok_or_else(missing))
    }
}
