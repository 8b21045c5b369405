//! The token pool: lends the tokens of one provider, and learns from what comes back.
//!
//! | | |
//! |---|---|
//! | owns | each token's leases, cooldowns and whether it is disabled; the provider's circuit breaker; who waits |
//! | durable | cooldowns and refusals of tokens, when their own days end, under the token's keyed hash; written behind, batched |
//! | derivable | aliases and hashes, from the configuration |
//! | ephemeral | leases out, the breaker, the queue of waiting requests (they get an error and may ask again) |
//! | mailbox | `Lend`, `Report`, `GetSnapshot`, `Reset`; reports are told, never asked |
//! | restart | re-reads what is durable; starts without it when the database is away. Leases from before are judged, not counted |

pub mod actor;
pub mod calm;
mod database;
pub mod day;
mod handle;
pub mod judgement;
mod lending;
pub mod messages;
pub mod outlook;
pub mod policy;
pub mod snapshot;
pub mod stored;
pub mod token;
mod waiting;
mod writer;

#[cfg(test)]
mod actor_tests;
#[cfg(test)]
mod policy_properties;
#[cfg(test)]
mod policy_tests;
#[cfg(test)]
mod reset_properties;

pub use handle::{Pool, PoolSetup};
