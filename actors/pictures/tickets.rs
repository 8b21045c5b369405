//! What upstreams gave for an order that they have taken as tasks: who keeps it can ask for them after a restart,
//! in place of having them drawn again.

use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use troupe_protocol::pictures::Ticket;

use super::Drawn;

/// A ticket, and with which token it was got: only that one can ask for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The name under which the token's state is stored.
    pub token: String,
    pub ticket: Ticket,
}

/// Where the tickets of one commission are kept. Where the upstream makes one picture of an order, a commission
/// has several parts, and each its own ticket.
pub trait Tickets {
    /// That of a part, if it was taken already.
    fn held(&self, part: usize) -> Option<Held>;

    /// Keeps that of a part, or forgets it. Nothing else is done for the part until this has returned.
    fn hold(&self, part: usize, held: Option<Held>) -> LocalBoxFuture<'_, ()>;

    /// Whether a part was done before.
    fn is_done(&self, part: usize) -> bool;

    /// Keeps what came of a part while there are others.
    fn done<'a>(&'a self, part: usize, drawn: &'a Drawn) -> LocalBoxFuture<'a, ()>;
}

/// Keeps none: for what ends with its request.
pub struct Unkept;

impl Tickets for Unkept {
    fn held(&self, _: usize) -> Option<Held> {
        None
    }

    fn hold(&self, _: usize, _: Option<Held>) -> LocalBoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn is_done(&self, _: usize) -> bool {
        false
    }

    fn done<'a>(&'a self, _: usize, _: &'a Drawn) -> LocalBoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}
