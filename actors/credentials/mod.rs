//! Credentials: what opens an upstream, and how it is lent.
//!
//! | file | what it holds |
//! |---|---|
//! | `config` | `[pool]` of the configuration |
//! | `lease` | the credential in a caller's hand, which reports exactly once |
//! | `cooldown` | from failure to rest: one table, and the arithmetic of rests |
//! | `breaker` | the circuit breaker of a provider |
//! | `token_pool` | the actor that lends the tokens of one provider |

pub mod breaker;
pub mod config;
pub mod cooldown;
pub mod lease;
pub mod token_pool;

pub use lease::{Lease, LeaseError, Outcome, Terms, TokenIndex};
pub use token_pool::{Pool, PoolSetup, outlook::Readiness};
