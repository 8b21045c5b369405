//! The key-value store: what is shared between nodes, short-lived, and may be lost.
//!
//! [`Backend`] is the seam: what every store can do, and what each says of itself. [`open`] picks one by URL.
//! The actor [`Kv`] owns it; [`KvStore`] is the way to the actor.
//!
//! | | |
//! |---|---|
//! | owns | the connections to the store, its breaker; with `memory://` the entries, with `cloudflare://` the writes on their way |
//! | durable | nothing |
//! | derivable | nothing |
//! | ephemeral | every entry: with `memory://` they go with the actor, elsewhere they outlive it; writes not yet sent go with it |
//! | mailbox | jobs from [`KvStore`]; each runs as a task of its own, bounded by `kv_timeout_ms` |
//! | restart | opens the store anew |

mod actor;
mod breaker;
mod cloudflare;
mod guard;
mod memory;
mod redis;
mod rest;
mod upstash;
mod url;

use std::{future::ready, rc::Rc, time::Duration};

use futures_util::future::LocalBoxFuture;

use crate::supervision::Clock;

pub use actor::{Kv, KvStore};
pub use breaker::{Breaker, BreakerPolicy};
pub use url::KvUrl;

use guard::Guard;

/// The longest value that is stored, in bytes.
pub const MAX_VALUE: usize = 64 << 10;

/// How long a store may take to send what waits before a stop; less than the supervisor waits for an actor.
pub const FLUSH_WITHIN: Duration = Duration::from_secs(8);

/// A store's answer, when it comes.
pub type Answer<'a, T> = LocalBoxFuture<'a, Result<T, KvError>>;

/// A key-value store. Every answer comes within the configured time; nothing is promised to last.
///
/// It lives on one thread, that of the actor that opened it, and may be asked many things at once.
pub trait Backend {
    /// What this store can and cannot do.
    fn abilities(&self) -> Abilities;

    /// The value of `key`.
    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Vec<u8>>>;

    /// Sets `key` over what was there; it goes after `ttl`.
    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Option<Duration>) -> Answer<'a, ()>;

    /// Sets `key` unless it is set, in one step; `true` if this call set it.
    fn set_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Option<Duration>,
    ) -> Answer<'a, bool>;

    /// Adds `by` to the counter `key` in one step and returns the sum. A counter begins at 0 and goes `ttl` after its
    /// first increment, however often it is incremented meanwhile.
    fn increment<'a>(&'a self, key: &'a str, by: i64, ttl: Duration) -> Answer<'a, i64>;

    /// Removes `key`; `true` if it was there.
    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool>;

    /// Whether the store answers. Where a breaker has opened, only this goes through and closes it again, so it is to be
    /// called from time to time.
    fn ping(&self) -> Answer<'_, ()>;

    /// What is to be done about once a second: finds out whether a store that was left alone is back, and sends what
    /// waits to be written. The breaker takes note of failures and logs changes.
    fn tend(&self) -> Answer<'_, ()> {
        self.ping()
    }

    /// Sends what waits to be written, before a stop; gives up within [`FLUSH_WITHIN`].
    fn flush(&self) -> Answer<'_, ()> {
        Box::pin(ready(Ok(())))
    }
}

/// What a store says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Whether [`Backend::increment`] and [`Backend::set_if_absent`] are one step also between nodes.
    pub counters: bool,
    /// The shortest time to live; shorter ones are lengthened to it.
    pub shortest_ttl: Duration,
    /// Whether several nodes see the same values.
    pub shared: bool,
    /// How long other nodes may still see an older value.
    pub lag: Duration,
}

/// Why an operation on the key-value store failed. No variant holds a value or a password.
#[derive(Debug, Clone, PartialEq, Eq, derive_more::Display, derive_more::Error)]
pub enum KvError {
    /// The store does not answer, or did not lately and is left alone for the moment.
    #[display("the key-value store is unavailable: {_0}")]
    Unavailable(#[error(not(source))] String),
    /// The value is longer than [`MAX_VALUE`].
    #[display("the value has more than {MAX_VALUE} bytes")]
    TooLong,
    /// The store answered that it will not, for example because the key holds something else than a counter.
    #[display("the key-value store refused: {_0}")]
    Refused(#[error(not(source))] String),
    /// `storage.kv_url` cannot be used.
    #[display("{_0}")]
    Url(#[error(not(source))] String),
}

/// Opens the store at `url`; does not wait for it, and a store that is down is no error. To be called on the thread of an
/// actor, since connections are tended by tasks there. `timeout` bounds every operation.
///
/// # Errors
/// [`KvError::Url`] if the client library refuses the URL after all.
pub fn open(
    url: &KvUrl,
    timeout: Duration,
    breaker: BreakerPolicy,
    clock: Clock,
) -> Result<Rc<dyn Backend>, KvError> {
    Ok(match url {
        KvUrl::Memory { max_entries } => Rc::new(memory::Memory::new(*max_entries, clock)),
        KvUrl::Redis(url) => Rc::new(redis::Redis::open(url, timeout, breaker, clock)?),
        KvUrl::Upstash { base, token } => {
            let guard = Guard::new("upstash", timeout, breaker, clock);
            Rc::new(upstash::Upstash::new(base, token.clone(), timeout, guard))
        }
        KvUrl::Cloudflare { namespace, token } => {
            let guard = Guard::new("cloudflare kv", timeout, breaker, clock.clone());
            let api = rest::Api::new(token.clone(), timeout);
            Rc::new(cloudflare::Cloudflare::new(
                namespace.clone(),
                api,
                guard,
                clock,
            ))
        }
    })
}

/// A time to live as Redis takes it: whole milliseconds, at least one.
fn whole_millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis())
        .unwrap_or(u64::MAX / 2)
        .max(1)
}

#[cfg(test)]
mod tests;
