//! `cloudflare://`: a namespace of Cloudflare KV behind its REST API.
//!
//! Cloudflare KV takes one write a second of each key, other places see it within a minute or so, and there is no step
//! that reads and writes at once. So writes go into the [`overlay`] and are answered there; the actor sends them behind
//! ([`Backend::tend`]), the last of each key, and again where they did not arrive. Counters are refused.

mod overlay;
mod pause;
#[cfg(test)]
mod tests;
mod wire;

use std::{cell::RefCell, time::Duration};

use awc::http::Method;
use bytes::Bytes;
use futures_util::future::join_all;
use url::Url;

use crate::supervision::{Clock, clock::millis};

use super::{
    Abilities, Answer, Backend, FLUSH_WITHIN, KvError, MAX_VALUE,
    guard::{Guard, no_answer},
    rest::{Api, Reply, send},
};

use overlay::{Bounds, Entry, Overlay, Write};
use pause::Pause;

/// What may be held here, sent or not.
const BOUNDS: Bounds = Bounds {
    keys: 10_000,
    bytes: 16 << 20,
};
/// Writes under way at a time.
const LANES: usize = 4;
/// How long a write may take. Nobody waits for it.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// How often a flush looks whether the writes under way have arrived.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The longest answer that is read: a value and its head, or an error.
const MAX_ANSWER: usize = MAX_VALUE + 1024;
/// How long other places may go on seeing an older value.
const LAG: Duration = Duration::from_secs(60);

/// A namespace of Cloudflare KV.
pub struct Cloudflare {
    namespace: Url,
    api: Api,
    /// Of what callers wait for. Writes have [`Pause`] instead.
    guard: Guard,
    clock: Clock,
    overlay: RefCell<Overlay>,
    pause: RefCell<Pause>,
    /// Taken by each write under way.
    lanes: tokio::sync::Semaphore,
}

impl Cloudflare {
    /// The namespace at `…/accounts/ACCOUNT/storage/kv/namespaces/NAMESPACE`.
    pub fn new(namespace: Url, api: Api, guard: Guard, clock: Clock) -> Self {
        Self {
            namespace,
            api,
            guard,
            clock,
            overlay: RefCell::new(Overlay::new(BOUNDS)),
            pause: RefCell::default(),
            lanes: tokio::sync::Semaphore::new(LANES),
        }
    }

    /// What is known of `key` here, without what is over.
    fn written(&self, key: &str) -> Option<Option<Vec<u8>>> {
        let overlay = self.overlay.borrow();
        let entry = overlay.get(key)?;
        let live = entry.filter(|entry| !entry.is_over(self.clock.wall_ms()));
        Some(live.map(|entry| entry.value.to_vec()))
    }

    async fn fetch(&self, place: &Url) -> Result<Option<Vec<u8>>, KvError> {
        let read = async {
            let request = self.api.request(Method::GET, place.as_str());
            let reply = send(request, Bytes::new(), MAX_ANSWER).await?;
            wire::found(reply)
        };
        let Some(reply) = self.guard.ask(read).await? else {
            return Ok(None);
        };
        let entry = wire::opened(&reply.body)?;
        let live = !entry.is_over(self.clock.wall_ms());
        Ok(live.then(|| entry.value.to_vec()))
    }

    fn write(&self, key: &str, entry: Option<Entry>) -> Result<(), KvError> {
        let put = self.overlay.borrow_mut().put(key, entry, self.clock.now());
        put.map_err(|overlay::Full| {
            KvError::Unavailable(
                "as many writes as may wait for cloudflare kv, see the log for why they are not taken"
                    .to_owned(),
            )
        })
    }

    /// Sends what is due, a few at a time, until nothing is or Cloudflare wants a pause.
    async fn send_due(&self) {
        loop {
            let batch = self.next_batch();
            if batch.is_empty() {
                break;
            }
            join_all(batch.into_iter().map(|(write, lane)| async move {
                self.send(&write).await;
                drop(lane);
            }))
            .await;
        }
    }

    fn next_batch(&self) -> Vec<(Write, tokio::sync::SemaphorePermit<'_>)> {
        let now = self.clock.now();
        let mut batch = Vec::new();
        if !self.pause.borrow().is_over(now) {
            return batch;
        }
        while let Ok(lane) = self.lanes.try_acquire() {
            let Some(write) = self.overlay.borrow_mut().next_due(now) else {
                break;
            };
            batch.push((write, lane));
        }
        batch
    }

    async fn send(&self, write: &Write) {
        let sent = tokio::time::timeout(WRITE_WITHIN, self.deliver(write)).await;
        let sent = sent.unwrap_or_else(|_elapsed| Err((no_answer(WRITE_WITHIN), None)));
        let now = self.clock.now();
        let mut overlay = self.overlay.borrow_mut();
        match sent {
            Ok(()) => {
                overlay.took(&write.key, now);
                self.pause.borrow_mut().end(now);
            }
            Err((KvError::Unavailable(reason), wanted)) => {
                overlay.lost(&write.key, now);
                self.pause.borrow_mut().begin(now, wanted, &reason);
            }
            Err((error, _)) => {
                overlay.refused(&write.key, now);
                log::error!("a write to cloudflare kv is given up: {error}");
            }
        }
    }

