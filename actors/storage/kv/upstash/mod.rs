//! `upstash://`: a Redis behind the REST API of Upstash.
//!
//! Protocol: <https://upstash.com/docs/redis/features/restapi>. Every operation is a single command, so each is one
//! step for Redis, and whichever wait at the same time can share a request ([`pipeline`]).

mod pipeline;
#[cfg(test)]
mod tests;
mod wire;

use std::{rc::Rc, time::Duration};

use url::Url;

use crate::secrets::Secret;

use super::{Abilities, Answer, Backend, KvError, guard::Guard, rest::Api, whole_millis};

use pipeline::Pipeline;
use wire::{Command, Outcome};

/// Begins a counter unless there is one, and adds to it: what the store on Redis does in a transaction.
const INCREMENT: &str = "redis.call('SET', KEYS[1], '0', 'PX', ARGV[2], 'NX') \
                         return redis.call('INCRBY', KEYS[1], ARGV[1])";

/// A database at Upstash.
pub struct Upstash {
    guard: Guard,
    pipeline: Rc<Pipeline>,
}

impl Upstash {
    /// The database at `base`; `timeout` bounds connecting and each request, `guard` each operation.
    pub fn new(base: &Url, token: Secret, timeout: Duration, guard: Guard) -> Self {
        let api = Api::new(token, timeout);
        Self {
            guard,
            pipeline: Rc::new(Pipeline::new(api, base, timeout)),
        }
    }

    async fn ask(&self, command: Command) -> Result<Outcome, KvError> {
        self.guard.ask(self.pipeline.run(command)).await
    }
}

impl Backend for Upstash {
    fn abilities(&self) -> Abilities {
        Abilities {
            counters: true,
            shortest_ttl: Duration::from_millis(1),
            shared: true,
            lag: Duration::ZERO,
        }
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            match self.ask(Command::new(["GET", key])).await? {
                Outcome::Nothing => Ok(None),
                Outcome::Bytes(text) => wire::opened(text).map(Some),
                Outcome::Integer(_) => Err(unexpected()),
            }
        })
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>, ttl: Option<Duration>) -> Answer<'a, ()> {
        Box::pin(async move { self.ask(set(key, &value, ttl)).await.map(drop) })
    }

    fn set_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        ttl: Option<Duration>,
    ) -> Answer<'a, bool> {
        Box::pin(async move {
            let command = set(key, &value, ttl).and(["NX"]);
            Ok(self.ask(command).await? != Outcome::Nothing)
        })
    }

    fn increment<'a>(&'a self, key: &'a str, by: i64, ttl: Duration) -> Answer<'a, i64> {
        Box::pin(async move {
            let command = Command::new(["EVAL", INCREMENT, "1", key])
                .and([by.to_string(), whole_millis(ttl).to_string()]);
            integer(self.ask(command).await?)
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool> {
        Box::pin(async move {
            let removed = integer(self.ask(Command::new(["DEL", key])).await?)?;
            Ok(removed > 0)
        })
    }

    fn ping(&self) -> Answer<'_, ()> {
        Box::pin(async {
            let ping = self.pipeline.run(Command::new(["PING"]));
            self.guard.probe(ping).await.map(drop)
        })
    }

    /// Commands are counted and paid for, so a database that answers is not asked for signs of life.
    fn tend(&self) -> Answer<'_, ()> {
        Box::pin(async {
            if self.guard.is_closed() {
                Ok(())
            } else {
                self.ping().await
            }
        })
    }
}

fn set(key: &str, value: &[u8], ttl: Option<Duration>) -> Command {
    let command = Command::new(["SET".to_owned(), key.to_owned(), wire::sealed(value)]);
    match ttl {
        Some(ttl) => command.and(["PX".to_owned(), whole_millis(ttl).to_string()]),
        None => command,
    }
}

fn integer(outcome: Outcome) -> Result<i64, KvError> {
    match outcome {
        Outcome::Integer(number) => Ok(number),
        _ => Err(unexpected()),
    }
}

fn unexpected() -> KvError {
    KvError::Refused("the answer is of another kind than the command's".to_owned())
}
