//! `redis://`: one multiplexed connection, bounded waits, and a breaker in front.

use std::{cell::RefCell, time::Duration};

use redis::{
    Client, Cmd, ErrorKind, IntoConnectionInfo as _, RedisError, RedisResult, ServerErrorKind,
    aio::{ConnectionManager, ConnectionManagerConfig},
    cmd,
    io::tcp::TcpSettings,
    pipe,
};

use crate::{secrets::Secret, storage::error::first_line, supervision::Clock};

use super::{Abilities, Answer, Backend, BreakerPolicy, KvError, guard::Guard, whole_millis};

/// A Redis server.
pub struct Redis {
    client: Client,
    timeout: Duration,
    guard: Guard,
    /// `None` until first needed, and again once the breaker opened: a connection that went silent is not trusted again.
    connection: RefCell<Option<ConnectionManager>>,
}

impl Redis {
    /// A client for `url` that is not connected yet. `timeout` bounds every operation, connecting included.
    pub fn open(
        url: &Secret,
        timeout: Duration,
        breaker: BreakerPolicy,
        clock: Clock,
    ) -> Result<Self, KvError> {
        // without it, small requests wait for the acknowledgement of those before
        let nodelay = TcpSettings::default().set_nodelay(true);
        let client = url
            .expose()
            .into_connection_info()
            .and_then(|info| Client::open(info.set_tcp_settings(nodelay)))
            .map_err(|_| {
                KvError::Url("storage.kv_url is not understood by the redis client".to_owned())
            })?;
        Ok(Self {
            client,
            timeout,
            guard: Guard::new("redis", timeout, breaker, clock),
            connection: RefCell::new(None),
        })
    }

    fn connection(&self) -> RedisResult<ConnectionManager> {
        let mut connection = self.connection.borrow_mut();
        if let Some(connection) = connection.as_ref() {
            return Ok(connection.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_min_delay(Duration::from_millis(10))
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout));
        let manager = ConnectionManager::new_lazy_with_config(self.client.clone(), config)?;
        Ok(connection.insert(manager).clone())
    }

    /// Does one operation, unless the breaker is open.
    async fn ask<T>(
        &self,
        operation: impl AsyncFnOnce(&mut ConnectionManager) -> RedisResult<T>,
    ) -> Result<T, KvError> {
        let outcome = self.guard.ask(self.run(operation)).await;
        self.drop_silent();
        outcome
    }

    async fn run<T>(
        &self,
        operation: impl AsyncFnOnce(&mut ConnectionManager) -> RedisResult<T>,
    ) -> Result<T, KvError> {
        let answer = async { operation(&mut self.connection()?).await };
        answer.await.map_err(|error: RedisError| {
            let text = first_line(&error.to_string());
            if is_refusal(&error) {
                KvError::Refused(text)
            } else {
                KvError::Unavailable(text)
            }
        })
    }

    fn drop_silent(&self) {
        if !self.guard.is_closed() {
            self.connection.borrow_mut().take();
        }
    }
}

impl Backend for Redis {
    fn abilities(&self) -> Abilities {
        Abilities {
            counters: true,
            shortest_ttl: Duration::from_millis(1),
            shared: true,
            lag: Duration::ZERO,
        }
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(self.ask(async move |c| cmd("GET").arg(key).query_async(c).await))
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Option<Duration>) -> Answer<'a, ()> {
        Box::pin(self.ask(async move |c| set(key, &value, ttl).query_async(c).await))
    }

    fn set_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Option<Duration>,
    ) -> Answer<'a, bool> {
        Box::pin(self.ask(async move |c| {
            let set: Option<String> = set(key, &value, ttl).arg("NX").query_async(c).await?;
            Ok(set.is_some())
        }))
    }

    fn increment<'a>(&'a self, key: &'a str, by: i64, ttl: Duration) -> Answer<'a, i64> {
        Box::pin(self.ask(async move |c| {
            let mut begin = set(key, b"0", Some(ttl));
            begin.arg("NX");
            let mut both = pipe();
            both.atomic()
                .add_command(begin)
                .ignore()
                .cmd("INCRBY")
                .arg(key)
                .arg(by);
            let (sum,): (i64,) = both.query_async(c).await?;
            Ok(sum)
        }))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool> {
        Box::pin(self.ask(async move |c| cmd("DEL").arg(key).query_async(c).await))
    }

    fn ping(&self) -> Answer<'_, ()> {
        Box::pin(async {
            let ping = self.run(async |c| cmd("PING").exec_async(c).await);
            let outcome = self.guard.probe(ping).await;
            self.drop_silent();
            outcome
        })
    }
}

/// `SET` with its time to live, if any.
fn set(key: &str, value: &[u8], ttl: Option<Duration>) -> Cmd {
    let mut command = cmd("SET");
    command.arg(key).arg(value);
    if let Some(ttl) = ttl {
        command.arg("PX").arg(whole_millis(ttl));
    }
    command
}

/// Whether the server is there and only will not do this one thing.
fn is_refusal(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown};
    match error.kind() {
        ErrorKind::Server(kind) => !matches!(kind, BusyLoading | ClusterDown | MasterDown),
        ErrorKind::Extension | ErrorKind::UnexpectedReturnType => true,
        _ => false,
    }
}
