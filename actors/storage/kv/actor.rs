//! The actor that owns the key-value store, and the way to it.

use std::{rc::Rc, time::Duration};

use actix::{AsyncContext as _, Message, ResponseFuture, fut::wrap_future};
use futures_util::future::LocalBoxFuture;

use crate::supervision::{AskError, Behaviour, Clock, Ctx, Handle, Receive, StartError};

use super::{Abilities, Backend, BreakerPolicy, KvError, KvUrl, MAX_VALUE, open};

/// How often the store is tended: what closes its breaker again, and sends what waits to be written.
const TEND_EVERY: Duration = Duration::from_secs(1);

/// See the module's head for what it owns.
pub struct Kv {
    store: Rc<dyn Backend>,
}

impl Kv {
    /// For [`ChildSpec::new`](crate::supervision::ChildSpec::new). `timeout` is `kv_timeout_ms`. A store that is down is
    /// no error.
    ///
    /// # Errors
    /// See [`open`].
    pub fn open(url: &KvUrl, timeout: Duration, clock: Clock) -> Result<Self, StartError> {
        let store = open(url, timeout, BreakerPolicy::default(), clock);
        Ok(Self {
            store: store.map_err(|error| StartError(error.to_string()))?,
        })
    }
}

impl Behaviour for Kv {
    fn started(&mut self, ctx: &mut Ctx<Self>) -> Result<(), StartError> {
        ctx.run_interval(TEND_EVERY, |kv, ctx| {
            let store = kv.store.clone();
            ctx.spawn(wrap_future(async move {
                // the store takes note of the outcome and logs changes
                let _ = store.tend().await;
            }));
        });
        Ok(())
    }

    fn draining(&mut self, _: &mut Ctx<Self>) -> Option<LocalBoxFuture<'static, ()>> {
        let store = self.store.clone();
        Some(Box::pin(async move {
            // the store logs what could not be sent
            let _ = store.flush().await;
        }))
    }
}

/// Sent by [`KvStore`]: do this with the store. If the reply is lost, it is done all the same.
struct Do<T>(Operation<T>);

type Operation<T> =
    Box<dyn FnOnce(Rc<dyn Backend>) -> LocalBoxFuture<'static, Result<T, KvError>> + Send>;

impl<T: Send + 'static> Message for Do<T> {
    type Result = Result<T, KvError>;
}

impl<T: Send + 'static> Receive<Do<T>> for Kv {
    type Reply = ResponseFuture<Result<T, KvError>>;

    fn receive(&mut self, Do(operation): Do<T>, _: &mut Ctx<Self>) -> Self::Reply {
        operation(self.store.clone())
    }
}

/// The key-value store, reached through its actor. Cheap to clone, valid over its restarts. Each operation is that of
/// [`Backend`] by the same name and answers within about `kv_timeout_ms`.
#[derive(Clone, Debug)]
pub struct KvStore {
    kv: Handle<Kv>,
    wait: Duration,
}

impl KvStore {
    /// A way to `kv`, which was opened with the same `timeout`.
    #[must_use]
    pub fn new(kv: Handle<Kv>, timeout: Duration) -> Self {
        Self {
            kv,
            wait: timeout * 2,
        }
    }

    /// See [`Backend::abilities`].
    ///
    /// # Errors
    /// [`KvError::Unavailable`] while the actor restarts.
    pub async fn abilities(&self) -> Result<Abilities, KvError> {
        self.run(|store| async move { Ok(store.abilities()) }).await
    }

    /// See [`Backend::get`].
    ///
    /// # Errors
    /// [`KvError`].
    pub async fn get(&self, key: impl Into<String>) -> Result<Option<Vec<u8>>, KvError> {
        let key = key.into();
        self.run(|store| async move { store.get(&key).await }).await
    }

    /// See [`Backend::set`].
    ///
    /// # Errors
    /// [`KvError`].
    pub async fn set(
        &self,
        key: impl Into<String>,
        value: Vec<u8>,
        ttl: Option<Duration>,
    ) -> Result<(), KvError> {
        let key = key.into();
        fits(&value)?;
        self.run(move |store| async move { store.set(&key, value, ttl).await })
            .await
    }

    /// See [`Backend::set_if_absent`].
    ///
    /// # Errors
    /// [`KvError`].
    pub async fn set_if_absent(
        &self,
        key: impl Into<String>,
        value: Vec<u8>,
        ttl: Option<Duration>,
    ) -> Result<bool, KvError> {
        let key = key.into();
        fits(&value)?;
        self.run(move |store| async move { store.set_if_absent(&key, value, ttl).await })
            .await
    }

    /// See [`Backend::increment`].
    ///
    /// # Errors
    /// [`KvError`].
    pub async fn increment(
        &self,
        key: impl Into<String>,
        by: i64,
        ttl: Duration,
    ) -> Result<i64, KvError> {
        let key = key.into();
        self.run(move |store| async move { store.increment(&key, by, ttl).await })
            .await
    }