    /// One request; with an error comes how long Cloudflare wants to be left alone.
    async fn deliver(&self, write: &Write) -> Result<(), (KvError, Option<Duration>)> {
        let reply = self.request(write).await.map_err(|error| (error, None))?;
        let wanted = wire::pause(&reply);
        // nothing is to be removed where nothing is
        wire::found(reply)
            .map(drop)
            .map_err(|error| (error, wanted))
    }

    async fn request(&self, write: &Write) -> Result<Reply, KvError> {
        let mut place = wire::place(&self.namespace, &write.key)?;
        let now_ms = self.clock.wall_ms();
        // what is over before it was sent must not uncover what was there before
        let entry = write.entry.as_ref().filter(|entry| !entry.is_over(now_ms));
        let Some(entry) = entry else {
            let request = self.api.request(Method::DELETE, place.as_str());
            return send(request, Bytes::new(), MAX_ANSWER).await;
        };
        if let Some(seconds) = wire::ttl(entry, now_ms) {
            place.set_query(Some(&format!("expiration_ttl={seconds}")));
        }
        let request = self
            .api
            .request(Method::PUT, place.as_str())
            .content_type("application/octet-stream");
        send(request, wire::sealed(entry).into(), MAX_ANSWER).await
    }

    /// Sends all that waits, each key at its pace.
    async fn send_all(&self) {
        while self.overlay.borrow().unsent() > 0 {
            self.send_due().await;
            let now = self.clock.now();
            let due = self.overlay.borrow().due_at();
            let due = due.map(|due| self.pause.borrow().until(due));
            let wait = due.map_or(LOOK_EVERY, |due| due.saturating_sub(now));
            tokio::time::sleep(wait.max(LOOK_EVERY)).await;
        }
    }
}

impl Backend for Cloudflare {
    fn abilities(&self) -> Abilities {
        Abilities {
            counters: false,
            shortest_ttl: Duration::from_millis(1),
            shared: true,
            lag: LAG,
        }
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let place = wire::place(&self.namespace, key)?;
            match self.written(key) {
                Some(known) => Ok(known),
                None => self.fetch(&place).await,
            }
        })
    }

    /// Answers at once; see the module's head.
    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Option<Duration>) -> Answer<'a, ()> {
        Box::pin(async move {
            wire::place(&self.namespace, key)?;
            let now_ms = self.clock.wall_ms();
            let entry = Entry {
                value: value.into(),
                over_ms: ttl.map(|ttl| now_ms.saturating_add(millis(ttl))),
            };
            self.write(key, Some(entry))
        })
    }

    fn set_if_absent<'a>(
        &'a self,
        _: &'a str,
        _: Vec<u8>,
        _: Option<Duration>,
    ) -> Answer<'a, bool> {
        Box::pin(async { Err(unable("set a key only if it is absent")) })
    }

    fn increment<'a>(&'a self, _: &'a str, _: i64, _: Duration) -> Answer<'a, i64> {
        Box::pin(async { Err(unable("count")) })
    }

    /// The removal itself is sent behind like any write, whether or not the key is found to be there.
    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool> {
        Box::pin(async move {
            let place = wire::place(&self.namespace, key)?;
            let known = self.written(key);
            if known != Some(None) {
                self.write(key, None)?;
            }
            match known {
                Some(known) => Ok(known.is_some()),
                None => self.fetch(&place).await.map(|found| found.is_some()),
            }
        })
    }

    fn ping(&self) -> Answer<'_, ()> {
        Box::pin(async {
            let ask = async {
                let request = self.api.request(Method::GET, self.namespace.as_str());
                wire::found(send(request, Bytes::new(), MAX_ANSWER).await?)
            };
            self.guard.probe(ask).await.map(drop)
        })
    }

    /// Requests are counted, so a store that answers is not asked for signs of life.
    fn tend(&self) -> Answer<'_, ()> {
        Box::pin(async {
            self.overlay.borrow_mut().forget(self.clock.now());
            self.send_due().await;
            if self.guard.is_closed() {
                Ok(())
            } else {
                self.ping().await
            }
        })
    }

    fn flush(&self) -> Answer<'_, ()> {
        Box::pin(async {
            let sent = tokio::time::timeout(FLUSH_WITHIN, self.send_all()).await;
            sent.map_err(|_elapsed| {
                let unsent = self.overlay.borrow().unsent();
                log::warn!("{unsent} writes did not reach cloudflare kv before the stop");
                no_answer(FLUSH_WITHIN)
            })
        })
    }
}

fn unable(what: &str) -> KvError {
    KvError::Refused(format!(
        "cloudflare kv cannot {what} in one step, use redis:// or upstash:// in storage.kv_url, or memory:// on a \
         single node"
    ))
}
