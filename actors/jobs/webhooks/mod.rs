//! Webhooks: the ends of jobs, told to whoever wants to know, signed, at least once each.
//!
//! What is to be told is written in the transaction that stores a job's end, and stays owed until a receiver has
//! taken it or its time is over. Messages of one job to one URL go one after the other.
//!
//! | | |
//! |---|---|
//! | owns | the outbox: the table `webhook_deliveries` |
//! | durable | the outbox; `webhook_endpoints`, `webhook_callbacks`; `webhook_secrets`, sealed |
//! | derivable | what is due next: read from the outbox at every turn |
//! | ephemeral | which deliveries are under way, which the fall of this actor leaves alone |
//! | mailbox | that something is new, or that a place is free; both only make it read |
//! | restart | reads the outbox; what was under way with the process is tried again |
//!
//! | room | what it is for |
//! |---|---|
//! | [`message`] | what is told, in whose words, to whom |
//! | `outbox` | the end where jobs put in what is to be told |
//! | [`policy`] | what becomes of a delivery, and which go together; pure |
//! | `actor`, `messages`, `courier` | the actor, what it takes, and one attempt |
//! | [`carry`] | one POST, through the guard of links |
//! | `keys`, [`sign`] | secrets, and signatures by them |
//! | `handle` | endpoints, secrets and deliveries, as their app sees them |

mod actor;
pub mod carry;
pub mod config;
mod courier;
mod handle;
mod keys;
pub mod message;
mod messages;
mod metrics;
mod outbox;
pub mod policy;
pub mod sign;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use uuid::Uuid;

pub use actor::Webhooks;
pub use carry::Carrier;
pub use config::WebhooksConfig;
pub use handle::{Endpoint, Office, SecretState, WebhookError, WebhooksHandle};
pub use keys::NewSecret;
pub use message::{Callback, Shape, Tell, Topic};
pub use outbox::Outbox;

/// A new id; later ones are greater.
fn fresh_id(prefix: &str) -> String {
    format!("{prefix}_{}", Uuid::now_v7().simple())
}