    /// See [`Backend::delete`].
    ///
    /// # Errors
    /// [`KvError`].
    pub async fn delete(&self, key: impl Into<String>) -> Result<bool, KvError> {
        let key = key.into();
        self.run(|store| async move { store.delete(&key).await })
            .await
    }

    /// See [`Backend::ping`].
    ///
    /// # Errors
    /// [`KvError`].
    pub async fn ping(&self) -> Result<(), KvError> {
        self.run(|store| async move { store.ping().await }).await
    }

    async fn run<T, F>(
        &self,
        operation: impl FnOnce(Rc<dyn Backend>) -> F + Send + 'static,
    ) -> Result<T, KvError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, KvError>> + 'static,
    {
        let operation: Operation<T> = Box::new(move |store| Box::pin(operation(store)));
        let asked = self.kv.ask_within(self.wait, Do(operation)).await;
        asked.map_err(KvError::from)?
    }
}

fn fits(value: &[u8]) -> Result<(), KvError> {
    if value.len() > MAX_VALUE {
        Err(KvError::TooLong)
    } else {
        Ok(())
    }
}

impl From<AskError> for KvError {
    fn from(error: AskError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        storage::testing::{CloudflareServer, RedisServer, UpstashServer},
        supervision::{ChildSpec, Disturbance, RestartMetrics, SupervisionConfig, Tree},
    };

    const PATH: &str = "storage/kv";
    const MINUTE: Duration = Duration::from_secs(60);

    async fn start(tree: &Tree, url: &str) -> KvStore {
        // another test may have installed it already
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = KvUrl::parse(url).unwrap();
        let timeout = Duration::from_secs(10);
        let open = move || Kv::open(&url, timeout, Clock::system());
        let spec = ChildSpec::new(PATH, "storage", open);
        KvStore::new(tree.start(spec).await.unwrap(), timeout)
    }

    fn tree() -> Tree {
        let config = SupervisionConfig {
            backoff_min_ms: 1,
            ..SupervisionConfig::default()
        };
        Tree::plant(config, Clock::system(), RestartMetrics::default(), || {})
    }

    fn cloudflare() -> CloudflareServer {
        CloudflareServer::start(Clock::system(), Duration::ZERO)
    }

    #[actix_rt::test]
    async fn every_operation_passes_through_the_actor() {
        let (redis, upstash) = (RedisServer::start(), UpstashServer::start());
        for (url, shared) in [
            ("memory://", false),
            (&*redis.url(), true),
            (&*upstash.url(), true),
        ] {
            let tree = tree();
            let kv = start(&tree, url).await;
            assert_eq!(
                kv.abilities().await.map(|abilities| abilities.shared),
                Ok(shared)
            );
            assert_eq!(kv.ping().await, Ok(()));
            assert_eq!(kv.set("a", vec![1], Some(MINUTE)).await, Ok(()));
            assert_eq!(kv.set_if_absent("a", vec![2], None).await, Ok(false));
            assert_eq!(kv.get("a").await, Ok(Some(vec![1])));
            assert_eq!(kv.delete("a").await, Ok(true));
            assert_eq!(kv.increment("n", 3, MINUTE).await, Ok(3));
            assert_eq!(
                kv.set("long", vec![0; MAX_VALUE + 1], None).await,
                Err(KvError::TooLong)
            );
            tree.stop().await;
        }
    }

    async fn falls_and_returns(tree: &Tree, kv: &KvStore) {
        tree.disturb(PATH, Disturbance::Panic).await.unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while kv.ping().await.is_err() {
            assert!(
                std::time::Instant::now() < deadline,
                "the actor is not back"
            );
        }
    }

    #[actix_rt::test]
    async fn after_a_panic_of_the_actor_the_same_handle_works_again() {
        let (redis, upstash) = (RedisServer::start(), UpstashServer::start());
        for (url, left) in [
            ("memory://", None),
            (&*redis.url(), Some(vec![1])),
            (&*upstash.url(), Some(vec![1])),
        ] {
            let tree = tree();
            let kv = start(&tree, url).await;
            assert_eq!(kv.set("a", vec![1], None).await, Ok(()));
            falls_and_returns(&tree, &kv).await;
            assert_eq!(kv.get("a").await, Ok(left), "{url}");
            tree.stop().await;
        }
    }

    #[actix_rt::test]
    async fn writes_behind_are_sent_by_the_actor_itself_and_before_it_stops() {
        let server = cloudflare();
        let tree = tree();
        let kv = start(&tree, &server.url()).await;
        assert_eq!(kv.set("a", vec![1], Some(MINUTE)).await, Ok(()));
        assert_eq!(kv.get("a").await, Ok(Some(vec![1])));
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while server.writes().is_empty() {
            assert!(std::time::Instant::now() < deadline, "nothing is sent");
            tokio::task::yield_now().await;
        }
        falls_and_returns(&tree, &kv).await;
        assert_eq!(kv.get("a").await, Ok(Some(vec![1])), "sent before the fall");
        assert_eq!(kv.set("b", vec![2], None).await, Ok(()));
        tree.stop().await;
        let writes = server.writes();
        assert_eq!(writes, ["PUT a expiration_ttl=60", "PUT b"]);
    }
}
